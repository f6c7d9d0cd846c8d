"""The end of a preview beside its builds, in every order in which the calls of their functions can happen."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.mirroring.advertisement import NO_OBJECT
from amplify_jobs.mirroring.queue import BranchRecord, Entry
from tests.support.competing_mirrors import BEGIN, NOON, Progress, World, final_worlds, next_worlds

PREVIEW = 7


def entry(name: str, commit: str, *, event: float, received: float, pull_request: int | None = PREVIEW) -> Entry:
    """What a request wants; times are seconds after noon."""
    times = (NOON + timedelta(seconds=event), NOON + timedelta(seconds=received))
    return Entry(name, f"arn {name}", *times, commit, pull_request=pull_request)


def build(number: int, *, event: float, received: float | None = None, **more: Any) -> Entry:
    received = event if received is None else received
    return entry(f"build {number}", f"commit {number}", event=event, received=received, **more)


def removal(name: str = "removal", *, event: float, received: float | None = None, **more: Any) -> Entry:
    return entry(name, NO_OBJECT, event=event, received=event if received is None else received, **more)


def built_before(pull_request: int | None = PREVIEW, commit: str = BEGIN) -> dict[str, Any]:
    """A world in which a request of long ago has set the branch."""
    record = BranchRecord(newest=build(0, event=-60, pull_request=pull_request), commits=(BEGIN,), version=1)
    return {"record": record, "commit": commit}


def ended(world: World, entries: tuple[Entry, ...], chance: random.Random) -> World:
    """One way in which it can end."""
    while not world.is_final:
        world = chance.choice(list(next_worlds(world, entries)))
    return world


CLOSED_AFTER_A_BUILD = [
    (build(1, event=1), removal(event=2)),
    (build(1, event=1, received=3), removal(event=2)),
    # In one second of the host.
    (build(1, event=1, received=1.0), removal(event=1, received=1.1)),
]


@pytest.mark.parametrize("entries", CLOSED_AFTER_A_BUILD)
@pytest.mark.parametrize("begin", [built_before(), {"commit": None}])
def test_after_the_end_of_a_preview_there_is_no_branch(entries: tuple[Entry, ...], begin: dict[str, Any]) -> None:
    ends = final_worlds(entries, **begin)
    assert {world.commit for world in ends} == {None}
    # A build that was there first is built; one that comes late, or is still to begin, is moot.
    assert {world.builds for world in ends} == {("build 1",), ()}


def test_functions_that_are_killed_anywhere_change_nothing_of_that() -> None:
    assert {world.commit for world in final_worlds(CLOSED_AFTER_A_BUILD[0], kills=1, **built_before())} == {None}


@pytest.mark.parametrize(("closed", "opened"), [(1.0, 1.1), (1.1, 1.0)])
def test_a_pull_request_that_is_opened_again_has_its_branch(closed: float, opened: float) -> None:
    """Whichever is received first: the events' own times decide."""
    entries = (removal(event=1, received=closed), build(1, event=2, received=opened))
    for world in final_worlds(entries, **built_before()):
        assert (world.commit, world.builds) == ("commit 1", ("build 1",))


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_two_ends_of_one_preview_at_once_delete_it_once(chance: random.Random) -> None:
    entries = (removal(event=1), removal("sweep", event=2))
    world = ended(World((Progress(kills=1), Progress(kills=1)), **built_before()), entries, chance)
    assert world.commit is None
    assert {progress.outcome for progress in world.progress} <= {"removed", "superseded"}


@pytest.mark.parametrize("begin", [{}, built_before(8), built_before(None)], ids=["nobody", "8", "a push"])
def test_a_branch_that_was_not_set_for_the_pull_request_stays(begin: dict[str, Any]) -> None:
    for world in final_worlds([removal(event=1)], **begin):
        assert world.commit == BEGIN
        assert world.progress[0].outcome == "removed"


@pytest.mark.parametrize("name", ["a removal", "z removal"])
def test_a_pull_request_that_goes_from_one_route_to_another_by_one_event_has_its_branch(name: str) -> None:
    entries = (build(1, event=1), removal(name, event=1))
    for world in final_worlds(entries, **built_before()):
        assert (world.commit, world.builds) == ("commit 1", ("build 1",))


def test_builds_for_another_pull_request_are_not_made_moot() -> None:
    entries = (build(1, event=1, pull_request=8), removal(event=2))
    for world in final_worlds(entries, **built_before(8)):
        assert (world.commit, world.builds) == ("commit 1", ("build 1",))


@given(st.permutations((1, 2, 3, 4)), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_newest_event_decides_whatever_arrives_when(arrivals: list[int], chance: random.Random) -> None:
    received = [10 + arrival / 10 for arrival in arrivals]
    entries = (
        build(1, event=1, received=received[0]),
        build(2, event=2, received=received[1]),
        removal(event=3, received=received[2]),
        build(3, event=4, received=received[3]),
    )
    for count in (3, 4):
        begin = World(tuple(Progress(kills=1) for _ in range(count)), **built_before())
        world = ended(begin, entries[:count], chance)
        assert world.commit == (None if count == 3 else "commit 3")
        assert count == 3 or "build 3" in world.builds
