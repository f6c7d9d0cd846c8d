"""Two and three pushes in a row to one mirror, in every order in which the calls of their functions can happen.

A function is run again from its beginning for each of its calls, with the answers that it had before, so that a state
of everything is a value: all states are met, and each once.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.errors import BranchBusy, Superseded
from amplify_jobs.mirroring.claims import BranchClaims, BranchPlace
from amplify_jobs.mirroring.queue import PREDECESSOR_WAIT, BranchRecord, Entry

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
BEGIN = "commit 0"
PLACE = BranchPlace("codecommit::web", "main", "refs/heads/main")


def push(number: int, *, event: float | None, received: float, **more: Any) -> Entry:
    """The push of a commit that follows the one of the number before; times are seconds after noon."""
    received_at = NOON + timedelta(seconds=received)
    event_time = received_at if event is None else NOON + timedelta(seconds=event)
    before = f"commit {number - 1}"
    return Entry(f"push {number}", f"arn {number}", event_time, received_at, f"commit {number}", before=before, **more)


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
    commit: str = BEGIN
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

    def branch(self) -> str:
        return str(self._answer(lambda: self.world.commit))

    def set_branch(self, commit: str, expected: str) -> bool:
        return bool(self._answer(lambda: self._set(commit, expected)))

    def _write(self, record: BranchRecord) -> bool:
        if record.version != self.world.record.version + 1:
            return False
        self.world = replace(self.world, record=record)
        return True

    def _set(self, commit: str, expected: str) -> bool:
        if self.world.commit != expected:
            return False
        self.world = replace(self.world, commit=commit)
        return True


def mirror(calls: Calls, entry: Entry) -> None:
    """What Mirroring and Relay do, without git: commits follow each other by their numbers."""
    claims = BranchClaims(calls, calls, PLACE, entry, calls.now)
    claims.wait_for_turn()
    branch = calls.branch()
    if branch != entry.commit:
        claims.wait_for_predecessor(branch)
        if branch > str(entry.commit):
            raise Superseded("the source has moved on")
    claims.claim(str(entry.commit))
    if branch != entry.commit and not calls.set_branch(str(entry.commit), branch):
        raise BranchBusy("the target refused")


def advance(world: World, entries: tuple[Entry, ...], number: int) -> World:
    """Let an execution do the next thing that others can see."""
    progress = world.progress[number]
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


def final_worlds(entries: Iterable[Entry], *, kills: int = 0, is_late: bool = False) -> list[World]:
    """Every way in which it can end; whatever state was reached, an end can be reached from it."""
    queue = tuple(entries)
    first = World(tuple(Progress(kills=kills) for _ in queue), is_late=is_late)
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


PUSHES = [
    # In one second of the host, in both orders of arrival.
    (push(1, event=0, received=1.0), push(2, event=0, received=1.1)),
    (push(1, event=0, received=1.1), push(2, event=0, received=1.0)),
    # One after the other, where the older one may be processed later.
    (push(1, event=0, received=1.0), push(2, event=1, received=1.1)),
    (push(1, event=0, received=1.1), push(2, event=1, received=1.0)),
    # Of hosts that give no time.
    (push(1, event=None, received=1.0), push(2, event=None, received=1.1)),
    (push(1, event=None, received=1.1), push(2, event=None, received=1.0)),
]


@pytest.mark.parametrize("entries", PUSHES)
def test_two_pushes_in_a_row_are_two_builds_in_every_order_of_calls(entries: tuple[Entry, ...]) -> None:
    for world in final_worlds(entries):
        assert world.builds == ("push 1", "push 2")
        assert world.commit == "commit 2"


def test_a_function_that_is_killed_anywhere_changes_nothing_of_that() -> None:
    for world in final_worlds(PUSHES[1], kills=1):
        assert world.builds == ("push 1", "push 2")


@given(st.permutations((1, 2, 3)), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_three_pushes_of_one_second_are_three_builds(arrivals: list[int], chance: random.Random) -> None:
    entries = tuple(push(number, event=0, received=1 + arrivals.index(number) / 10) for number in (1, 2, 3))
    world = World(tuple(Progress(kills=1) for _ in entries))
    while not world.is_final:
        world = chance.choice(list(next_worlds(world, entries)))
    assert world.builds == ("push 1", "push 2", "push 3")


@pytest.mark.parametrize("entries", PUSHES[1:3])
def test_with_supersede_the_newer_is_always_built_and_the_branch_never_goes_back(entries: tuple[Entry, ...]) -> None:
    for world in final_worlds(replace(entry, supersedes=True) for entry in entries):
        assert world.builds in {("push 2",), ("push 1", "push 2"), ("push 2", "push 1")}
        assert world.commit == "commit 2"


def test_a_push_that_comes_after_the_wait_is_superseded_if_the_newer_one_has_gone() -> None:
    older, newer = PUSHES[1]
    builds = {world.builds for world in final_worlds((older, newer), is_late=True)}
    assert builds == {("push 1", "push 2"), ("push 2",)}
