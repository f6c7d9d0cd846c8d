"""The message of an announcement for people: its subject, its text, and the attributes that subscriptions filter by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from amplify_jobs.announcing.announcement import (
    AnnouncedJob,
    Announcement,
    DetailType,
    JobFinished,
    JobRejected,
    JobStarted,
    Outcome,
)
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.operations import REMOVE_PREVIEW
from amplify_jobs.model.request import FOLLOWED, Cause
from amplify_jobs.model.results import Results
from amplify_jobs.text import indented, one_line

SUBJECT_LIMIT = 99
# A subject keeps so many characters of an app's and of a branch's name, however long the rest of it is.
_SHORTEST_NAME = 20
# Of each kind of trouble with results; the event has all of them.
MOST_LINES = 10
NOT_REMOVED = "the preview was not taken away"
_SEVERAL_LINES = {"Reason", "Log"}


def subject(detail: Announcement) -> str:
    """One line of at most 99 printable ASCII characters, as SNS wants it (API: Publish, Subject).

    The app's name is shortened first, then the branch's: people look for the outcome, the job and the commit.
    """
    outcome, app, branch, job = (_ascii_line(part) for part in _subject_parts(detail))

    def line() -> str:
        return " ".join(part for part in (f"{outcome}:", app, branch, job) if part)

    app = _cut(app, max(len(app) - max(len(line()) - SUBJECT_LIMIT, 0), _SHORTEST_NAME))
    branch = _cut(branch, max(len(branch) - max(len(line()) - SUBJECT_LIMIT, 0), _SHORTEST_NAME))
    return _cut(line(), SUBJECT_LIMIT)


def _subject_parts(detail: Announcement) -> tuple[str, str, str, str]:
    """The outcome, the app, the branch or environment, and the job with its commit."""
    commit = f"({detail.cause.commit[:7]})" if detail.cause and detail.cause.commit else ""
    newer = detail.superseded_by if isinstance(detail, JobFinished | JobRejected) else None
    superseded = f"superseded by {newer}" if newer else ""
    match detail:
        case JobFinished() | JobStarted():
            outcome = str(detail.outcome) if isinstance(detail, JobFinished) else "Started"
            job = f"{_job_number(detail.job)} {commit} {superseded}"
            return outcome, _app(detail.job), _branch(detail.job), job
        case JobRejected():
            app = detail.app_name or detail.app_id or detail.route or detail.request_id
            branch = detail.branch_name or detail.environment_name or ""
            return detail.outcome.capitalize(), app, branch, f"{commit} {superseded}"
        case _:
            raise TypeError(f"no subject for {type(detail).__name__}")


def attributes(detail_type: DetailType, detail: Announcement) -> dict[str, str]:
    """Give the attributes: detailType, and outcome, appId, branchName and route if they are known."""
    job = detail.job if isinstance(detail, JobFinished | JobStarted) else detail
    values = {
        "detailType": detail_type.value,
        "outcome": detail.outcome if isinstance(detail, JobFinished | JobRejected) else None,
        "appId": getattr(job, "app_id", None),
        "branchName": getattr(job, "branch_name", None),
        "route": detail.route,
    }
    lines = {name: one_line(str(value)) for name, value in values.items() if value}
    # SNS refuses empty ones, and nothing may be left of a name once it is on one line.
    return {name: line for name, line in lines.items() if line}


def text(detail: Announcement) -> str:
    """Say what happened, why, to which commit of which author, and where to look.

    The first line says what happened. Each other line is `label: value`, or continues a value and is indented.
    """
    # A name that has a colon does not make a label of the first line.
    headline = one_line(_headline(detail)).replace(": ", " ")
    return "\n".join([headline, "", *(_line(label, value) for label, value in _facts(detail) if value), ""])


def _line(label: str, value: str) -> str:
    """The one place where values are put into the form: none of them can add a label."""
    return f"{label}: {indented(value) if label in _SEVERAL_LINES else one_line(value)}"


def _headline(detail: Announcement) -> str:
    match detail:
        case JobFinished():
            return f"{_app(detail.job)} · {_branch(detail.job)} · job {detail.job.job_id} {_end(detail)}"
        case JobStarted():
            # Amplify accepted the job and runs it after the jobs before it. That moment is not announced. The first
            # event of a job that somebody else started tells that it runs.
            waits = detail.job.branch_name and not is_followed(detail)
            queue = ", and waits in Amplify's queue until it can run" if waits else ""
            return f"{_app(detail.job)} · {_branch(detail.job)} · job {detail.job.job_id} started{queue}"
        case JobRejected():
            names = (detail.app_name or detail.app_id, detail.branch_name or detail.environment_name)
            outcome = "a job could not be followed" if is_followed(detail) else "no job was started"
            if detail.operation == REMOVE_PREVIEW:
                outcome = NOT_REMOVED
            return f"{' · '.join(name for name in names if name) or 'A request'} · {outcome}"
        case _:
            raise TypeError(f"no headline for {type(detail).__name__}")


def _end(detail: JobFinished) -> str:
    if detail.outcome is Outcome.UNKNOWN:
        return "is no longer followed"
    after = f" after {duration(detail.duration_seconds)}" if detail.duration_seconds is not None else ""
    return f"{detail.outcome}{after}"


def _facts(detail: Announcement) -> Iterator[tuple[str, str | None]]:
    if isinstance(detail, JobFinished):
        yield "Failed step", detail.failed_step.name if detail.failed_step else None
        is_repeated = detail.attempts is not None and detail.attempts > 1
        yield "Attempts", str(detail.attempts) if is_repeated else None
    if isinstance(detail, JobFinished | JobRejected):
        yield "Reason", detail.reason
    if isinstance(detail, JobFinished) and detail.failure is not None:
        yield from _failure_facts(detail.failure)
    if isinstance(detail, JobFinished) and detail.results is not None:
        yield from _result_facts(detail.results)
    if isinstance(detail, JobFinished | JobStarted):
        yield from _first_lines("Warning", detail.warnings)
    if detail.cause is not None:
        yield from _cause_facts(detail.cause, detail.route)
    if isinstance(detail, JobFinished) and is_other_commit(detail):
        yield "Commit built", f"{(detail.commit_built or '')[:12]}, not the one above: the branch has moved since"
    if isinstance(detail, JobFinished | JobStarted):
        yield "Console", detail.links.console
        yield "Site", detail.links.site
    yield "Request", detail.request_id
    yield "Execution", detail.execution


def _failure_facts(failure: Failure) -> Iterator[tuple[str, str | None]]:
    yield "Cause", failure.summary
    yield "Advice", failure.advice
    yield "Command", failure.command
    yield "Log", failure.excerpt
    yield "Whole log", failure.log


def is_followed(detail: Announcement) -> bool:
    """Whether somebody else started the job."""
    return detail.cause is not None and detail.cause.kind == FOLLOWED


def is_other_commit(detail: JobFinished) -> bool:
    """Whether Amplify built another commit than the event's; a short id is that of the same commit."""
    commit = detail.cause.commit if detail.cause else None
    built = detail.commit_built
    return bool(commit and built) and not (str(commit).startswith(str(built)) or str(built).startswith(str(commit)))


def _cause_facts(cause: Cause, route: str | None) -> Iterator[tuple[str, str | None]]:
    message = " ".join((cause.message or "").splitlines()[:1])
    yield "Commit", f"{(cause.commit or '')[:12]} {message}".strip()
    yield "Author", cause.author
    if cause.kind == FOLLOWED:
        repository = f" for {cause.repository}" if cause.repository else ""
        yield "Triggered by", f"a git trigger of Amplify's, its console or its API{repository}, not by amplify-jobs"
    else:
        repository = f" to {cause.repository}" if cause.repository else ""
        yield "Triggered by", f"{cause.kind}{repository}" + (f", route {route}" if route else "")
    yield "Asked because", " ".join((cause.reason or "").split())


def _result_facts(results: Results) -> Iterator[tuple[str, str | None]]:
    if results.files:
        yield "Files", f"{len(results.files) + results.more_files} in {results.folder}"
    errors = [
        f"{error.schema_name}: {error.error}" if error.schema_name else error.error for error in results.partial_errors
    ]
    missing = [f"{file.name}: {file.reason}" if file.name else file.reason for file in results.missing]
    yield from _first_lines("Not generated", errors)
    yield from _first_lines("Not stored", missing)


def _first_lines(label: str, lines: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    for line in lines[:MOST_LINES]:
        yield label, line
    if len(lines) > MOST_LINES:
        yield label, f"and {len(lines) - MOST_LINES} more"


def duration(seconds: int) -> str:
    """Write a duration for people, e.g. `3 min 12 s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
        f"{rest} s" if rest and not hours else "",
    ]
    return " ".join(part for part in parts if part) or "less than a second"


def _app(job: AnnouncedJob) -> str:
    return job.app_name or job.app_id


def _branch(job: AnnouncedJob) -> str:
    return job.branch_name or job.environment_name or "?"


def _job_number(job: AnnouncedJob) -> str:
    # Only the jobs of a branch are counted; any other's id would fill the line.
    return f"#{job.job_id}" if job.branch_name else job.operation


def _ascii_line(text: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", one_line(text))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
