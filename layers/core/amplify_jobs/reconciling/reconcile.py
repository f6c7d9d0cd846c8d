"""Looks at the hosts of repositories, and lets what was missed pass through the intake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from amplify_jobs.errors import AmplifyJobsError, RequestRejected, ServiceTrouble
from amplify_jobs.events.event import Event
from amplify_jobs.intake.claims import RefName, RefRecords
from amplify_jobs.mirroring.listing import Tip
from amplify_jobs.reconciling import commits
from amplify_jobs.reconciling.commits import Reading, read_commits
from amplify_jobs.reconciling.decision import (
    Decision,
    Missed,
    as_redelivered,
    decide,
    first_missed,
    must_be_written,
    observe,
    refs_to_match,
    refs_to_read,
    unreached,
    without,
)
from amplify_jobs.reconciling.events import event_of, may_be_wanted, queued, reason_against
from amplify_jobs.reconciling.snapshot import Snapshot
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.mirrors import Git
from amplify_jobs.routing.reconciled import ReconciledRepository


class Remote(commits.Remote, Protocol):
    """A repository at its host; aws.git_http.GitRemote."""

    def tips(self, prefixes: Sequence[str]) -> dict[str, Tip]: ...


class Remotes(Protocol):
    """Repositories by the routes' own addresses and credentials; aws.git_remotes.GitRemotes."""

    def source(self, git: Git | None, repository: str) -> Remote:
        """A repository of a source, or without `git` one of CodeCommit."""


class Snapshots(Protocol):
    """The snapshots of repositories; aws.snapshots.StoredSnapshots. Raises ServiceTrouble."""

    def snapshot(self, source: str, repository: str) -> Snapshot | None: ...

    def write_snapshot(self, source: str, repository: str, snapshot: Snapshot) -> None: ...


class Redeliveries(Protocol):
    """Hosts that can be asked to deliver again; aws.github_deliveries.GitHubDeliveries."""

    def ask_again(self, repository: ReconciledRepository, since: datetime) -> int: ...


class Queue(Protocol):
    """The intake queue; aws.intake_queue.IntakeQueue."""

    def put(self, message: str, group: Sequence[str | None], identity: str) -> None: ...


@dataclass(frozen=True)
class Resources:
    """What reconciling needs."""

    routes: CurrentRoutes
    snapshots: Snapshots
    records: RefRecords
    queue: Queue
    redeliveries: Redeliveries
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Options:
    """How to look: with `dry_run` nothing is written or asked for; a delivery may take as long as `grace`."""

    dry_run: bool = False
    grace: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class MissedPush:
    """A push that is asked for. `note` says why no job comes of it, or what is not known of it."""

    ref: str
    commit: str
    note: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a look found. `reason` is why the host could not be asked, and `outage` for how long.

    `redelivered` is how many failed deliveries the host was asked for again. `unread` is why commits could not be read.
    """

    repository: ReconciledRepository
    refs: int = 0
    waiting: int = 0
    missed: tuple[MissedPush, ...] = ()
    redelivered: int = 0
    unread: str | None = None
    is_first: bool = False
    reason: str | None = None
    outage: timedelta = timedelta()


class Reconciling:
    """Looks at repositories, one at a time."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def run(self, repository: ReconciledRepository, remotes: Remotes, options: Options) -> Outcome:
        """Ask a host for the refs of a repository, and put what was missed into the intake queue.

        A host that does not answer is an outcome. Raises ServiceTrouble if a service of AWS fails.
        """
        resources = self._resources
        name = repository.source, repository.repository
        before = resources.snapshots.snapshot(*name)
        now = resources.now()
        try:
            remote = remotes.source(repository.git, repository.repository)
            tips = remote.tips(repository.prefixes)
        except (ServiceTrouble, RequestRejected) as error:
            return self._failed(repository, before, error, options)
        decision = self._decide(repository, observe(before, tips, repository.prefixes, now), options)
        redelivered = 0
        if not options.dry_run:
            redelivered = self._ask_the_host(repository, decision)
            decision = as_redelivered(decision) if redelivered else decision
        reading = read_commits(remote, decision.missed)
        missed = [
            (each, event_of(repository, each.ref, each.sighting, reading.commit_of(each)))
            for each in decision.missed
            if reading.is_ready(each, now)
        ]
        if not options.dry_run:
            self._ask(repository.source, (event for _, event in missed if event is not None), now)
            if must_be_written(before, decision.snapshot):
                resources.snapshots.write_snapshot(*name, decision.snapshot)
        return Outcome(
            repository,
            refs=len(tips),
            waiting=len(decision.snapshot.waiting) - len(missed),
            missed=tuple(self._missed_push(repository.source, each, event, reading) for each, event in missed),
            redelivered=redelivered,
            unread=reading.reason,
            is_first=before is None or before.reached_at is None,
        )

    def _decide(self, repository: ReconciledRepository, snapshot: Snapshot, options: Options) -> Decision:
        routes, source = self._resources.routes.current(), repository.source
        unwanted = [
            ref
            for ref in refs_to_match(snapshot)
            if not may_be_wanted(event_of(repository, ref, snapshot.waiting[ref]), routes, source)
        ]
        snapshot = without(snapshot, unwanted)
        names = {ref: RefName(source, repository.repository.casefold(), ref) for ref in refs_to_read(snapshot)}
        records = {ref: self._resources.records.ref_record(name) for ref, name in names.items()}
        return decide(snapshot, records, options.grace)

    def _ask_the_host(self, repository: ReconciledRepository, decision: Decision) -> int:
        """Let the host deliver again what failed: a delivery tells more than git, as files and author."""
        missed = first_missed(decision)
        if not missed:
            return 0
        since = min(each.sighting.asked_since for each in missed)
        return self._resources.redeliveries.ask_again(repository, since)

    def _ask(self, source: str, events: Iterable[Event], now: datetime) -> None:
        for event in events:
            message = queued(event, source, now)
            self._resources.queue.put(message.model_dump_json(by_alias=True), message.group, event.digest)

    def _missed_push(self, source: str, missed: Missed, event: Event | None, reading: Reading) -> MissedPush:
        sighting, routes = missed.sighting, self._resources.routes.current()
        reason = None if event is None else reason_against(event, routes, source)
        notes = [] if reason is None else [f"no job: {reason}"]
        if sighting.commit not in reading.commits:
            notes.append(f"author and message are unknown: {reading.reason}")
        return MissedPush(missed.ref, sighting.commit, "; ".join(notes) or None)

    def _failed(
        self, repository: ReconciledRepository, before: Snapshot | None, error: AmplifyJobsError, options: Options
    ) -> Outcome:
        now = self._resources.now()
        snapshot = unreached(before, now)
        if not options.dry_run and must_be_written(before, snapshot):
            self._resources.snapshots.write_snapshot(repository.source, repository.repository, snapshot)
        since = snapshot.failing_since or now
        return Outcome(repository, reason=str(error), outage=now - since)
