"""The plan of a push: what it would write, and nothing where the stack holds it already. Decisions without calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amplify_jobs.errors import PushRefusedError
from amplify_jobs.routing.routes import Routes, Source
from amplify_jobs_cli.push.changes import Change, Kind
from amplify_jobs_cli.push.route_changes import StoredRoutes, route_changes
from amplify_jobs_cli.push.schedules import ScheduleChanges

# SSM takes so many bytes in a standard parameter (Systems Manager User Guide: Managing parameter tiers).
LONGEST_COPY = 4096


@dataclass(frozen=True)
class PushPlan:
    """What is written: the object of the routes (None: it stays), copies of sources in SSM, schedules."""

    content: bytes | None
    sources_written: Mapping[str, str]
    sources_removed: tuple[str, ...]
    schedules: ScheduleChanges
    changes: tuple[Change, ...]

    @property
    def removals(self) -> list[str]:
        """The routes, sources and targets that the stack will have no more, as a person reads them."""
        return [
            f"{change.what} {change.name}"
            for change in self.changes
            if change.kind is Kind.REMOVED and change.what in ("route", "source", "target")
        ]


def plan_push(
    stored: StoredRoutes, stored_sources: Mapping[str, str], schedules: ScheduleChanges, routes: Routes
) -> PushPlan:
    """Compare what the stack holds with new routes. Raises PushRefusedError."""
    copies = {name: _copy(name, source) for name, source in routes.sources.items()}
    written = {name: content for name, content in copies.items() if stored_sources.get(name) != content}
    removed = tuple(sorted(stored_sources.keys() - copies.keys()))
    changes = route_changes(stored, routes)
    sources = {change.name for change in changes if change.what == "source"}
    # A copy changes with its source. Only a copy that somebody else changed is a change of its own.
    changes += [Change(Kind.CHANGED, "source copy", name, "in SSM") for name in written if name not in sources]
    changes += [
        Change(Kind.REMOVED, "source", name, "of which SSM has a copy") for name in removed if name not in sources
    ]
    return PushPlan(
        content=None if stored.routes == routes else routes.model_dump_json(by_alias=True, exclude_none=True).encode(),
        sources_written=written,
        sources_removed=removed,
        schedules=schedules,
        changes=(*changes, *schedules.changes()),
    )


def _copy(name: str, source: Source) -> str:
    """The copy of a source in SSM: what verifies a delivery; its limits count when the routes can be read.

    Raises PushRefusedError where the copy is longer than SSM takes.
    """
    copy = source.model_dump_json(by_alias=True, exclude={"allow"})
    size = len(copy.encode())
    if size > LONGEST_COPY:
        raise PushRefusedError(
            f"sources.{name}: its copy in SSM would have {size} bytes, and a parameter has at most {LONGEST_COPY}; "
            "nothing was written. Use fewer secrets, or shorter names for them"
        )
    return copy
