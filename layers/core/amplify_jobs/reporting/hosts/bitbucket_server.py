"""Bitbucket Data Center (https://developer.atlassian.com/server/bitbucket/rest: builds, pull requests)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from amplify_jobs.reporting.call import Answer, Call, Refused, Retry, Verdict, json_call, judge_by_status
from amplify_jobs.reporting.destination import Credentials
from amplify_jobs.reporting.hosts import Comment, Repository, Status, bearer_or_basic
from amplify_jobs.reporting.hosts.bitbucket import STATES
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

DESCRIPTION_LIMIT = 255
COMMENT_LIMIT = 32_768
# The activities of a pull request, which its comments are among, come newest first.
IS_OLDEST_FIRST = False
PAGE_SIZE = 100


def status_call(target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None) -> Call:
    """Set a build status: the same key replaces it. `api` is the address of the server."""
    project, _, slug = status.repository.rpartition("/")
    content: dict[str, Any] = {
        "key": status.context,
        "state": "CANCELLED" if status.state is ReportState.CANCELLED else STATES[status.state],
        "name": status.context,
        "description": status.description,
        "url": status.link or f"{target.api}/projects/{quote(project)}/repos/{quote(slug)}/commits/{status.commit}",
    }
    if status.branch is not None:
        content["ref"] = f"refs/heads/{status.branch}"
    return _call(Repository(target, credentials, status.repository), "POST", f"commits/{status.commit}/builds", content)


def judge_status(status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
    return judge(answer, now)


def judge(answer: Answer, now: float) -> Verdict:
    """404 is of the commit, of the pull request or of one repository; 409 of a comment that changed meanwhile."""
    if answer.status == 409:
        return Retry("HTTP 409")
    if answer.status in {400, 404}:
        return Refused(f"HTTP {answer.status}")
    return judge_by_status(answer, now)


def list_comments(place: Repository, comment: Comment, page: int) -> Call:
    """API: Get pull request activity; the list of comments itself needs the path of a file."""
    path = f"pull-requests/{comment.pull_request}/activities?start={(page - 1) * PAGE_SIZE}&limit={PAGE_SIZE}"
    return _call(place, "GET", path)


def create_comment(place: Repository, comment: Comment) -> Call:
    return _call(place, "POST", _comments(comment), {"text": comment.text})


def change_comment(place: Repository, comment: Comment, identity: str) -> Call:
    """Read the version of a comment, which `identity` then has beside the id; a change has to name it."""
    number, _, version = identity.partition(" ")
    path = f"{_comments(comment)}/{number}"
    if not version:
        return _call(place, "GET", path)
    content = {"text": comment.text, "version": int(version)}
    return _call(place, "PUT", path, content)


def next_change(identity: str, answer: Answer) -> str | None:
    return None if " " in identity else f"{identity} {answer.identity('version') or 0}"


def comments(answer: Answer) -> list[tuple[str, str]]:
    added = [element["comment"] for element in answer.elements("values") if isinstance(element.get("comment"), dict)]
    return [(str(element["id"]), str(element.get("text"))) for element in added if "id" in element]


def has_more(answer: Answer) -> bool:
    return answer.member("isLastPage") is False


def _comments(comment: Comment) -> str:
    return f"pull-requests/{comment.pull_request}/comments"


def _call(place: Repository, method: str, path: str, content: dict[str, Any] | None = None) -> Call:
    """A call of the API of a repository."""
    project, _, slug = place.name.rpartition("/")
    address = f"{place.target.api}/rest/api/latest/projects/{quote(project, safe='')}/repos/{quote(slug, safe='')}"
    return json_call(method, f"{address}/{path}", content, bearer_or_basic(place.target, place.credentials))
