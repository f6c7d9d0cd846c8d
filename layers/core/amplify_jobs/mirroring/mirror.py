"""Mirrors what a request asks for: in the order of events, once, and only the branch that its route names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from amplify_jobs.errors import NotSetUpError, RequestRejected, Superseded
from amplify_jobs.mirroring.advertisement import NO_OBJECT
from amplify_jobs.mirroring.claims import BranchClaims, BranchPlace, BranchRecords, Executions
from amplify_jobs.mirroring.queue import Entry
from amplify_jobs.mirroring.relay import Arrival, Order, Relay, Remote
from amplify_jobs.mirroring.removal import Removal, remove_branch
from amplify_jobs.model.mirror_order import MirrorOrder
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.mirrors import Git, Mirror
from amplify_jobs.routing.routes import Routes


class Remotes(Protocol):
    """Repositories by the routes' own addresses and credentials; aws.git_remotes.GitRemotes."""

    def source(self, git: Git, repository: str) -> Remote: ...

    def target(self, mirror: Mirror) -> Remote: ...


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

    def run(self, request: JobRequest, execution: str, remotes: Remotes) -> Arrival | Removal:
        """Let the branch stand at the request's commit, or delete it. Safe to call again after any failure.

        Raises RequestRejected, Superseded where a newer event has set the branch or a person stopped the request,
        BranchBusy and ServiceTrouble.
        """
        if request.fault is not None:
            raise RequestRejected(request.fault)
        if request.mirror is None:
            raise RequestRejected("the request asks for no mirror")
        stop = self._resources.records.stop_of_request(request.request_id)
        if stop is not None:
            raise Superseded(stop)
        order = request.mirror
        if order.remove and request.preview is None:
            raise RequestRejected("the request deletes a branch of a mirror, and is of no preview")
        # A route that is missing from a copy of some seconds ago would be a rejection.
        routes = self._resources.routes.current(fresh=True)
        mirror = _mirror(routes, request.route, order)
        git = None if order.remove else _git(routes, order)
        claims = self._claims(request, order, mirror, execution)
        claims.wait_for_turn()
        if git is None:
            return remove_branch(remotes.target(mirror), order.branch, claims)
        relay = Relay(
            remotes.source(git, order.repository),
            remotes.target(mirror),
            open_file=self._resources.open_file,
            limit=self._resources.limit,
            claims=claims,
        )
        return relay.run(Order(order.ref, order.commit, order.branch, order.may_go_back))

    def _claims(self, request: JobRequest, order: MirrorOrder, mirror: Mirror, execution: str) -> BranchClaims:
        entry = Entry(
            request_id=request.request_id,
            execution=execution,
            event_time=request.event_time or request.received_at,
            received_at=request.received_at,
            commit=NO_OBJECT if order.remove else order.commit,
            # A deletion waits until older relays have ended: one of them may be about to set the branch.
            supersedes=request.supersede and not order.remove,
            before=order.before,
            pull_request=None if request.preview is None else request.preview.pull_request,
        )
        return BranchClaims(
            self._resources.records,
            self._resources.executions,
            BranchPlace(mirror.to, order.branch, order.ref),
            entry,
            self._resources.now,
        )


def _mirror(routes: Routes, route_name: str | None, order: MirrorOrder) -> Mirror:
    """The address and credentials of the mirror, which are the route's as it is now."""
    route = routes.routes.get(route_name or "")
    if route is None or route.mirror is None:
        remedy = f"; delete {order.branch} of its mirror by hand" if order.remove else ""
        raise RequestRejected(f"the route {route_name} is no longer in routes.yaml, or has no mirror any more{remedy}")
    return route.mirror


def _git(routes: Routes, order: MirrorOrder) -> Git:
    source = routes.sources.get(order.source)
    if source is None or source.git is None:
        raise NotSetUpError(f"the source {order.source} of routes.yaml has no git, from which the code is fetched")
    return source.git
