"""The sentences of reports, in plain text; each kind of target escapes and cuts them in its own way."""

from __future__ import annotations

from amplify_jobs.announcing.text import NOT_REMOVED, duration
from amplify_jobs.model.request import FOLLOWED
from amplify_jobs.reporting.report import Report, ReportState
from amplify_jobs.text import one_line, shortened

_VERBS = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    "TIMED_OUT": "timed out",
    "UNKNOWN": "no longer followed",
    "REJECTED": "no job was started",
}

_SIGNS = {
    ReportState.PENDING: "⏳",
    ReportState.SUCCEEDED: "✅",
    ReportState.FAILED: "❌",
    ReportState.ERROR: "⚠️",
    ReportState.CANCELLED: "🚫",
}


def title(report: Report) -> str:
    """One line: which job of which app and branch, and how it stands."""
    job = f"job {report.job_id}" if report.job_id else None
    place = " · ".join(part for part in (report.app_name, report.branch, job) if part)
    return one_line(f"{place}: {status(report)}")


def sign(report: Report) -> str:
    """One character that shows the state."""
    return _SIGNS[report.state]


def status(report: Report) -> str:
    """How the job stands, in a few words: `failed after 2 min`."""
    if report.state is ReportState.PENDING:
        return "started"
    words = NOT_REMOVED if report.is_of_removal else _VERBS[report.outcome or ""]
    return f"{words} after {duration(report.duration_seconds)}" if report.duration_seconds is not None else words


def description(report: Report, limit: int) -> str:
    """One line for a status: how the job stands, and the cause of a failure."""
    if report.state is ReportState.PENDING:
        return "Building" if report.job_id else "Started"
    words = status(report)
    cause = report.failure.summary if report.failure else report.reason
    text = f"{words[:1].upper()}{words[1:]}"
    if cause and report.state is not ReportState.SUCCEEDED:
        text += f": {cause}"
    return shortened(one_line(text), limit)


def facts(report: Report) -> list[tuple[str, str]]:
    """What people want to know beside the title, each with its label."""
    cause, failure = report.cause, report.failure
    message = " ".join((cause.message or "").splitlines()[:1])
    pairs = [
        ("Cause", failure.summary if failure else report.reason),
        ("Advice", failure.advice if failure else None),
        ("Command", failure.command if failure else None),
        ("Commit", f"{(cause.commit or '')[:12]} {message}".strip()),
        ("Commit built", (report.commit_built or "")[:12]),
        ("Author", cause.author),
        ("Repository", cause.repository),
        ("Route", report.detail.route),
        ("Request", report.request_id),
    ]
    return [(label, one_line(value)) for label, value in pairs if value]


def links(report: Report) -> list[tuple[str, str]]:
    """The addresses that people want, each with its label."""
    return [(label, address) for label, address in (("Site", report.site), ("Job", report.console)) if address]


def filled(template: str, report: Report) -> str:
    """Fill {route}, {app} and {branch} into the name of a status or an environment."""
    # Apps of one repository have statuses of their own, whoever starts their jobs.
    otherwise = report.app_name if report.cause.kind == FOLLOWED else "job"
    values = {"route": report.detail.route or otherwise, "app": report.app_name, "branch": report.branch or "job"}
    text = template
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return one_line(text)
