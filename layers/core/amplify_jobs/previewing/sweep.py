"""Looks for previews that are left over, and has each taken away by an execution of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from amplify_jobs.errors import NotSetUpError, RequestRejected, ServiceTrouble
from amplify_jobs.events.refs import BRANCHES
from amplify_jobs.model.request import JobRequest
from amplify_jobs.previewing.leftover import (
    Branches,
    Leftover,
    Repository,
    leftovers,
    removal_request,
    repositories_to_ask,
)
from amplify_jobs.previewing.record import PreviewRecord
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.mirrors import Git


class Records(Protocol):
    """The records of previews; aws.jobs_table.previews.PreviewRecords. Raises ServiceTrouble."""

    def preview_records(self) -> list[PreviewRecord]: ...


class Executions(Protocol):
    """The executions of requests; aws.executions.Executions. Raises ServiceTrouble."""

    def start(self, request: JobRequest) -> bool: ...


class Remote(Protocol):
    """A repository at its host; aws.git_http.GitRemote. Raises ServiceTrouble and RequestRejected."""

    def tips(self, prefixes: Sequence[str]) -> Mapping[str, object]: ...


class Remotes(Protocol):
    """Repositories by the routes' own addresses and credentials; aws.git_remotes.GitRemotes."""

    def source(self, git: Git, repository: str) -> Remote: ...


@dataclass(frozen=True)
class Sweep:
    """What a look at all previews did. `unreached` has why a repository could not be asked.

    `duplicates` are leftovers whose removal had been asked for before, in the same state of their record.
    """

    previews: int = 0
    removals: tuple[Leftover, ...] = ()
    duplicates: int = 0
    unreached: Mapping[Repository, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sweeping:
    """Sweeps; `remotes` gives the access to the host of the next repository, and `now` is the clock."""

    routes: CurrentRoutes
    records: Records
    executions: Executions
    remotes: Callable[[], Remotes]
    now: Callable[[], datetime]

    def run(self) -> Sweep:
        """Ask for the removal of all that is left over. Safe to call again after any failure. Raises ServiceTrouble."""
        # Of a copy of some seconds ago, a route that is new would count as gone.
        try:
            routes = self.routes.current(fresh=True)
        except NotSetUpError:
            return Sweep()
        records = self.records.preview_records()
        branches: Branches = {}
        unreached: dict[Repository, str] = {}
        for repository in repositories_to_ask(records):
            source = routes.sources.get(repository.source)
            if source is None or source.git is None:
                continue
            try:
                branches[repository] = self._branches(source.git, repository.name)
            except (ServiceTrouble, RequestRejected) as error:
                unreached[repository] = str(error)
        now = self.now()
        started = [
            (leftover, self.executions.start(removal_request(leftover, now)))
            for leftover in leftovers(records, routes, branches, now)
        ]
        return Sweep(
            previews=sum(record.is_open for record in records),
            removals=tuple(leftover for leftover, is_new in started if is_new),
            duplicates=sum(not is_new for _, is_new in started),
            unreached=unreached,
        )

    def _branches(self, git: Git, repository: str) -> frozenset[str]:
        tips = self.remotes().source(git, repository).tips((BRANCHES,))
        return frozenset(ref.removeprefix(BRANCHES) for ref in tips)
