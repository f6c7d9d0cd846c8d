"""The first page: what runs and waits, apps and branches, schedules, the last jobs and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amplify_jobs_console.answers import (
    BranchSummary,
    DeliverySummary,
    LiveCommit,
    Page,
    RequestSummary,
    Schedule,
)
from amplify_jobs_console.pages.actions import build_branch
from amplify_jobs_console.pages.content import FAST_SECONDS, SLOW_SECONDS, Action, Content
from amplify_jobs_console.reader import Problem, Reader

_RECENT = "12"
_DELIVERIES = "6"
_SCHEDULES = 6
_AT_ONCE = "50"


@dataclass(frozen=True)
class BranchCard:
    """A branch, with the button that builds it."""

    app_id: str
    branch_name: str
    live: LiveCommit | None
    last: RequestSummary | None
    running: RequestSummary | None
    action: Action | None


@dataclass(frozen=True)
class AppCard:
    """An app with its branches."""

    id: str
    name: str
    branches: Sequence[BranchCard]


def show_overview(reader: Reader) -> Content:
    """Read and lay out the first page. Raises ApiError if not even the running jobs can be read."""
    branches = reader.later(lambda: reader.page(BranchSummary, "/branches"))
    waiting = reader.later(lambda: _requests(reader, "waiting", _AT_ONCE))
    recent = reader.later(lambda: _requests(reader, "finished", _RECENT))
    schedules = reader.later(lambda: reader.page(Schedule, "/schedules"))
    deliveries = reader.later(lambda: reader.page(DeliverySummary, "/deliveries", {"limit": _DELIVERIES}))
    running = _requests(reader, "running", _AT_ONCE)
    queue = waiting()
    queued: Page[RequestSummary] = Page() if isinstance(queue, Problem) else queue
    branch_page, schedule_page = branches(), schedules()
    return Content(
        "overview.html.j2",
        {
            "running": running,
            "waiting": queued,
            "branches": branch_page,
            "apps": () if isinstance(branch_page, Problem) else group_by_app(branch_page.items),
            "recent": recent(),
            "schedules": schedule_page,
            "upcoming": () if isinstance(schedule_page, Problem) else upcoming(schedule_page.items),
            "deliveries": deliveries(),
        },
        refresh_seconds=FAST_SECONDS if running.items or queued.items else SLOW_SECONDS,
    )


def _requests(reader: Reader, state: str, limit: str) -> Page[RequestSummary]:
    return reader.page(RequestSummary, "/requests", {"state": state, "limit": limit})


def group_by_app(branches: Sequence[BranchSummary]) -> Sequence[AppCard]:
    """Put the branches of each app together, both by name."""
    names = {branch.app_id: branch.app_name or branch.app_id for branch in branches}
    return [
        AppCard(
            app_id,
            name,
            [
                BranchCard(
                    app_id,
                    branch.branch_name,
                    branch.live,
                    branch.last,
                    branch.running,
                    build_branch(branch.last, f"{name} {branch.branch_name}"),
                )
                for branch in sorted(branches, key=lambda branch: branch.branch_name)
                if branch.app_id == app_id
            ],
        )
        for app_id, name in sorted(names.items(), key=lambda item: (item[1].lower(), item[0]))
    ]


def upcoming(schedules: Sequence[Schedule]) -> Sequence[Schedule]:
    """The schedules that will fire, the soonest first."""
    return sorted(
        (schedule for schedule in schedules if schedule.next), key=lambda schedule: (schedule.next[0], schedule.name)
    )[:_SCHEDULES]
