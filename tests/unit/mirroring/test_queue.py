"""The order of requests that set one branch: the decision alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
    made = BranchRecord()
    for one in entries:
        made = made.with_entry(one)
    return made


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
