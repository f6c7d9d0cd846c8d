"""Makes the branch of an app that shows a pull request, or takes it away, as a request asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from amplify_jobs.errors import (
    AmplifyJobsError,
    BranchBusy,
    NotFoundError,
    RequestRejected,
    Superseded,
    UnknownResourceError,
)
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.identifiers import AppId, BranchName
from amplify_jobs.model.job import Job
from amplify_jobs.model.preview_order import PreviewAction, PreviewOrder
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.previewing.branch import AppBranch, BranchSettings, is_changed, wanted_settings
from amplify_jobs.previewing.record import (
    PreviewRecord,
    PullRequestEvent,
    built,
    closed,
    is_removed_by,
    newer_closing,
    removed,
    undone,
)
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.previews import Preview

# A write fails only if another one succeeded meanwhile.
_TURNS = 10


class Secrets(Protocol):
    """The values of secrets; aws.secrets.Secrets."""

    def values(self, names: tuple[str, ...]) -> Sequence[str]: ...


class Records(Protocol):
    """The records of previews; aws.jobs_table.previews.PreviewRecords. Raises ServiceTrouble."""

    def preview_record(self, app_id: str, branch_name: str) -> PreviewRecord | None: ...

    def write_preview_record(self, record: PreviewRecord, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if that version was written meanwhile."""

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None: ...

    def stop_of_request(self, request_id: str) -> str | None: ...


class Branches(Protocol):
    """The branches of apps; aws.preview_branches.PreviewBranches.

    Every method raises RequestRejected, Throttled, BranchBusy and ServiceTrouble.
    """

    def branch(self, app_id: str, branch_name: str) -> AppBranch | None: ...

    def create(self, app_id: str, branch_name: str, settings: BranchSettings, route: str) -> None:
        """Raises UnknownResourceError where there is no such app."""

    def update(self, app_id: str, branch_name: str, settings: BranchSettings) -> None:
        """Raises NotFoundError if the branch is gone."""

    def delete(self, app_id: str, branch_name: str) -> None:
        """Delete a branch, unless it is gone."""

    def unfinished_jobs(self, app_id: str, branch_name: str) -> Sequence[Job]: ...

    def stop_job(self, job: Job) -> None: ...


class Change(StrEnum):
    """What became of the branch; KEPT is one that is not to be removed, or not by this request."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    KEPT = "kept"


class _Place(GrowingModel):
    """The branch of an app, by the parameters of a request."""

    app_id: AppId
    branch_name: BranchName


@dataclass(frozen=True)
class Previewing:
    """Previews for requests; `now` is the clock."""

    routes: CurrentRoutes
    secrets: Secrets
    records: Records
    branches: Branches
    now: Callable[[], datetime]

    def run(self, request: JobRequest) -> Change:
        """Make the branch ready for the request's job, or take it away. Safe to call again after any failure.

        Raises RequestRejected, Superseded where the pull request was closed since or a person stopped the request,
        Throttled, BranchBusy and ServiceTrouble.
        """
        if request.fault is not None:
            raise RequestRejected(request.fault)
        if request.preview is None or request.route is None:
            raise RequestRejected("the request asks for no preview")
        with invalid_input_is(RequestRejected, root="parameters"):
            place = _Place.model_validate(request.parameters)
        event = _event(request, request.preview, request.route)
        if request.preview.action is PreviewAction.REMOVE:
            return self._remove(event, place)
        stop = self.records.stop_of_request(request.request_id)
        if stop is not None:
            raise Superseded(stop)
        return self._build(event, place, self._template(request.route))

    def _build(self, event: PullRequestEvent, place: _Place, preview: Preview) -> Change:
        login = self.secrets.values((preview.basic_auth,))[0] if preview.basic_auth is not None else None
        settings = wanted_settings(preview, login)
        was_there = self._own_branch(place) is not None
        closing = self._open(event, place)
        if closing is None:
            change = self._make(event, place, settings, was_there=was_there)
            closing = newer_closing(self._record(place), event)
            if closing is None:
                return change
        # A removal that looked before the branch was made has not seen it.
        self._undo(closing, event, place)
        if closing.closed_by is not None:
            self.records.mark_superseded(event.request_id, closing.closed_by, self.now())
        raise Superseded(f"Pull request {event.pull_request} was closed, or needs no preview any more.")

    def _make(self, event: PullRequestEvent, place: _Place, settings: BranchSettings, *, was_there: bool) -> Change:
        """Let the branch be there as the route says; until the record was open, a removal may have deleted it."""
        branch = self._own_branch(place) if was_there else None
        if branch is None and self._create(event, place, settings):
            return Change.CREATED
        branch = branch or self._own_branch(place)
        if branch is None:
            raise BranchBusy(f"{place.branch_name} of app {place.app_id} is being taken away.")
        if not is_changed(branch.settings, settings):
            return Change.UNCHANGED
        try:
            self.branches.update(place.app_id, place.branch_name, settings)
        except NotFoundError as error:
            raise BranchBusy(f"{place.branch_name} of app {place.app_id} was taken away: {error}") from error
        return Change.UPDATED

    def _undo(self, closing: PreviewRecord, event: PullRequestEvent, place: _Place) -> None:
        """Take away the branch of a closed preview that this or another late build has made."""
        if self._own_branch(place) is None:
            # An earlier try may have deleted it, and not have said so.
            self._end_removal(event, place)
            return
        now = self.now()
        if not self.records.write_preview_record(undone(closing, event, now), now):
            raise BranchBusy(f"Other requests keep changing the preview {place.branch_name}.")
        self._take_away(event, place)

    def _create(
        self, event: PullRequestEvent, place: _Place, settings: BranchSettings, *, is_last: bool = False
    ) -> bool:
        """Create the branch; False if it is there, as after a lost answer, or since another build has made it."""
        try:
            self.branches.create(place.app_id, place.branch_name, settings, event.route)
        except UnknownResourceError as error:
            raise error.rejection(event.route) from error
        except RequestRejected:
            if self._own_branch(place) is not None:
                return False
            if is_last:
                raise
            # The branch may have been there, and be gone by now.
            return self._create(event, place, settings, is_last=True)
        return True

    def _own_branch(self, place: _Place) -> AppBranch | None:
        branch = self.branches.branch(place.app_id, place.branch_name)
        if branch is not None and not branch.is_preview:
            raise RequestRejected(
                f"the branch {place.branch_name} of app {place.app_id} exists and is no preview of amplify-jobs; "
                "delete it in Amplify, or write another branchName into the route"
            )
        return branch

    def _open(self, event: PullRequestEvent, place: _Place) -> PreviewRecord | None:
        """Record that the preview is to be there; the record as it is if a newer event has closed it."""
        for _ in range(_TURNS):
            now = self.now()
            record = self._record(place)
            if (closing := newer_closing(record, event)) is not None:
                return closing
            if self.records.write_preview_record(built(record, event, place.app_id, place.branch_name, now), now):
                return None
        raise BranchBusy(f"Other requests keep changing the preview {place.branch_name}.")

    def _remove(self, event: PullRequestEvent, place: _Place) -> Change:
        branch = self.branches.branch(place.app_id, place.branch_name)
        if (branch is not None and not branch.is_preview) or not self._close(event, place):
            return Change.KEPT
        return Change.REMOVED if self._take_away(event, place) else Change.KEPT

    def _take_away(self, event: PullRequestEvent, place: _Place) -> bool:
        """Delete the branch, whose record says that this request does so; False if another request does it by now."""
        if self._own_branch(place) is not None:
            self._stop_jobs(place)
            if not is_removed_by(self._record(place), event.request_id):
                return False
            self.branches.delete(place.app_id, place.branch_name)
        self._end_removal(event, place)
        return True

    def _close(self, event: PullRequestEvent, place: _Place) -> bool:
        """Record that the preview is taken away; False if it is to stay."""
        for _ in range(_TURNS):
            now = self.now()
            record = closed(self._record(place), event, place.app_id, place.branch_name, now)
            if record is None:
                return False
            if self.records.write_preview_record(record, now):
                return True
        raise BranchBusy(f"Other requests keep changing the preview {place.branch_name}.")

    def _stop_jobs(self, place: _Place) -> None:
        """Stop the jobs of the branch. Raises BranchBusy until they have ended."""
        jobs = self.branches.unfinished_jobs(place.app_id, place.branch_name)
        for job in jobs:
            # Refused for a job that has ended, or that is being stopped.
            with suppress(RequestRejected):
                self.branches.stop_job(job)
        if jobs:
            raise BranchBusy(f"Job {jobs[0].job_id} of {place.branch_name} is being stopped.")

    def _end_removal(self, event: PullRequestEvent, place: _Place) -> None:
        """Record that the branch is gone, so that it may be made again."""
        for _ in range(_TURNS):
            record = self._record(place)
            if record is None or not is_removed_by(record, event.request_id):
                return
            if self.records.write_preview_record(removed(record), self.now()):
                return

    def _record(self, place: _Place) -> PreviewRecord | None:
        return self.records.preview_record(place.app_id, place.branch_name)

    def _template(self, route_name: str) -> Preview:
        """What the branch is made of, which is the route's as it is now."""
        # A route that is missing from a copy of some seconds ago would be a rejection.
        route = self.routes.current(fresh=True).routes.get(route_name)
        if route is None or route.preview is None:
            raise RequestRejected(f"the route {route_name} is no longer in routes.yaml, or has no preview any more")
        return route.preview


def not_removed(request: JobRequest, error: AmplifyJobsError) -> RequestRejected:
    """The error of a request that could not take its preview away, with what a person is to do."""
    return RequestRejected(
        f"The preview {request.branch_name} of app {request.app_id} is to be taken away; "
        f"delete this branch in Amplify, if it is still there. {error}"
    )


def _event(request: JobRequest, order: PreviewOrder, route: str) -> PullRequestEvent:
    return PullRequestEvent(
        request_id=request.request_id,
        route=route,
        source=order.source,
        repository=order.repository,
        pull_request=order.pull_request,
        source_branch=order.source_branch,
        is_fork=order.is_fork,
        has_mirror=request.mirror is not None,
        time=request.event_time or request.received_at,
    )
