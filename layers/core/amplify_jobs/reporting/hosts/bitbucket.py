"""Bitbucket Cloud (https://developer.atlassian.com/cloud/bitbucket/rest: commit statuses, pull requests)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Answer, Call, Refused, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials
from amplify_jobs.reporting.hosts import Comment, Repository, Status, bearer_or_basic
from amplify_jobs.reporting.hosts.names import distinct_name
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

API = "https://api.bitbucket.org/2.0"
DESCRIPTION_LIMIT = 255
KEY_LIMIT = 40
COMMENT_LIMIT = 32_768
IS_OLDEST_FIRST = True
PAGE_SIZE = 100
STATES = {
    ReportState.PENDING: "INPROGRESS",
    ReportState.SUCCEEDED: "SUCCESSFUL",
    ReportState.FAILED: "FAILED",
    ReportState.ERROR: "FAILED",
    ReportState.CANCELLED: "STOPPED",
}


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Set a build status: the same key replaces it. An address is required; the commit's serves without another."""
    content: dict[str, Any] = {
        "key": distinct_name(status.context, KEY_LIMIT),
        "state": STATES[status.state],
        "name": status.context,
        "description": status.description,
        "url": status.link or f"https://bitbucket.org/{_quoted(status.repository)}/commits/{status.commit}",
    }
    if status.branch is not None:
        content["refname"] = status.branch
    path = f"commit/{status.commit}/statuses/build"
    return _call(Repository(target, credentials, status.repository), "POST", path, content)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    return judge(answer, now)


def judge(answer: Answer, now: float) -> Verdict:
    """404 is of the commit, of the pull request or of one repository."""
    if answer.status in {400, 404}:
        return Refused(f"HTTP {answer.status}: {str(answer.member('error', 'message') or '')[:200]}")
    return judge_by_status(answer, now)


def list_comments(place: Repository, comment: Comment, page: int) -> Call:
    path = f"{_comments(comment)}?sort=created_on&pagelen={PAGE_SIZE}&page={page}"
    return _call(place, "GET", path)


def create_comment(place: Repository, comment: Comment) -> Call:
    return _call(place, "POST", _comments(comment), {"content": {"raw": comment.text}})


def change_comment(place: Repository, comment: Comment, identity: str) -> Call:
    path = f"{_comments(comment)}/{identity}"
    return _call(place, "PUT", path, {"content": {"raw": comment.text}})


def comments(answer: Answer) -> list[tuple[str, str]]:
    return [
        (str(element["id"]), str((element.get("content") or {}).get("raw")))
        for element in answer.elements("values")
        if "id" in element and not element.get("deleted")
    ]


def has_more(answer: Answer) -> bool:
    return answer.member("next") is not None


def next_change(identity: str, answer: Answer) -> str | None:
    return None


def _comments(comment: Comment) -> str:
    return f"pullrequests/{comment.pull_request}/comments"


def _quoted(repository: str) -> str:
    return quote(repository, safe="/")


def _call(place: Repository, method: str, path: str, content: dict[str, Any] | None = None) -> Call:
    """A call of the API of a repository."""
    address = f"{place.target.api or API}/repositories/{_quoted(place.name)}/{path}"
    return json_call(method, address, content, bearer_or_basic(place.target, place.credentials))
