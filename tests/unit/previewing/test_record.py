"""The record of a preview: whatever the order in which events are processed, the newest one decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from amplify_jobs.errors import BranchBusy, RequestRejected
from amplify_jobs.previewing.record import (
    REMOVAL_ENDED_AFTER,
    PreviewRecord,
    PullRequestEvent,
    built,
    closed,
    is_removed_by,
    newer_closing,
    removed,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minute: int, route: str = "web", pull_request: int = 7, repository: str = "acme/web") -> PullRequestEvent:
    return PullRequestEvent(
        request_id=f"{route}-{minute}",
        route=route,
        source="gitlab",
        repository=repository,
        pull_request=pull_request,
        source_branch="page",
        is_fork=False,
        has_mirror=True,
        time=NOW + timedelta(minutes=minute),
    )


def build(record: PreviewRecord | None, event: PullRequestEvent, now: datetime = NOW) -> PreviewRecord | None:
    """The record after a build, as it is if the build gives way."""
    return record if newer_closing(record, event) else built(record, event, "d1", "pr-7", now)


def close(record: PreviewRecord | None, event: PullRequestEvent) -> PreviewRecord | None:
    """The record after a removal has ended."""
    after = closed(record, event, "d1", "pr-7", NOW)
    return record if after is None else removed(after)


@pytest.mark.parametrize(
    "order", list(permutations([(1, "build"), (2, "close"), (3, "build"), (4, "build"), (5, "close")]))
)
def test_in_any_order_of_deliveries_the_last_event_decides(order: list[tuple[int, str]]) -> None:
    def end(events: list[tuple[int, str]]) -> PreviewRecord:
        record = None
        for minute, noun in events:
            record = (build if noun == "build" else close)(record, at(minute))
        assert record is not None
        return record

    last = end(order)
    assert not last.is_open
    assert last.closed_at == at(5).time
    reopened = end([each for each in order if each[0] != 5])
    assert reopened.is_open
    assert reopened.event_time == at(4).time


def test_versions_count_the_writes() -> None:
    record = build(None, at(1))
    assert record is not None
    assert record.version == 1
    record = build(record, at(2))
    assert record is not None
    assert record.version == 2
    record = closed(record, at(3), "d1", "pr-7", NOW)
    assert record is not None
    assert record.version == 3
    assert removed(record).version == 4


def test_an_older_build_keeps_the_time_of_the_newest_event() -> None:
    record = build(build(None, at(3)), at(1))
    assert record is not None
    assert record.event_time == at(3).time


def test_of_one_moment_the_closing_is_newer_unless_the_pull_request_went_to_another_route() -> None:
    opened = build(None, at(1))
    assert close(opened, at(1)) != opened
    assert newer_closing(close(opened, at(1)), at(1)) is not None
    # By one event a pull request leaves the route web and enters the route next: whichever is processed first.
    moved = build(opened, at(2, route="next"))
    assert close(moved, at(2)) == moved
    again = build(close(opened, at(2)), at(2, route="next"))
    assert again is not None
    assert again.is_open


def test_a_branch_of_another_repository_is_not_taken() -> None:
    opened = build(None, at(1))
    other = at(2, repository="acme/docs")
    with pytest.raises(RequestRejected, match=r"is the preview of pull request 7 of acme/web; put {repository} into"):
        build(opened, other)
    assert closed(opened, other, "d1", "pr-7", NOW) is None
    free = build(close(opened, at(2)), replace(other, time=NOW))
    assert free is not None
    assert free.repository == "acme/docs"


def test_two_pull_requests_of_one_branch_share_it_and_the_last_one_takes_it_away() -> None:
    shared = build(build(None, at(1)), at(2, pull_request=8))
    assert close(shared, at(3)) == shared
    last = close(shared, at(3, pull_request=8))
    assert last is not None
    assert not last.is_open
    # What was closed is the other one.
    assert newer_closing(last, at(2)) is None


def test_nothing_is_built_while_the_preview_is_taken_away_but_not_for_ever() -> None:
    record = closed(build(None, at(1)), at(2), "d1", "pr-7", NOW)
    with pytest.raises(BranchBusy, match="is being taken away"):
        build(record, at(3))
    later = build(record, at(3), NOW + REMOVAL_ENDED_AFTER)
    assert later is not None
    assert later.is_open
    assert record is not None
    freed = build(removed(record), at(3))
    assert freed is not None
    assert freed.is_open


def test_a_removal_knows_whether_it_still_has_to_take_the_preview_away() -> None:
    assert not is_removed_by(None, "web-2")
    record = closed(build(None, at(1)), at(2), "d1", "pr-7", NOW)
    assert is_removed_by(record, "web-2")
    assert not is_removed_by(closed(record, at(3), "d1", "pr-7", NOW), "web-2")
    assert not is_removed_by(build(record, at(4), NOW + REMOVAL_ENDED_AFTER), "web-2")
