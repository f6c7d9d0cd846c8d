"""Which of several requests is the latest, and what is written for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from amplify_jobs.starting.superseding import Latest, StartedJob, SupersedingRequest, claim

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def request(name: str, event: int = 0, received: int = 0) -> SupersedingRequest:
    return SupersedingRequest(name, NOON + event * SECOND, NOON + received * SECOND)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (request("a", event=1), request("b", event=0, received=9)),
        (request("a", received=1), request("b")),
        (request("b"), request("a")),
    ],
)
def test_the_time_of_the_event_decides_then_the_arrival(newer: SupersedingRequest, older: SupersedingRequest) -> None:
    assert newer.is_newer_than(older)
    assert not older.is_newer_than(newer)
    assert not newer.is_newer_than(newer)


RUNNING = Latest(request("old"), "4", (StartedJob("older", "3"),), version=5)


@pytest.mark.parametrize(
    ("current", "written"),
    [
        (None, Latest(request("new"), None, (), 1)),
        # What is read from the table is equal to the request, and another object.
        (Latest(request("new"), "4", version=2), Latest(request("new"), "4", version=2)),
        (Latest(request("old"), version=5), Latest(request("new"), None, (), 6)),
        (RUNNING, Latest(request("new"), None, (StartedJob("older", "3"), StartedJob("old", "4")), 6)),
    ],
)
def test_the_latest_request_takes_over_what_older_ones_left(current: Latest | None, written: Latest) -> None:
    assert claim(request("new"), current) == written


def test_each_write_counts() -> None:
    assert RUNNING.with_job("9") == Latest(RUNNING.request, "9", RUNNING.to_stop, 6)
    assert RUNNING.with_all_stopped() == Latest(RUNNING.request, "4", (), 6)
