"""Gitea and Forgejo (https://docs.gitea.com/api: repoCreateStatus)."""

from __future__ import annotations

from urllib.parse import quote

from amplify_jobs.reporting.call import Answer, Call, Refused, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, token_of
from amplify_jobs.reporting.hosts import Status
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

DESCRIPTION_LIMIT = 255
_STATES = {
    ReportState.PENDING: "pending",
    ReportState.SUCCEEDED: "success",
    ReportState.FAILED: "failure",
    ReportState.ERROR: "error",
    ReportState.CANCELLED: "error",
}
# What versions answer with 500 for a commit that they do not have.
_NO_COMMIT = ("object does not exist", "not exist", "couldn't find", "sha not found")


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Create a status: the newest of a context counts. `api` is the server's address with /api/v1."""
    content = {"state": _STATES[status.state], "context": status.context, "description": status.description}
    if status.link is not None:
        content["target_url"] = status.link
    repository = quote(status.repository, safe="/")
    token = token_of(target, credentials)
    address = f"{target.api}/repos/{repository}/statuses/{status.commit}"
    return json_call("POST", address, content, {"Authorization": f"token {token}"})


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    """A commit that is not there is 404, 422 or, in older versions, 500."""
    text = str(answer.member("message") or "").lower()
    is_missing = answer.status == 500 and any(words in text for words in _NO_COMMIT)
    if answer.status in {400, 404, 422} or is_missing:
        return Refused(f"HTTP {answer.status}: {text[:200]}")
    return judge_by_status(answer, now)
