"""Decides which previews are left over: of each that is recorded, what is known of its pull request now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from amplify_jobs.events.event import ROUTE_PART_OF_REQUEST_ID, digest
from amplify_jobs.model.mirror_order import MirrorOrder
from amplify_jobs.model.operations import REMOVE_PREVIEW
from amplify_jobs.model.preview_order import PreviewAction, PreviewOrder
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.previewing.record import PreviewRecord
from amplify_jobs.routing.routes import Routes

SWEEP = "sweep"
"""The kind of the cause of a request that no event made: nothing told that the pull request was closed."""
# A removal is tried for six hours (startWithinMinutes), and then announced as rejected.
REMOVAL_LASTS = timedelta(hours=12)


@dataclass(frozen=True)
class Repository:
    """A repository of a source."""

    source: str
    name: str


# Of each repository that could be asked, the names of its branches.
Branches = dict[Repository, frozenset[str]]


@dataclass(frozen=True)
class Leftover:
    """A preview to take away, and why."""

    record: PreviewRecord
    reason: str


def repository_of(record: PreviewRecord) -> Repository:
    """The repository of the preview's pull request."""
    return Repository(record.source, record.repository)


def repositories_to_ask(records: Iterable[PreviewRecord]) -> list[Repository]:
    """The repositories whose branches tell of a preview: those of pull requests that are of the repository itself."""
    return list(dict.fromkeys(repository_of(record) for record in records if _has_branch_at_source(record)))


def leftovers(records: Iterable[PreviewRecord], routes: Routes, branches: Branches, now: datetime) -> list[Leftover]:
    """The previews that nobody needs."""
    reasons = ((record, _reason(record, routes, branches, now)) for record in records)
    return [Leftover(record, reason) for record, reason in reasons if reason is not None]


def _reason(record: PreviewRecord, routes: Routes, branches: Branches, now: datetime) -> str | None:
    if not record.is_open:
        active_at = record.removal.active_at if record.removal is not None else None
        is_unfinished = active_at is not None and now - active_at >= REMOVAL_LASTS
        return f"its removal of {active_at:%Y-%m-%d %H:%M} UTC did not end" if is_unfinished else None
    route = routes.routes.get(record.route)
    if route is None or route.preview is None:
        return f"the route {record.route} is no longer in routes.yaml, or has no preview any more"
    names = branches.get(repository_of(record))
    # A host that tells of no branch at all may be ill, or hides them.
    if _has_branch_at_source(record) and names and record.source_branch not in names:
        return f"{record.repository} has no branch {record.source_branch} any more"
    days = route.preview.keep_days
    if now - record.event_time >= timedelta(days=days):
        return f"no event of pull request {record.pull_request} came for {days} days (keepDays)"
    return None


def _has_branch_at_source(record: PreviewRecord) -> bool:
    return record.is_open and not record.is_fork and record.source_branch is not None


def removal_request(leftover: Leftover, now: datetime) -> JobRequest:
    """The request that takes a preview away; the same id for the same state of its record.

    It is as old as the newest event of the record, so that any event that comes meanwhile is newer.
    """
    record = leftover.record
    time = record.closed_at or record.event_time
    earlier = record.removal.request_id if record.removal is not None else None
    identity = digest([SWEEP, record.app_id, record.branch_name, time.isoformat(), earlier])
    return JobRequest(
        request_id=f"{record.route[:ROUTE_PART_OF_REQUEST_ID]}-{identity[:32]}",
        route=record.route,
        operation=REMOVE_PREVIEW,
        parameters={"appId": record.app_id, "branchName": record.branch_name},
        event_time=min(time, now),
        mirror=_mirror_order(record) if record.has_mirror else None,
        preview=PreviewOrder(
            action=PreviewAction.REMOVE,
            source=record.source,
            repository=record.repository,
            pull_request=record.pull_request,
            source_branch=record.source_branch,
            is_fork=record.is_fork,
        ),
        cause=Cause(
            source=record.source,
            kind=SWEEP,
            repository=record.repository,
            branch=record.source_branch,
            pull_request=record.pull_request,
            reason=leftover.reason,
        ),
        received_at=now,
    )


def _mirror_order(record: PreviewRecord) -> MirrorOrder:
    return MirrorOrder(
        source=record.source, repository=record.repository, ref="", branch=record.branch_name, remove=True
    )
