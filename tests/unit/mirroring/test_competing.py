"""Two and three pushes in a row to one mirror, in every order in which the calls of their functions can happen."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.mirroring.queue import Entry
from tests.support.competing_mirrors import NOON, Progress, World, final_worlds, next_worlds


def push(number: int, *, event: float | None, received: float, **more: Any) -> Entry:
    """The push of a commit that follows the one of the number before; times are seconds after noon."""
    received_at = NOON + timedelta(seconds=received)
    event_time = received_at if event is None else NOON + timedelta(seconds=event)
    before = f"commit {number - 1}"
    return Entry(f"push {number}", f"arn {number}", event_time, received_at, f"commit {number}", before=before, **more)


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


@pytest.mark.thorough
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
