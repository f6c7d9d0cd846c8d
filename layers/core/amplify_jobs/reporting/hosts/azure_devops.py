"""Azure DevOps (https://learn.microsoft.com/rest/api/azure/devops/git: statuses of commits and of pull requests)."""

from __future__ import annotations

from urllib.parse import quote

from amplify_jobs.reporting.call import (
    Accepted,
    Answer,
    Call,
    Continued,
    Refused,
    Verdict,
    json_call,
    judge_by_status,
)
from amplify_jobs.reporting.destination import Credentials
from amplify_jobs.reporting.hosts import Status, bearer_or_basic
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

DESCRIPTION_LIMIT = 255
GENRE = "amplify-jobs"
_VERSION = "api-version=7.1"
_STATES = {
    ReportState.PENDING: "pending",
    ReportState.SUCCEEDED: "succeeded",
    ReportState.FAILED: "failed",
    ReportState.ERROR: "error",
    ReportState.CANCELLED: "error",
}


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Create a status of the commit, then of the pull request. `api` is the organization's address."""
    project, _, repository = status.repository.rpartition("/")
    place = f"{target.api}/{quote(project, safe='/')}/_apis/git/repositories/{quote(repository, safe='')}"
    subject = f"pullRequests/{status.pull_request}" if remote == _commit_done(status) else f"commits/{status.commit}"
    content = {
        "state": _STATES[status.state],
        "description": status.description,
        "context": {"genre": GENRE, "name": status.context.removeprefix(f"{GENRE}/")},
    }
    if status.link is not None:
        content["targetUrl"] = status.link
    headers = bearer_or_basic(target, credentials)
    return json_call("POST", f"{place}/{subject}/statuses?{_VERSION}", content, headers)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    """Azure DevOps shows a page to sign in, with 203 or a redirect, to who has no valid token."""
    if answer.status in {203, 302}:
        return Refused(f"HTTP {answer.status}: the token is not valid", stops=True)
    if answer.status in {400, 404}:
        return Refused(f"HTTP {answer.status}: {str(answer.member('message') or '')[:200]}")
    verdict = judge_by_status(answer, now)
    if isinstance(verdict, Accepted) and status.pull_request is not None and remote != _commit_done(status):
        return Continued(_commit_done(status))
    return verdict


def _commit_done(status: Status) -> str:
    """The commit has this status; the pull request, at whose statuses branch policies look, is next."""
    return f"commit {status.state}"
