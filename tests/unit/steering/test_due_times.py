"""The next times of schedules: as AWS documents them, and as the local cloud's scheduler fires them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.steering.due_times import MOST_DAYS, due_times
from local.services.scheduler.expressions import parse
from tests.unit.routing.test_schedule_expression import AT, CRON

# A Sunday.
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
NUMBER = 3
# With and without summer time, a change of it by half an hour, and one at midnight.
ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]


@pytest.mark.parametrize(
    ("expression", "timezone", "times"),
    [
        ("cron(0 3 * * ? *)", "Europe/Berlin", ["2026-11-23T02:00", "2026-11-24T02:00", "2026-11-25T02:00"]),
        ("cron(0/30 20-2 ? * MON-FRI *)", "UTC", ["2026-11-23T00:00", "2026-11-23T00:30", "2026-11-23T01:00"]),
        ("cron(15 10 ? * 6L 2022-2027)", "UTC", ["2026-11-27T10:15", "2026-12-25T10:15", "2027-01-29T10:15"]),
        ("cron(0 9 ? * mon#3 *)", "UTC", ["2026-12-21T09:00", "2027-01-18T09:00", "2027-02-15T09:00"]),
        ("cron(0 0 ? * L *)", "UTC", ["2026-11-28T00:00", "2026-12-05T00:00", "2026-12-12T00:00"]),
        ("cron(0 0 L * ? *)", "UTC", ["2026-11-30T00:00", "2026-12-31T00:00", "2027-01-31T00:00"]),
        ("cron(0 0 lw jan ? *)", "UTC", ["2027-01-29T00:00", "2028-01-31T00:00", "2029-01-31T00:00"]),
        ("cron(0 0 3W * ? *)", "UTC", ["2026-12-03T00:00", "2027-01-04T00:00", "2027-02-03T00:00"]),
        ("cron(0 0 29 2 ? *)", "UTC", ["2028-02-29T00:00"]),
        ("cron(0 0 31 2 ? *)", "UTC", []),
        ("cron(0 0 1 1 ? 2020)", "UTC", []),
        ("at(2026-12-31T23:59:00)", "Europe/Berlin", ["2026-12-31T22:59"]),
        ("at(2026-11-22T11:59:59)", "UTC", []),
        ("rate(12 hours)", "UTC", []),
    ],
)
def test_documented_expressions(expression: str, timezone: str, times: list[str]) -> None:
    result = due_times(expression, timezone, NOW, NUMBER)
    assert [f"{time:%Y-%m-%dT%H:%M}" for time in result] == times
    assert {time.tzinfo for time in result} <= {UTC}


@given(
    CRON | AT,
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_they_are_the_times_at_which_the_scheduler_fires(expression: str, timezone: str, now: datetime) -> None:
    schedule, after = parse(expression, timezone), now
    times: list[datetime] = []
    while len(times) < NUMBER and (time := schedule.after(after, BEGIN)) is not None:
        times.append(time)
        after = time
    if expression.startswith("cron"):
        last = now.astimezone(ZoneInfo(timezone)).date() + timedelta(days=MOST_DAYS)
        times = [time for time in times if time.astimezone(ZoneInfo(timezone)).date() < last]
    assert due_times(expression, timezone, now, NUMBER) == tuple(times)


@pytest.mark.parametrize(
    ("timezone", "expression", "now", "following"),
    [
        # 29 March 2026 has no 2:30 in Berlin, 4 October 2026 no 2:15 at Lord Howe Island: 2:00 is 2:30 there.
        ("Europe/Berlin", "cron(30 2 * * ? *)", "2026-03-28T12:00", "2026-03-30T02:30"),
        ("Australia/Lord_Howe", "cron(15 2 * * ? *)", "2026-10-03T12:00", "2026-10-05T02:15"),
        # 25 October 2026 has 2:30 twice; the first counts.
        ("Europe/Berlin", "cron(30 2 * * ? *)", "2026-10-25T00:31", "2026-10-26T02:30"),
    ],
)
def test_the_change_of_summer_time(timezone: str, expression: str, now: str, following: str) -> None:
    (times,) = due_times(expression, timezone, datetime.fromisoformat(now).replace(tzinfo=UTC), 1)
    assert f"{times.astimezone(ZoneInfo(timezone)):%Y-%m-%dT%H:%M}" == following
