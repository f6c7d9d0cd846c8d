"""Functions that compete for one branch of a mirror, in every order in which their calls can happen.

A function is run again from its beginning for each of its calls, with the answers that it had before, so that a state
of everything is a value: all states are met, and each once.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from amplify_jobs.errors import BranchBusy, Superseded
from amplify_jobs.mirroring.advertisement import NO_OBJECT, Advertisement, GitService
from amplify_jobs.mirroring.claims import BranchClaims, BranchPlace
from amplify_jobs.mirroring.pkt_line import FLUSH, Readable, pkt_line
from amplify_jobs.mirroring.pushing import DELETE_REFS
from amplify_jobs.mirroring.queue import PREDECESSOR_WAIT, BranchRecord, Entry
from amplify_jobs.mirroring.removal import remove_branch

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
BEGIN = "commit 0"
PLACE = BranchPlace("codecommit::web", "main", "refs/heads/main")


@dataclass(frozen=True)
class Progress:
    """How far an execution is: the answers of its function's calls so far, and how often it may still be killed."""

    answers: tuple[Any, ...] = ()
    kills: int = 0
    is_mirrored: bool = False
    outcome: str | None = None


@dataclass(frozen=True)
class World:
    """The state of everything. `commit` is where the branch stands; `is_late` once every wait is over."""

    progress: tuple[Progress, ...]
    record: BranchRecord = field(default_factory=BranchRecord)
    commit: str | None = BEGIN
    builds: tuple[str, ...] = ()
    is_late: bool = False

    @property
    def is_final(self) -> bool:
        return all(progress.outcome for progress in self.progress)

    def updated(self, number: int, progress: Progress) -> World:
        return replace(self, progress=(*self.progress[:number], progress, *self.progress[number + 1 :]))


class NextCallError(BaseException):
    """The function made one call more than it had answers for."""


class Calls:
    """What one function calls: its calls are answered from before, but the last one, which happens in the world."""

    def __init__(self, world: World, entries: tuple[Entry, ...], answers: tuple[Any, ...]) -> None:
        self.world = world
        self.answers = list(answers)
        self._entries = entries
        self._position = 0
        self._is_new = False

    def _answer(self, act: Any) -> Any:
        if self._position == len(self.answers):
            if self._is_new:
                raise NextCallError
            self._is_new = True
            self.answers.append(act())
        self._position += 1
        return self.answers[self._position - 1]

    def branch_record(self, repository: str, branch: str) -> BranchRecord:
        record: BranchRecord = self._answer(lambda: self.world.record)
        return record

    def write_branch_record(self, repository: str, branch: str, record: BranchRecord, now: datetime) -> bool:
        return bool(self._answer(lambda: self._write(record)))

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None:
        self._answer(lambda: None)

    def stop_of_request(self, request_id: str) -> str | None:
        return None

    def is_running(self, execution: str) -> bool:
        numbers = [entry.execution for entry in self._entries]
        return self._answer(lambda: self.world.progress[numbers.index(execution)].outcome is None) is True

    def now(self) -> datetime:
        late = self._answer(lambda: self.world.is_late)
        return NOON + PREDECESSOR_WAIT * 3 if late else NOON

    def branch(self) -> str | None:
        commit: str | None = self._answer(lambda: self.world.commit)
        return commit

    def set_branch(self, commit: str | None, expected: str | None) -> bool:
        return bool(self._answer(lambda: self._set(commit, expected)))

    def _write(self, record: BranchRecord) -> bool:
        if record.version != self.world.record.version + 1:
            return False
        self.world = replace(self.world, record=record)
        return True

    def _set(self, commit: str | None, expected: str | None) -> bool:
        if self.world.commit != expected:
            return False
        self.world = replace(self.world, commit=commit)
        return True


@dataclass(frozen=True)
class Target:
    """A git server with one branch, as deletions meet it."""

    calls: Calls
    address: str = "https://mirror.example.com/web.git"

    def advertisement(self, service: GitService) -> Advertisement:
        commit = self.calls.branch()
        return Advertisement({} if commit is None else {PLACE.ref: commit}, frozenset({"report-status", DELETE_REFS}))

    @contextmanager
    def receive_pack(self, request: bytes, pack: BinaryIO) -> Iterator[Readable]:
        old, _, rest = request[4:].decode().partition(f" {NO_OBJECT} ")
        assert rest.startswith(PLACE.ref)
        report = f"ok {PLACE.ref}" if self.calls.set_branch(None, old) else f"ng {PLACE.ref} failed to update ref"
        yield io.BytesIO(pkt_line("unpack ok\n") + pkt_line(report) + FLUSH)

    def upload_pack(self, request: bytes) -> AbstractContextManager[Readable]:
        raise NotImplementedError


def mirror(calls: Calls, entry: Entry) -> None:
    """What Mirroring and Relay do, without git: commits follow each other by their numbers."""
    claims = BranchClaims(calls, calls, PLACE, entry, calls.now)
    claims.wait_for_turn()
    if entry.removes:
        remove_branch(Target(calls), PLACE.branch, claims)
        return
    branch = calls.branch()
    if branch != entry.commit:
        claims.wait_for_predecessor(branch)
        if branch is not None and branch > str(entry.commit):
            raise Superseded("the source has moved on")
    claims.claim(str(entry.commit))
    if branch != entry.commit and not calls.set_branch(str(entry.commit), branch):
        raise BranchBusy("the target refused")


def advance(world: World, entries: tuple[Entry, ...], number: int) -> World:
    """Let an execution do the next thing that others can see."""
    progress = world.progress[number]
    if progress.is_mirrored and entries[number].removes:
        # Whoever sets the branch again waits for this end.
        return world.updated(number, Progress(outcome="removed"))
    if progress.is_mirrored:
        # The job ends: it cloned the branch when it started, and has proved its commit.
        assert world.commit == entries[number].commit or entries[number].supersedes
        ended = replace(world, builds=(*world.builds, entries[number].request_id))
        return ended.updated(number, Progress(outcome="built"))
    calls = Calls(world, entries, progress.answers)
    try:
        mirror(calls, entries[number])
    except NextCallError:
        return calls.world.updated(number, replace(progress, answers=tuple(calls.answers)))
    except BranchBusy:
        return calls.world.updated(number, replace(progress, answers=()))
    except Superseded:
        return calls.world.updated(number, Progress(outcome="superseded"))
    return calls.world.updated(number, Progress(is_mirrored=True))


def next_worlds(world: World, entries: tuple[Entry, ...]) -> Iterator[World]:
    for number, progress in enumerate(world.progress):
        if progress.outcome is None:
            yield advance(world, entries, number)
            if progress.kills and progress.answers:
                yield world.updated(number, Progress(kills=progress.kills - 1))
    # By then every push has at least entered the queue.
    names = {entry.request_id for entry in world.record.entries}
    if not world.is_late and all(
        entry.request_id in names or progress.outcome for entry, progress in zip(entries, world.progress, strict=True)
    ):
        yield replace(world, is_late=True)


def final_worlds(entries: Iterable[Entry], *, kills: int = 0, is_late: bool = False, **begin: Any) -> list[World]:
    """Every way in which it can end; whatever state was reached, an end can be reached from it.

    `begin` has what the world has at first.
    """
    queue = tuple(entries)
    first = World(tuple(Progress(kills=kills) for _ in queue), is_late=is_late, **begin)
    states, edges, open_ = {first}, {}, [first]
    while open_:
        world = open_.pop()
        edges[world] = set(next_worlds(world, queue))
        new = edges[world] - states
        states |= new
        open_ += new
    final = [world for world in states if world.is_final]
    reaching, size = set(final), 0
    while size != len(reaching):
        size = len(reaching)
        reaching |= {world for world in states if not reaching.isdisjoint(edges[world])}
    assert reaching == states, "some state leads to no end"
    return final
