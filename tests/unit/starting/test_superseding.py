"""Which of several requests is the latest, and what is written for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from amplify_jobs.starting.superseding import (
    Latest,
    StartedJob,
    SupersedingRequest,
    taken_by,
    with_all_stopped,
    with_job,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def asked(name: str, event: int = 0, received: int = 0) -> SupersedingRequest:
    return SupersedingRequest(name, NOON + event * SECOND, NOON + received * SECOND)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (asked("a", event=1), asked("b", event=0, received=9)),
        (asked("a", received=1), asked("b")),
        (asked("b"), asked("a")),
    ],
)
def test_the_time_of_the_event_decides_then_the_arrival(newer: SupersedingRequest, older: SupersedingRequest) -> None:
    assert newer.is_newer_than(older)
    assert not older.is_newer_than(newer)
    assert not newer.is_newer_than(newer)


RUNNING = Latest(asked("old"), "4", (StartedJob("older", "3"),), version=5)


@pytest.mark.parametrize(
    ("found", "written"),
    [
        (None, Latest(asked("new"), None, (), 1)),
        # What is read from the table is equal to the request, and another object.
        (Latest(asked("new"), "4", version=2), Latest(asked("new"), "4", version=2)),
        (Latest(asked("old"), version=5), Latest(asked("new"), None, (), 6)),
        (RUNNING, Latest(asked("new"), None, (StartedJob("older", "3"), StartedJob("old", "4")), 6)),
    ],
)
def test_the_latest_request_takes_over_what_older_ones_left(found: Latest | None, written: Latest) -> None:
    assert taken_by(asked("new"), found) == written


def test_each_write_counts() -> None:
    assert with_job(RUNNING, "9") == Latest(RUNNING.asked, "9", RUNNING.to_stop, 6)
    assert with_all_stopped(RUNNING) == Latest(RUNNING.asked, "4", (), 6)
