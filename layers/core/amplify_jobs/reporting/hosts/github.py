"""GitHub and GitHub Enterprise Server (https://docs.github.com/rest: commit statuses, issue comments)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Answer, Call, Refused, Retry, Verdict, json_call, judge_by_status, retry_after
from amplify_jobs.reporting.destination import Credentials, token_of
from amplify_jobs.reporting.hosts import Comment, Repository, Status
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

API = "https://api.github.com"
# A longer one is refused with 422.
DESCRIPTION_LIMIT = 140
COMMENT_LIMIT = 65_536
IS_OLDEST_FIRST = True
PAGE_SIZE = 100
# A secondary limit asks for a minute at least (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
_LIMIT_SECONDS = 60.0
# 403 for one pull request or repository, whatever the token may do.
_READ_ONLY = ("is locked", "archived")
_STATES = {
    ReportState.PENDING: "pending",
    ReportState.SUCCEEDED: "success",
    ReportState.FAILED: "failure",
    ReportState.ERROR: "error",
    ReportState.CANCELLED: "error",
}


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Create a status (API: Create a commit status): the newest of a context counts."""
    content = {"state": _STATES[status.state], "context": status.context, "description": status.description}
    if status.link is not None:
        content["target_url"] = status.link
    return _call(Repository(target, credentials, status.repository), "POST", f"statuses/{status.commit}", content)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    return judge(answer, now)


def judge(answer: Answer, now: float) -> Verdict:
    """Judge an answer: 403 may be a limit; 422 says that the commit is not there, or has too many statuses."""
    if (limited := limit(answer, now)) is not None:
        return limited
    if answer.status == 422:
        return Refused(f"HTTP 422: {answer.member('message') or 'refused'}")
    if answer.status == 404:
        # A repository that the token does not see; another one of the same source may be seen.
        return Refused("HTTP 404: the token does not see the repository, or may not write to it")
    text = str(answer.member("message") or "")
    if answer.status == 403 and any(words in text.lower() for words in _READ_ONLY):
        return Refused(f"HTTP 403: {text[:200]}")
    return judge_by_status(answer, now)


def list_comments(place: Repository, comment: Comment, page: int) -> Call:
    """API: List issue comments; a pull request is an issue."""
    path = f"issues/{comment.pull_request}/comments?per_page={PAGE_SIZE}&page={page}"
    return _call(place, "GET", path)


def create_comment(place: Repository, comment: Comment) -> Call:
    path = f"issues/{comment.pull_request}/comments"
    return _call(place, "POST", path, {"body": comment.text})


def change_comment(place: Repository, comment: Comment, identity: str) -> Call:
    path = f"issues/comments/{identity}"
    return _call(place, "PATCH", path, {"body": comment.text})


def comments(answer: Answer) -> list[tuple[str, str]]:
    return [(str(one["id"]), str(one.get("body"))) for one in answer.elements() if "id" in one]


def has_more(answer: Answer) -> bool:
    return 'rel="next"' in answer.headers.get("link", "")


def created_comment(answer: Answer) -> str | None:
    return answer.identity("id")


def next_change(identity: str, answer: Answer) -> str | None:
    return None


def limit(answer: Answer, now: float) -> Retry | None:
    """The wait that a rate limit asks for; None if the answer is none of a limit."""
    text = str(answer.member("message") or "").lower()
    exhausted = answer.headers.get("x-ratelimit-remaining") == "0"
    if answer.status != 429 and not (answer.status == 403 and (exhausted or "rate limit" in text or "abuse" in text)):
        return None
    seconds = retry_after(answer, now)
    if seconds is None and exhausted and answer.headers.get("x-ratelimit-reset", "").isdecimal():
        seconds = max(float(answer.headers["x-ratelimit-reset"]) - now, 1.0)
    return Retry(f"HTTP {answer.status}: a rate limit", seconds if seconds is not None else _LIMIT_SECONDS)


def _call(place: Repository, method: str, path: str, content: dict[str, Any] | None = None) -> Call:
    """A call of the API of a repository."""
    address = f"{place.target.api or API}/repos/{quote(place.name, safe='/')}/{path}"
    return json_call(method, address, content, headers(place.target, place.credentials))


def headers(target: RepositoryTarget, credentials: Credentials) -> dict[str, str]:
    """The headers of every call; the token is the target's, or that of its App's installation."""
    token = token_of(target, credentials)
    return {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "Authorization": f"Bearer {token}",
    }
