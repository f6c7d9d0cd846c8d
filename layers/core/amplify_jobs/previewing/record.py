"""What is known of a preview, and what an event may do to it: the newest event of a pull request decides.

Deliveries overtake each other. So a build that is older than the closing of its pull request makes nothing, and a
closing that is older than the newest build takes nothing away. Of two events of one time, the closing counts as the
newer one, unless another route makes the preview: a pull request that got another target leaves one route and enters
another by the same event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amplify_jobs.errors import BranchBusy, RequestRejected

# A removal that did nothing for so long has ended without a word. A retry comes within five minutes.
REMOVAL_ENDED_AFTER = timedelta(minutes=15)


@dataclass(frozen=True)
class PullRequestEvent:
    """An event of a pull request, as the request that a route made of it tells."""

    request_id: str
    route: str
    source: str
    repository: str
    pull_request: int
    source_branch: str | None
    is_fork: bool
    has_mirror: bool
    time: datetime


@dataclass(frozen=True)
class Removal:
    """The request that takes a preview away, and when it was last at work; None once it has ended."""

    request_id: str
    active_at: datetime | None


@dataclass(frozen=True)
class PreviewRecord:
    """A preview: where it is, whose it is, and the time of the newest event.

    `closed_at` is the time of the event that closed it, and `closed_by` its request. `version` counts the writes.
    """

    app_id: str
    branch_name: str
    route: str
    source: str
    repository: str
    pull_request: int
    source_branch: str | None
    is_fork: bool
    has_mirror: bool
    event_time: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    removal: Removal | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether the preview is to be there."""
        return self.closed_at is None

    def is_of_repository(self, event: PullRequestEvent) -> bool:
        """Whether it shows a pull request of the event's repository."""
        return (self.source, self.repository.casefold()) == (event.source, event.repository.casefold())

    def is_of(self, event: PullRequestEvent) -> bool:
        """Whether it shows the event's pull request."""
        return self.is_of_repository(event) and self.pull_request == event.pull_request


def newer_closing(record: PreviewRecord | None, event: PullRequestEvent) -> PreviewRecord | None:
    """The record, if it says that the pull request was closed after the event."""
    if record is None or record.closed_at is None or not record.is_of(event):
        return None
    is_newer = record.closed_at > event.time or (record.closed_at == event.time and record.route == event.route)
    return record if is_newer else None


def built(
    record: PreviewRecord | None, event: PullRequestEvent, app_id: str, branch_name: str, now: datetime
) -> PreviewRecord:
    """The record of a preview that an event asks for, which is not older than a closing.

    Raises RequestRejected if another repository's pull request has the branch, and BranchBusy while it is taken away.
    """
    if record is not None and record.is_open and not record.is_of_repository(event):
        raise RequestRejected(
            f"the branch {branch_name} of app {app_id} is the preview of pull request {record.pull_request} of "
            f"{record.repository}; put {{repository}} into branchName of the route {event.route}, so that each "
            "repository has branches of its own"
        )
    if record is not None and _is_being_removed(record, now):
        raise BranchBusy(f"{branch_name} of app {app_id} is being taken away, and made again after that.")
    times = [event.time] if record is None or not record.is_of(event) else [event.time, record.event_time]
    return PreviewRecord(
        app_id=app_id,
        branch_name=branch_name,
        route=event.route,
        source=event.source,
        repository=event.repository,
        pull_request=event.pull_request,
        source_branch=event.source_branch,
        is_fork=event.is_fork,
        has_mirror=event.has_mirror,
        event_time=max(times),
        version=1 if record is None else record.version + 1,
    )


def undone(record: PreviewRecord, event: PullRequestEvent, now: datetime) -> PreviewRecord:
    """The record of a closed preview whose branch a late build has made, and takes away again.

    Raises BranchBusy while another request takes it away.
    """
    if _is_being_removed(record, now) and not is_removed_by(record, event.request_id):
        raise BranchBusy(f"{record.branch_name} of app {record.app_id} is being taken away.")
    return replace(record, removal=Removal(event.request_id, now), version=record.version + 1)


def closed(
    record: PreviewRecord | None, event: PullRequestEvent, app_id: str, branch_name: str, now: datetime
) -> PreviewRecord | None:
    """The record of a preview that an event takes away; None if that would take a newer one or another one's."""
    removal = Removal(event.request_id, now)
    if record is None:
        # An older build may be on its way.
        new = built(None, event, app_id, branch_name, now)
        return replace(new, closed_at=event.time, closed_by=event.request_id, removal=removal)
    if not record.is_of(event):
        return None
    if record.is_open and (
        record.event_time > event.time or (record.event_time == event.time and record.route != event.route)
    ):
        return None
    is_newest = record.closed_at is None or event.time >= record.closed_at
    return replace(
        record,
        event_time=max(record.event_time, event.time),
        closed_at=event.time if is_newest else record.closed_at,
        closed_by=event.request_id if is_newest else record.closed_by,
        removal=removal,
        version=record.version + 1,
    )


def is_removed_by(record: PreviewRecord | None, request_id: str) -> bool:
    """Whether a request still has to take the preview away."""
    return record is not None and record.removal is not None and record.removal.request_id == request_id


def removed(record: PreviewRecord) -> PreviewRecord:
    """The record of a preview that was taken away."""
    removal = record.removal and replace(record.removal, active_at=None)
    return replace(record, removal=removal, version=record.version + 1)


def _is_being_removed(record: PreviewRecord, now: datetime) -> bool:
    active_at = record.removal.active_at if record.removal is not None and not record.is_open else None
    return active_at is not None and now - active_at < REMOVAL_ENDED_AFTER
