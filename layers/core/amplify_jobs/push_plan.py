"""The plan of a push: what it would write, and nothing where the stack holds it already. Decisions without calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amplify_jobs.changes import Change, Kind
from amplify_jobs.route_changes import Pushed, route_changes
from amplify_jobs.routes import Routes
from amplify_jobs.schedules import ScheduleChanges


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
        """The routes and sources that the stack will have no more, as a person reads them."""
        return [
            f"{change.what} {change.name}"
            for change in self.changes
            if change.kind is Kind.REMOVED and change.what in ("route", "source")
        ]


def plan_push(
    pushed: Pushed, stored_sources: Mapping[str, str], schedules: ScheduleChanges, wanted: Routes
) -> PushPlan:
    """Compare what the stack holds with the routes that are wanted."""
    copies = {name: source.model_dump_json(by_alias=True) for name, source in wanted.sources.items()}
    written = {name: content for name, content in copies.items() if stored_sources.get(name) != content}
    removed = tuple(sorted(stored_sources.keys() - copies.keys()))
    changes = route_changes(pushed, wanted)
    told = {change.name for change in changes if change.what == "source"}
    # A copy goes with its source; what is told beside it are copies that somebody else changed.
    copied = [Change(Kind.CHANGED, "source copy", name, "in SSM") for name in written if name not in told]
    dropped = [Change(Kind.REMOVED, "source", name, "of which SSM has a copy") for name in removed if name not in told]
    return PushPlan(
        content=None if pushed.routes == wanted else wanted.model_dump_json(by_alias=True, exclude_none=True).encode(),
        sources_written=written,
        sources_removed=removed,
        schedules=schedules,
        changes=(*changes, *copied, *dropped, *schedules.changes()),
    )
