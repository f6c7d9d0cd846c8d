"""GitLab (https://docs.gitlab.com/api: commits, notes)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Accepted, Answer, Call, Refused, Retry, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials, token_of
from amplify_jobs.reporting.hosts import Comment, Repository, Status
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

API = "https://gitlab.com/api/v4"
DESCRIPTION_LIMIT = 255
_LINK_LIMIT = 255
COMMENT_LIMIT = 1_000_000
IS_OLDEST_FIRST = True
PAGE_SIZE = 100
# Another update of the same commit holds a lock for so long.
_LOCK_SECONDS = 10.0
_STATES = {
    ReportState.PENDING: "pending",
    ReportState.SUCCEEDED: "success",
    ReportState.FAILED: "failed",
    ReportState.ERROR: "failed",
    ReportState.CANCELLED: "canceled",
}


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Set a status. Without ref and pipeline GitLab takes any branch that has the commit: both are given if known."""
    content: dict[str, Any] = {
        "state": _STATES[status.state],
        "name": status.context,
        "description": status.description,
    }
    if status.link is not None and len(status.link) <= _LINK_LIMIT:
        content["target_url"] = status.link
    if status.branch is not None:
        content["ref"] = status.branch
    if remote is not None:
        content["pipeline_id"] = int(remote)
    return _call(Repository(target, credentials, status.repository), "POST", f"statuses/{status.commit}", content)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    """400 says that the status has this state already, 409 that another update of the commit holds a lock."""
    if answer.status == 400 and "Cannot transition status" in failure_text(answer):
        return Accepted(remote)
    verdict = judge(answer, now)
    return Accepted(answer.identity("pipeline_id") or remote) if isinstance(verdict, Accepted) else verdict


def judge(answer: Answer, now: float) -> Verdict:
    """409 says that another update holds a lock; what is refused concerns one project, commit or merge request."""
    if answer.status == 409:
        return Retry("HTTP 409", _LOCK_SECONDS)
    if answer.status in {400, 403, 404, 422}:
        return Refused(f"HTTP {answer.status}: {failure_text(answer)[:200]}")
    return judge_by_status(answer, now)


def failure_text(answer: Answer) -> str:
    """What GitLab says of a failure: a text, or an object of texts."""
    return str(answer.member("message") or answer.member("error") or "")


def list_comments(place: Repository, comment: Comment, page: int) -> Call:
    path = f"{_notes(comment)}?sort=asc&order_by=created_at&per_page={PAGE_SIZE}&page={page}"
    return _call(place, "GET", path)


def create_comment(place: Repository, comment: Comment) -> Call:
    return _call(place, "POST", _notes(comment), {"body": comment.text})


def change_comment(place: Repository, comment: Comment, identity: str) -> Call:
    path = f"{_notes(comment)}/{identity}"
    return _call(place, "PUT", path, {"body": comment.text})


def comments(answer: Answer) -> list[tuple[str, str]]:
    """GitLab's own notes, on what became of the merge request, are left out."""
    return [
        (str(one["id"]), str(one.get("body"))) for one in answer.elements() if "id" in one and not one.get("system")
    ]


def has_more(answer: Answer) -> bool:
    return answer.headers.get("x-next-page", "") != ""


def created_comment(answer: Answer) -> str | None:
    return answer.identity("id")


def next_change(identity: str, answer: Answer) -> str | None:
    return None


def _notes(comment: Comment) -> str:
    return f"merge_requests/{comment.pull_request}/notes"


def _call(place: Repository, method: str, path: str, content: dict[str, Any] | None = None) -> Call:
    """A call of the API of a project, which is named by its path."""
    address = f"{place.target.api or API}/projects/{quote(place.name, safe='')}/{path}"
    return json_call(method, address, content, {"PRIVATE-TOKEN": token_of(place.target, place.credentials)})
