"""The order of requests that set one branch: the decision alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.mirroring.queue import MOST_COMMITS, MOST_ENTRIES, BranchRecord, Entry

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MAIN = "refs/heads/main"


def entry(minute: int, commit: str | None = "a", *, supersedes: bool = False, received: int | None = None) -> Entry:
    received_at = NOON + timedelta(minutes=minute if received is None else received)
    name = f"web-{minute}-{received}"
    return Entry(name, f"arn:{name}", NOON + timedelta(minutes=minute), received_at, commit, supersedes)


def record(*entries: Entry) -> BranchRecord:
    result = BranchRecord()
    for one in entries:
        result = result.with_entry(one)
    return result


def test_a_request_waits_for_older_ones_of_other_commits() -> None:
    old, same, own, new = entry(1, "a"), entry(2, "b"), entry(3, "b"), entry(4, "c")
    queue = record(new, own, same, old)
    assert queue.blockers(own) == [old]
    assert queue.without([old]).blockers(own) == []
    assert queue.blockers(new) == [old, same, own]


def test_requests_of_the_newest_commit_wait_for_each_other() -> None:
    first, second = entry(1, None), entry(2, None)
    assert record(first, second).blockers(second) == [first]


def test_a_request_that_supersedes_waits_for_none_that_it_supersedes() -> None:
    plain, old, new = entry(1, "a"), entry(2, "b", supersedes=True), entry(3, "c", supersedes=True)
    queue = record(plain, old, new)
    assert queue.blockers(new) == [plain]
    assert queue.claimed(new, "c", MAIN).entries == (plain, new)


def test_an_older_event_is_late_once_a_newer_one_has_set_the_branch() -> None:
    old, new = entry(1, "a"), entry(2, "b")
    queue = record(old, new)
    assert queue.newer_than(old) is None
    assert queue.claimed(new, "b", MAIN).newer_than(old) == new
    assert queue.claimed(old, "a", MAIN).newer_than(new) is None
    # The same commit is there already.
    assert queue.claimed(new, "b", MAIN).newer_than(entry(1, "b", received=9)) is None


def test_of_events_in_one_second_the_one_received_later_is_the_newer() -> None:
    first, second = entry(1, "a", received=1), entry(1, "b", received=2)
    assert record(second, first).blockers(second) == [first]


def push(commit: str, before: str, *, received: int, minute: int | None = 1) -> Entry:
    """A push that was received so many seconds after a minute; without `minute` the host gave no time."""
    received_at = NOON + timedelta(minutes=1, seconds=received)
    event_time = received_at if minute is None else NOON + timedelta(minutes=minute)
    return Entry(f"web-{commit}", f"arn:{commit}", event_time, received_at, commit, before=before)


@pytest.mark.parametrize("minute", [1, None])
def test_of_pushes_of_one_moment_the_commits_decide_and_not_the_arrival(minute: int | None) -> None:
    first = push("a", "0", received=2, minute=minute)
    second = push("b", "a", received=3, minute=minute)
    third = push("c", "b", received=1, minute=minute)
    queue = record(third, first, second)
    assert [queue.blockers(one) for one in (first, second, third)] == [[], [first], [first, second]]
    assert queue.claimed(second, "b", MAIN).newer_than(first) == second
    assert queue.claimed(first, "a", MAIN).newer_than(second) is None
    # These do not follow each other: the source's history knows.
    assert queue.claimed(first, "a", MAIN).newer_than(third) is None
    assert queue.claimed(first, "a", MAIN).claimed(third, "c", MAIN).newest == third


def test_the_host_s_time_decides_before_the_commits() -> None:
    there, back = push("b", "a", received=1), push("a", "b", received=2, minute=2)
    assert record(there, back).blockers(there) == []
    assert record(there, back).blockers(back) == [there]
    # Whatever time it was received at: hosts without times are another matter.
    late = push("b", "a", received=30, minute=None)
    assert record(late, push("a", "0", received=90, minute=None)).blockers(late) == []


def test_commits_that_go_round_in_a_circle_are_built_in_the_order_of_arrival() -> None:
    there, back = push("b", "a", received=1), push("a", "b", received=2)
    assert record(back, there).blockers(there) == []
    assert record(back, there).blockers(back) == [there]


@pytest.mark.parametrize(
    ("others", "branch", "lacks"),
    [
        ((), None, True),
        ((), "z", True),
        ((), "a", False),
        ((push("a", "0", received=9),), "z", False),
    ],
)
def test_a_push_waits_only_for_one_of_which_nothing_is_known(
    others: tuple[Entry, ...], branch: str | None, lacks: bool
) -> None:
    one = push("b", "a", received=1)
    queue = record(one, *others)
    assert queue.lacks_predecessor(one, branch) == lacks
    assert not queue.lacks_predecessor(replace(one, supersedes=True), branch)
    assert not queue.lacks_predecessor(replace(one, before=None), branch)
    assert not queue.claimed(one, "a", MAIN).lacks_predecessor(one, branch)


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc"), st.booleans()), max_size=60))
def test_nobody_waits_for_each_other_and_nothing_grows_for_ever(requests: list[tuple[int, str, bool]]) -> None:
    queue = BranchRecord()
    for number, (minute, commit, supersedes) in enumerate(requests):
        one = entry(minute, commit, supersedes=supersedes, received=minute + number)
        queue = queue.with_entry(one).with_entry(one)
        queue = queue.claimed(one, f"{commit}{number}", MAIN)
    assert len(queue.commits) <= MOST_COMMITS
    assert len(queue.entries) <= MOST_ENTRIES
    assert queue.version == 2 * len(requests)
    for one in queue.entries:
        assert all(one not in queue.blockers(other) for other in queue.blockers(one))
    if requests:
        assert queue.newest is not None
        assert queue.newest.event_time == NOON + timedelta(minutes=max(minute for minute, _, _ in requests))
        assert queue.trace.ref == MAIN
