"""Azure DevOps (https://learn.microsoft.com/rest/api/azure/devops/git: statuses and threads of pull requests)."""

from __future__ import annotations

from typing import Any
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
from amplify_jobs.reporting.hosts import Comment, Repository, Status, bearer_or_basic
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

DESCRIPTION_LIMIT = 255
COMMENT_LIMIT = 150_000
IS_OLDEST_FIRST = True
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
    subject = f"pullRequests/{status.pull_request}" if remote == _commit_done(status) else f"commits/{status.commit}"
    content = {
        "state": _STATES[status.state],
        "description": status.description,
        "context": {"genre": GENRE, "name": status.context.removeprefix(f"{GENRE}/")},
    }
    if status.link is not None:
        content["targetUrl"] = status.link
    return _call(Repository(target, credentials, status.repository), "POST", f"{subject}/statuses", content)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    verdict = judge(answer, now)
    if isinstance(verdict, Accepted) and status.pull_request is not None and remote != _commit_done(status):
        return Continued(_commit_done(status))
    return verdict


def judge(answer: Answer, now: float) -> Verdict:
    """Azure DevOps shows a page to sign in, with 203 or a redirect, to who has no valid token."""
    if answer.status in {203, 302}:
        return Refused(f"HTTP {answer.status}: the token is not valid", stops=True)
    if answer.status in {400, 404, 409}:
        return Refused(f"HTTP {answer.status}: {str(answer.member('message') or '')[:200]}")
    return judge_by_status(answer, now)


def list_comments(place: Repository, comment: Comment, page: int) -> Call:
    """API: Pull Request Threads - List; it gives all threads at once."""
    return _call(place, "GET", _threads(comment))


def create_comment(place: Repository, comment: Comment) -> Call:
    """A thread of its own, closed: an active one keeps pull requests from being merged where a policy says so."""
    first = {"parentCommentId": 0, "content": comment.text, "commentType": "text"}
    content = {"comments": [first], "status": "closed"}
    return _call(place, "POST", _threads(comment), content)


def change_comment(place: Repository, comment: Comment, identity: str) -> Call:
    """The identity is the thread's number; its first comment is number 1."""
    path = f"{_threads(comment)}/{identity}/comments/1"
    return _call(place, "PATCH", path, {"content": comment.text})


def comments(answer: Answer) -> list[tuple[str, str]]:
    first = [
        (element["id"], comment)
        for element in answer.elements("value")
        if "id" in element and not element.get("isDeleted")
        for comment in (element.get("comments") or [])[:1]
    ]
    return [(str(thread), str(element.get("content"))) for thread, element in first if not element.get("isDeleted")]


def has_more(answer: Answer) -> bool:
    return False


def next_change(identity: str, answer: Answer) -> str | None:
    return None


def _threads(comment: Comment) -> str:
    return f"pullRequests/{comment.pull_request}/threads"


def _call(place: Repository, method: str, path: str, content: dict[str, Any] | None = None) -> Call:
    """A call of the API of a repository, whose full name has the project before it."""
    project, _, name = place.name.rpartition("/")
    address = f"{place.target.api}/{quote(project, safe='/')}/_apis/git/repositories/{quote(name, safe='')}"
    return json_call(method, f"{address}/{path}?{_VERSION}", content, bearer_or_basic(place.target, place.credentials))


def _commit_done(status: Status) -> str:
    """The commit has this status; the pull request, at whose statuses branch policies look, is next."""
    return f"commit {status.state}"
