"""Statuses of commits, at the git host that a delivery came from."""

from __future__ import annotations

from amplify_jobs.reporting.call import Answer, Call, Verdict
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.hosts import CONTEXT_LIMIT, Status, host_of
from amplify_jobs.reporting.hosts.names import distinct_name
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.wording import description, filled
from amplify_jobs.routing.report_targets import CommitStatus


def subject(destination: Destination, report: Report) -> str | None:
    """A status belongs to a commit and a context. A token is for its source alone."""
    cause = report.cause
    if report.is_of_removal:
        return None
    if not destination.reports_to_source_of(cause) or not cause.repository or not cause.commit:
        return None
    return f"{cause.repository} {cause.commit} {_context(destination, report)}"


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    return host_of(destination).status_call(
        destination.repository_target, _status(destination, report), credentials, remote
    )


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    return host_of(destination).judge_status(_status(destination, report), answer, remote, now)


def _status(destination: Destination, report: Report) -> Status:
    cause = report.cause
    return Status(
        repository=cause.repository or "",
        commit=cause.commit or "",
        # The branch of a pull request's event is the one that it goes to, and does not have the commit.
        branch=cause.branch if cause.pull_request is None else None,
        pull_request=cause.pull_request,
        context=_context(destination, report),
        state=report.state,
        description=description(report, host_of(destination).DESCRIPTION_LIMIT),
        link=report.link,
    )


def _context(destination: Destination, report: Report) -> str:
    target = destination.target
    return distinct_name(filled(target.context if isinstance(target, CommitStatus) else "", report), CONTEXT_LIMIT)
