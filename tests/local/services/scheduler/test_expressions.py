"""Cron, rate and at, as AWS's documentation explains and exemplifies them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.services.scheduler.expressions import InvalidScheduleError, parse

# A Sunday.
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def due(expression: str, timezone: str = "UTC", *, after: datetime = NOW, count: int = 1) -> list[str]:
    """The next times, as a clock in the time zone shows them."""
    schedule = parse(expression, timezone)
    times: list[str] = []
    while len(times) < count and (moment := schedule.after(after, datetime(1970, 1, 1, tzinfo=UTC))) is not None:
        times.append(f"{moment.astimezone(ZoneInfo(timezone)):%a %Y-%m-%d %H:%M}")
        after = moment
    return times


# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html and
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html, with what they say.
@pytest.mark.parametrize(
    ("expression", "times"),
    [
        # 10:00 every day
        ("cron(0 10 * * ? *)", ["Mon 2026-11-23 10:00", "Tue 2026-11-24 10:00"]),
        # 12:15 every day
        ("cron(15 12 * * ? *)", ["Sun 2026-11-22 12:15", "Mon 2026-11-23 12:15"]),
        # 18:00 every Monday to Friday
        ("cron(0 18 ? * MON-FRI *)", ["Mon 2026-11-23 18:00", "Tue 2026-11-24 18:00"]),
        # 8:00 on the first day of the month
        ("cron(0 8 1 * ? *)", ["Tue 2026-12-01 08:00", "Fri 2027-01-01 08:00"]),
        # every 15 minutes
        ("cron(0/15 * * * ? *)", ["Sun 2026-11-22 12:15", "Sun 2026-11-22 12:30"]),
        # every 10 minutes, Monday to Friday
        ("cron(0/10 * ? * MON-FRI *)", ["Mon 2026-11-23 00:00", "Mon 2026-11-23 00:10"]),
        # every 5 minutes between 8:00 and 17:55, Monday to Friday
        ("cron(0/5 8-17 ? * MON-FRI *)", ["Mon 2026-11-23 08:00", "Mon 2026-11-23 08:05"]),
        # every 30 minutes between 20:00 and 2:00, Monday to Friday
        ("cron(0/30 20-23 ? * MON-FRI *)", ["Mon 2026-11-23 20:00", "Mon 2026-11-23 20:30"]),
        # every 30 minutes between 20:00 and 2:00, as AWS writes it: the range goes past midnight
        ("cron(0/30 20-2 ? * MON-FRI *)", ["Mon 2026-11-23 00:00", "Mon 2026-11-23 00:30"]),
        ("cron(0 0 ? * FRI-MON 2026)", ["Mon 2026-11-23 00:00", "Fri 2026-11-27 00:00"]),
        ("cron(0 0 1 NOV-JAN ? *)", ["Tue 2026-12-01 00:00", "Fri 2027-01-01 00:00"]),
        # the last weekday of the month: 31 January 2027 is a Sunday
        ("cron(0 0 LW 1 ? *)", ["Fri 2027-01-29 00:00", "Mon 2028-01-31 00:00"]),
        ("cron(0/30 0-2 ? * MON-FRI *)", ["Mon 2026-11-23 00:00", "Mon 2026-11-23 00:30"]),
        # 10:15 on the last Friday of each month from 2022 to 2027
        ("cron(15 10 ? * 6L 2022-2027)", ["Fri 2026-11-27 10:15", "Fri 2026-12-25 10:15"]),
        # the third Monday of the month
        ("cron(0 9 ? * 2#3 *)", ["Mon 2026-12-21 09:00", "Mon 2027-01-18 09:00"]),
        ("cron(0 9 ? * MON#3 *)", ["Mon 2026-12-21 09:00", "Mon 2027-01-18 09:00"]),
        # the last day of the month
        ("cron(0 0 L * ? *)", ["Mon 2026-11-30 00:00", "Thu 2026-12-31 00:00"]),
        # the weekday nearest to the third: 3 January 2027 is a Sunday
        ("cron(0 0 3W * ? *)", ["Thu 2026-12-03 00:00", "Mon 2027-01-04 00:00"]),
        # lists
        ("cron(1,5,10 12 ? * MON,WED,FRI *)", ["Mon 2026-11-23 12:01", "Mon 2026-11-23 12:05"]),
        ("cron(0 0 1,15 JAN,MAR ? *)", ["Fri 2027-01-01 00:00", "Fri 2027-01-15 00:00"]),
        # 1 is Sunday, L alone is Saturday, which is 7
        ("cron(0 0 ? * 1 *)", ["Sun 2026-11-29 00:00", "Sun 2026-12-06 00:00"]),
        ("cron(0 0 ? * L *)", ["Sat 2026-11-28 00:00", "Sat 2026-12-05 00:00"]),
        ("cron(0 0 ? * */3 *)", ["Wed 2026-11-25 00:00", "Sat 2026-11-28 00:00"]),
        # leap years
        ("cron(0 0 29 2 ? *)", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        # one year alone, and one that is over
        ("cron(0 0 1 1 ? 2030)", ["Tue 2030-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2020)", []),
        # no month has 31 days in February
        ("cron(0 0 31 2 ? *)", []),
        ("at(2026-12-31T23:59:00)", ["Thu 2026-12-31 23:59"]),
        ("at(2026-11-22T11:59:59)", []),
    ],
)
def test_the_documented_examples(expression: str, times: list[str]) -> None:
    assert due(expression, count=2) == times


@pytest.mark.parametrize(
    ("day", "month", "nearest"),
    # The 1st on a Saturday does not go back into the month before, the last on a Sunday not into the next.
    [(1, 8, "Mon 2026-08-03"), (31, 5, "Fri 2026-05-29"), (14, 11, "Fri 2026-11-13"), (15, 11, "Mon 2026-11-16")],
)
def test_the_nearest_weekday_stays_in_its_month(day: int, month: int, nearest: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert due(f"cron(0 0 {day}W {month} ? 2026)", after=start) == [f"{nearest} 00:00"]


class TestTimeZones:
    def test_a_wall_clock_shows_the_same_hour_in_summer_and_winter(self) -> None:
        berlin = parse("cron(0 3 * * ? *)", "Europe/Berlin")
        begin = datetime(2026, 1, 1, tzinfo=UTC)
        assert berlin.after(datetime(2026, 1, 10, tzinfo=UTC), begin) == datetime(2026, 1, 10, 2, tzinfo=UTC)
        assert berlin.after(datetime(2026, 7, 10, tzinfo=UTC), begin) == datetime(2026, 7, 10, 1, tzinfo=UTC)

    def test_a_time_that_spring_skips_is_left_out(self) -> None:
        # 29 March 2026, 2:00 to 3:00 in Berlin.
        times = due("cron(30 2 * * ? *)", "Europe/Berlin", after=datetime(2026, 3, 27, 12, tzinfo=UTC), count=2)
        assert times == ["Sat 2026-03-28 02:30", "Mon 2026-03-30 02:30"]

    def test_a_time_that_autumn_repeats_counts_once(self) -> None:
        # 25 October 2026, 2:00 to 3:00 in Berlin.
        after = datetime(2026, 10, 24, 12, tzinfo=UTC)
        times = due("cron(30 2 * * ? *)", "Europe/Berlin", after=after, count=2)
        assert times == ["Sun 2026-10-25 02:30", "Mon 2026-10-26 02:30"]
        first = parse("cron(30 2 * * ? *)", "Europe/Berlin").after(after, after)
        assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    def test_once_is_meant_in_the_time_zone_too(self) -> None:
        once = parse("at(2026-12-24T18:00:00)", "America/New_York")
        assert once.after(NOW, NOW) == datetime(2026, 12, 24, 23, tzinfo=UTC)


class TestRate:
    def test_the_beginning_is_the_first_time(self) -> None:
        rate = parse("rate(5 minutes)")
        assert rate.after(NOW - timedelta(seconds=1), NOW) == NOW
        assert rate.after(NOW, NOW) == NOW + timedelta(minutes=5)
        assert rate.after(NOW + timedelta(minutes=12), NOW) == NOW + timedelta(minutes=15)

    @pytest.mark.parametrize(("unit", "hours"), [("hour", 1), ("hours", 1), ("day", 24), ("days", 24)])
    def test_a_day_has_24_hours(self, unit: str, hours: int) -> None:
        assert parse(f"rate(1 {unit})").after(NOW, NOW) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("every day", "use cron"),
        ("cron(0 10 * * ?)", "six fields"),
        ("cron(0 10 * * * *)", "has to be"),
        ("cron(0 10 ? * ? *)", "has to be"),
        ("cron(60 10 * * ? *)", "'60' is not a value from 0 to 59"),
        ("cron(0 24 * * ? *)", "'24' is not a value from 0 to 23"),
        ("cron(0 0 0 * ? *)", "'0' is not a value from 1 to 31"),
        ("cron(0 0 32W * ? *)", "'32' is not a value from 1 to 31"),
        ("cron(0 0 ? * 8 *)", "'8' is not a value from 1 to 7"),
        ("cron(0 0 ? * 2#6 *)", "is not a value"),
        ("cron(0 0 ? SMARCH MON *)", "'SMARCH' is not a value"),
        ("cron(0 0 * * ? 2027-2026)", "ends before it begins"),
        ("cron(0 0 ? * 2#1,6#3 *)", "is not a value"),
        ("rate(5  minutes)", "use a number"),
        ("at(2026-1-1T00:00:00)", "yyyy-mm-dd"),
        ("cron(0/0 * * * ? *)", "'0' is not a value from 1"),
        ("cron(, * * * ? *)", "'' is not a value"),
        ("cron(0 0 * * ? 2200)", "'2200' is not a value"),
        ("rate(0 minutes)", "use a number"),
        ("rate(5 seconds)", "use a number"),
        ("rate(1.5 hours)", "use a number"),
        ("at(2026-13-01T00:00:00)", "yyyy-mm-dd"),
        ("at(2026-12-01)", "yyyy-mm-dd"),
    ],
)
def test_what_scheduler_would_refuse_is_refused(expression: str, fault: str) -> None:
    with pytest.raises(InvalidScheduleError, match=fault):
        parse(expression)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidScheduleError, match="tz database"):
        parse("rate(1 day)", zone)


@given(st.text(max_size=40) | st.builds("cron({})".format, st.text("0123456789*,-/?LW#MON ", max_size=30)))
def test_anything_else_is_refused_by_that_error_too(text: str) -> None:
    try:
        schedule = parse(text)
    except InvalidScheduleError:
        return
    moment = schedule.after(NOW, NOW)
    assert moment is None or moment > NOW - timedelta(seconds=1)


@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_time_is_later_than_the_one_before_and_as_the_fields_say(minute: int, hour: int, after: datetime) -> None:
    schedule = parse(f"cron({minute} {hour} ? * MON-FRI *)", "Europe/Berlin")
    moment = schedule.after(after, datetime(1970, 1, 1, tzinfo=UTC))
    assert moment is not None
    assert after < moment <= after + timedelta(days=4)
    wall = moment.astimezone(ZoneInfo("Europe/Berlin"))
    assert (wall.minute, wall.hour) == (minute, hour)
    assert wall.isoweekday() <= 5
