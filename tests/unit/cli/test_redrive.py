"""Which failed executions a redrive means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs_cli.recovery.redrive import (
    REDRIVE_PERIOD,
    FailedExecution,
    RedriveResult,
    parse_duration,
    select_redrivable,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MINUTES = {"m": 1, "h": 60, "d": 24 * 60}


def execution(ended: timedelta, ran: timedelta = timedelta(minutes=5), name: str = "web-1") -> FailedExecution:
    arn = f"arn:aws:states:eu-west-1:123456789012:execution:amplify-jobs-job:{name}"
    return FailedExecution(arn, "FAILED", NOW - ended - ran, NOW - ended)


@given(number=st.integers(1, 999_999), unit=st.sampled_from(sorted(MINUTES)))
def test_a_duration_is_a_number_of_minutes_hours_or_days(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == timedelta(minutes=number * MINUTES[unit])


@given(st.text(max_size=8))
def test_what_is_no_duration_is_refused_with_the_form(text: str) -> None:
    if text[:-1].isascii() and text[:-1].isdigit() and not text.startswith("0") and text[-1:] in MINUTES:
        return
    with pytest.raises(ValueError, match="like 30m, 2h or 3d"):
        parse_duration(text)


@given(
    ended=st.lists(st.integers(0, 30 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)), max_size=20),
    ran=st.integers(0, 20_000).map(lambda minutes: timedelta(minutes=minutes)),
    since=st.integers(1, 30 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
)
def test_all_that_ended_in_the_time_are_meant_oldest_first_and_none_that_is_too_old(
    ended: list[timedelta], ran: timedelta, since: timedelta
) -> None:
    result = select_redrivable([execution(one, ran) for one in ended], NOW, since)
    assert sorted(NOW - one.ended_at for one in result) == sorted(
        one for one in ended if one <= min(since, REDRIVE_PERIOD)
    )
    assert result == sorted(result, key=lambda one: one.started_at)


def test_an_execution_is_called_as_its_request() -> None:
    assert execution(timedelta()).request_id == "web-1"


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (RedriveResult(execution(timedelta(hours=1))), "2026-11-27 11:00:00  FAILED     Redriven: web-1"),
        (
            RedriveResult(execution(timedelta(hours=1)), dry_run=True),
            "2026-11-27 11:00:00  FAILED     Would redrive: web-1",
        ),
        (RedriveResult(execution(timedelta(hours=1)), reason="too old"), "2026-11-27 11:00:00  FAILED     too old"),
    ],
)
def test_a_line_says_what_was_done(result: RedriveResult, line: str) -> None:
    assert result.line() == line
    assert result.as_json()["redriven"] is line.endswith("Redriven: web-1")
