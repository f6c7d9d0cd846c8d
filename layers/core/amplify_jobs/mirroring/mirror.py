"""Mirrors what a request asks for: in the order of events, once, and only to the branch that its route names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from amplify_jobs.errors import BranchBusy, NotSetUpError, RequestRejected, Superseded
from amplify_jobs.mirroring.queue import BranchRecord, Entry
from amplify_jobs.mirroring.relay import Arrival, Order, Relay, Remote, Trace
from amplify_jobs.model.mirror_order import MirrorOrder
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.mirrors import Git, Mirror
from amplify_jobs.routing.routes import Routes

# A write fails only if another one succeeded meanwhile.
_TURNS = 10


class BranchRecords(Protocol):
    """The records of mirrored branches; aws.jobs_table.mirrored.MirroredBranches. Raises ServiceTrouble."""

    def branch_record(self, repository: str, branch: str) -> BranchRecord: ...

    def write_branch_record(self, repository: str, branch: str, record: BranchRecord, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if that version was written meanwhile."""

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None: ...


class Executions(Protocol):
    """The executions of requests; aws.running_executions.RunningExecutions. Raises ServiceTrouble."""

    def is_running(self, execution: str) -> bool: ...


class Remotes(Protocol):
    """Repositories by the routes' own addresses and credentials; aws.git_remotes.GitRemotes."""

    def source(self, git: Git, repository: str) -> Remote: ...

    def target(self, mirror: Mirror) -> Remote: ...


class CurrentRoutes(Protocol):
    """The routes that were pushed; aws.stored_routes.StoredRoutes."""

    def current(self, *, fresh: bool = False) -> Routes: ...


@dataclass(frozen=True)
class Resources:
    """What mirroring needs. `open_file` makes an empty file, of which `limit` bytes may be used."""

    routes: CurrentRoutes
    records: BranchRecords
    executions: Executions
    open_file: Callable[[], AbstractContextManager[BinaryIO]]
    limit: int
    now: Callable[[], datetime]


class Mirroring:
    """Mirrors for requests."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def run(self, request: JobRequest, execution: str, remotes: Remotes) -> Arrival:
        """Let the branch stand at the request's commit. Safe to call again after any failure.

        Raises RequestRejected, Superseded where a newer event has set the branch, BranchBusy and ServiceTrouble.
        """
        if request.fault is not None:
            raise RequestRejected(request.fault)
        if request.mirror is None:
            raise RequestRejected("the request asks for no mirror")
        order = request.mirror
        git, mirror = self._places(request.route, order)
        entry = Entry(
            request_id=request.request_id,
            execution=execution,
            event_time=request.event_time or request.received_at,
            received_at=request.received_at,
            commit=order.commit,
            supersedes=request.supersede,
        )
        claims = _BranchClaims(self._resources, mirror.to, order, entry)
        claims.wait_for_turn()
        relay = Relay(
            remotes.source(git, order.repository),
            remotes.target(mirror),
            open_file=self._resources.open_file,
            limit=self._resources.limit,
            claims=claims,
        )
        return relay.run(Order(order.ref, order.commit, order.branch))

    def _places(self, route_name: str | None, order: MirrorOrder) -> tuple[Git, Mirror]:
        """The addresses and credentials, which are the routes' as they are now."""
        # A route that is missing from a copy of some seconds ago would be a rejection.
        routes = self._resources.routes.current(fresh=True)
        route = routes.routes.get(route_name or "")
        if route is None or route.mirror is None:
            raise RequestRejected(f"the route {route_name} is no longer in routes.yaml, or has no mirror any more")
        source = routes.sources.get(order.source)
        if source is None or source.git is None:
            raise NotSetUpError(f"the source {order.source} of routes.yaml has no git, from which the code is fetched")
        return source.git, route.mirror


class _BranchClaims:
    """The record of the branch, as one request changes it."""

    def __init__(self, resources: Resources, repository: str, order: MirrorOrder, entry: Entry) -> None:
        self._resources = resources
        self._repository = repository
        self._order = order
        self._entry = entry

    def wait_for_turn(self) -> None:
        """Enter the queue. Raises BranchBusy while older requests go first, and Superseded if a newer one has gone."""
        record = self._change(lambda record: record.with_entry(self._entry))
        blockers = record.blockers(self._entry)
        ended = [other for other in blockers if not self._resources.executions.is_running(other.execution)]
        if ended:
            self._change(lambda record: record.without(ended))
        if len(ended) < len(blockers):
            other = next(other for other in blockers if other not in ended)
            raise BranchBusy(f"{self._order.branch} stands at {other.commit} until the job of {other.request_id} ends.")

    def trace(self) -> Trace:
        return self._current().trace

    def claim(self, commit: str) -> None:
        self._change(lambda record: record.claimed(self._entry, commit, self._order.ref))

    def _current(self) -> BranchRecord:
        record = self._resources.records.branch_record(self._repository, self._order.branch)
        newer = record.newer_than(self._entry)
        if newer is not None:
            now = self._resources.now()
            self._resources.records.mark_superseded(self._entry.request_id, newer.request_id, now)
            raise Superseded(f"The newer request {newer.request_id} has set {self._order.branch} of the mirror.")
        return record

    def _change(self, change: Callable[[BranchRecord], BranchRecord]) -> BranchRecord:
        for _ in range(_TURNS):
            record = self._current()
            changed = change(record)
            if changed == record:
                return record
            now = self._resources.now()
            if self._resources.records.write_branch_record(self._repository, self._order.branch, changed, now):
                return changed
        raise BranchBusy("Other requests keep setting this branch of the mirror.")
