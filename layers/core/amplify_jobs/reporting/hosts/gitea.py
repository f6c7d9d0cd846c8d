"""Gitea and Forgejo (https://docs.gitea.com/api: repoCreateStatus, issueGetComments)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Answer, Call, Refused, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, token_of
from amplify_jobs.reporting.hosts import Comment, Repository, Status
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

DESCRIPTION_LIMIT = 255
# Gitea itself has no limit; its databases take more.
COMMENT_LIMIT = 60_000
IS_OLDEST_FIRST = True
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
    return _call(Repository(target, credentials, status.repository), "POST", f"statuses/{status.commit}", content)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    return judge(answer, now)


def judge(answer: Answer, now: float) -> Verdict:
    """A commit that is not there is 404, 422 or, in older versions, 500; 423 is of a repository in the archive."""
    text = str(answer.member("message") or "").lower()
    is_missing = answer.status == 500 and any(words in text for words in _NO_COMMIT)
    if answer.status in {400, 404, 422, 423} or is_missing:
        return Refused(f"HTTP {answer.status}: {text[:200]}")
    return judge_by_status(answer, now)


def list_comments(place: Repository, comment: Comment, page: int) -> Call:
    """API: issueGetComments; it gives all comments at once."""
    return _call(place, "GET", f"issues/{comment.pull_request}/comments")


def create_comment(place: Repository, comment: Comment) -> Call:
    path = f"issues/{comment.pull_request}/comments"
    return _call(place, "POST", path, {"body": comment.text})


def change_comment(place: Repository, comment: Comment, identity: str) -> Call:
    path = f"issues/comments/{identity}"
    return _call(place, "PATCH", path, {"body": comment.text})


def comments(answer: Answer) -> list[tuple[str, str]]:
    return [(str(element["id"]), str(element.get("body"))) for element in answer.elements() if "id" in element]


def has_more(answer: Answer) -> bool:
    return False


def next_change(identity: str, answer: Answer) -> str | None:
    return None


def _call(place: Repository, method: str, path: str, content: dict[str, Any] | None = None) -> Call:
    """A call of the API of a repository."""
    address = f"{place.target.api}/repos/{quote(place.name, safe='/')}/{path}"
    return json_call(method, address, content, {"Authorization": f"token {token_of(place.target, place.credentials)}"})
