"""The list of jobs, and the page of one branch."""

from __future__ import annotations

from collections.abc import Mapping

from amplify_jobs_console.answers import BranchSummary, LiveCommit, Page, RequestSummary
from amplify_jobs_console.badge import Badge, make_badge
from amplify_jobs_console.drawing import draw_history
from amplify_jobs_console.pages.actions import build_branch
from amplify_jobs_console.pages.content import FAST_SECONDS, SLOW_SECONDS, Content
from amplify_jobs_console.place import Place
from amplify_jobs_console.reader import Problem, Reader
from amplify_jobs_console.words import status_of

FILTERS = ("state", "app", "branch", "route", "repository", "commit")
_LIMIT = "30"


def show_jobs(reader: Reader, place: Place, arguments: Mapping[str, str]) -> Content:
    """The jobs that meet the conditions, a page of them. Raises ApiError."""
    filters = {name: arguments.get(name, "") for name in FILTERS}
    query = {**filters, "limit": _LIMIT, "next": arguments.get("next", "")}
    page = reader.page(RequestSummary, "/requests", query)
    return Content(
        "jobs.html.j2",
        {
            "page": page,
            "filters": filters,
            "is_filtered": any(filters.values()),
            "older": place.url("jobs", **filters, next=page.next) if page.next else None,
        },
        section="jobs",
        refresh_seconds=refresh_seconds(page),
    )


def show_branch(reader: Reader, place: Place, app_id: str, branch_name: str) -> Content:
    """The jobs of a branch, what is live there, and its badge. Raises ApiError."""
    query = {"app": app_id, "branch": branch_name}
    branches = reader.later(lambda: reader.get(Page[BranchSummary], "/branches", query))
    page = branch_jobs(reader, app_id, branch_name)
    last = page.items[0] if page.items else None
    app_name = (last.app_name if last else None) or app_id
    return Content(
        "branch.html.j2",
        {
            "page": page,
            "app_id": app_id,
            "app_name": app_name,
            "branch_name": branch_name,
            "live": live_commit(page),
            "history": draw_history(page.items),
            "action": build_branch(last, f"{app_name} {branch_name}"),
            "badge": _badge(branches(), place, f"{app_name} {branch_name}"),
            "commands": [
                place.shell("jobs", "--app", app_id, "--branch", branch_name),
                place.shell("jobs", "wait", "--app", app_id, "--branch", branch_name),
                place.shell("badge", app_id, branch_name),
            ],
        },
        refresh_seconds=refresh_seconds(page),
    )


def _badge(branches: Page[BranchSummary] | Problem, place: Place, name: str) -> Badge | Problem | None:
    """The badge of a branch; None while badges are switched off, or before the branch's first job."""
    if isinstance(branches, Problem):
        return branches
    path = branches.items[0].badge if branches.items else None
    return make_badge(place.api_url, path, name) if path else None


def branch_jobs(reader: Reader, app_id: str, branch_name: str) -> Page[RequestSummary]:
    """The last jobs of a branch. Raises ApiError."""
    query = {"app": app_id, "branch": branch_name, "limit": _LIMIT}
    return reader.page(RequestSummary, "/requests", query)


def live_commit(page: Page[RequestSummary]) -> LiveCommit | None:
    """What the last job of a branch that succeeded brought live; None if the page has none."""
    live = next((request for request in page.items if status_of(request).name == "succeeded"), None)
    if live is None:
        return None
    commit = live.commit_built or live.commit
    return LiveCommit(commit=commit, job_id=live.job_id, at=live.ended_at, request_id=live.request_id)


def refresh_seconds(page: Page[RequestSummary]) -> int:
    """How often a list looks for news: often while something on it is not over."""
    return SLOW_SECONDS if all(status_of(request).is_over for request in page.items) else FAST_SECONDS
