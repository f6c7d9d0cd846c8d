"""GitHub and GitHub Enterprise Server (https://docs.github.com/rest: commit statuses, issue comments)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from amplify_jobs.reporting.call import (
    Accepted,
    Answer,
    Call,
    Continued,
    Refused,
    Retry,
    Verdict,
    json_call,
    judge_by_status,
    retry_after,
)
from amplify_jobs.reporting.destination import Credentials, token_of
from amplify_jobs.reporting.hosts import Comment, DeploymentStatus, Repository, Status
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
_DEPLOYMENT_STATES = {**dict.fromkeys(ReportState, "error"), ReportState.PENDING: "in_progress"}
_DEPLOYMENT_STATES |= {ReportState.SUCCEEDED: "success", ReportState.FAILED: "failure"}
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
    return [(str(element["id"]), str(element.get("body"))) for element in answer.elements() if "id" in element]


def has_more(answer: Answer) -> bool:
    return 'rel="next"' in answer.headers.get("link", "")


def next_change(identity: str, answer: Answer) -> str | None:
    return None


def deployment_call(place: Repository, status: DeploymentStatus, remote: str | None) -> Call:
    """Look for the deployment by our request id, make it, or set its status (API: Deployments)."""
    step, _, number = (remote or "search").partition(" ")
    if step == "at":
        return _call(place, "POST", f"deployments/{number}/statuses", _deployment_status(status))
    if step == "search":
        query = urlencode({"environment": status.environment, "sha": status.commit, "per_page": PAGE_SIZE})
        return _call(place, "GET", f"deployments?{query}")
    content: dict[str, Any] = {
        "ref": status.commit,
        "environment": status.environment,
        "description": status.description,
        "payload": {"requestId": status.request_id},
        "transient_environment": status.transient,
        # Else GitHub merges the default branch into what is deployed, and waits for checks, our own among them.
        "auto_merge": False,
        "required_contexts": [],
    }
    if status.production is not None:
        content["production_environment"] = status.production
    return _call(place, "POST", "deployments", content)


def judge_deployment(status: DeploymentStatus, answer: Answer, remote: str | None, now: float) -> Verdict:
    """A deployment that was deleted is made again; repeating a call that makes one would make a second."""
    step = (remote or "search").partition(" ")[0]
    if step == "at" and answer.status == 404:
        return Continued("search")
    verdict = judge(answer, now)
    if not isinstance(verdict, Accepted):
        return verdict
    if step == "at":
        return Accepted(remote)
    if step == "search":
        deployments = [element for element in answer.elements() if _request_id(element) == status.request_id]
        return Continued(f"at {deployments[0]['id']}") if deployments else Continued("new", kept=False)
    number = answer.identity("id")
    return Continued(f"at {number}") if number else Refused(f"HTTP {answer.status}: no deployment was made")


def _deployment_status(status: DeploymentStatus) -> dict[str, Any]:
    content: dict[str, Any] = {
        "state": _DEPLOYMENT_STATES[status.state],
        "description": status.description,
        "auto_inactive": True,
    }
    if status.site is not None:
        content["environment_url"] = status.site
    if status.console is not None:
        content["log_url"] = status.console
    return content


def _request_id(deployment: dict[str, Any]) -> Any:
    """What we put into a deployment's payload, which others may use in their own way."""
    payload = deployment.get("payload")
    return payload.get("requestId") if isinstance(payload, dict) and "id" in deployment else None


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
