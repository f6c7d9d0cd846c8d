"""When a schedule fires next, by AWS's own dialect of cron and in the schedule's time zone.

Source: EventBridge Scheduler User Guide, "Schedule types".
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from amplify_jobs.routing.schedule_expression import DAYS, FIRST_YEAR, LAST_YEAR, MONTHS, numbers

MOST_DAYS = 3 * 366
"""So far ahead is looked for the next times."""


def due_times(expression: str, timezone: str, now: datetime, number: int) -> tuple[datetime, ...]:
    """The next times of a valid expression, within three years; none for a rate, whose beginning only AWS knows."""
    zone = ZoneInfo(timezone)
    kind, _, value = expression.removesuffix(")").partition("(")
    times: Iterator[datetime] = iter(())
    if kind == "at":
        times = iter([datetime.fromisoformat(value).replace(tzinfo=zone).astimezone(UTC)])
    elif kind == "cron":
        times = _cron_times(value.upper().split(), now.astimezone(zone).date(), zone)
    return tuple(islice((time for time in times if time > now), number))


def _cron_times(fields: list[str], start: date, zone: ZoneInfo) -> Iterator[datetime]:
    """The times from a day on, in UTC; one that the change to summer time leaves out does not come."""
    minutes, hours, days, months, weekdays, years = fields
    at_minutes, at_hours = sorted(numbers(minutes, 0, 59, ())), sorted(numbers(hours, 0, 23, ()))
    in_months, in_years = numbers(months, 1, 12, MONTHS), numbers(years, FIRST_YEAR, LAST_YEAR, ())
    for offset in range(MOST_DAYS):
        day = start + timedelta(days=offset)
        if day.month in in_months and day.year in in_years and _is_due(day, days, weekdays):
            for hour in at_hours:
                for minute in at_minutes:
                    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    time = wall.astimezone(UTC)
                    if time.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
                        yield time


def _is_due(day: date, days: str, weekdays: str) -> bool:
    """Whether a day is one of the month's or of the week's that are meant; one of the two fields is `?`."""
    if weekdays == "?":
        return any(_is_day(day, item) for item in days.split(","))
    return any(_is_weekday(day, item) for item in weekdays.split(","))


def _is_day(day: date, item: str) -> bool:
    last = _last_of_month(day)
    if item == "L":
        return day.day == last
    if item == "LW":
        return day == _nearest_weekday(day.replace(day=last))
    if item.endswith("W"):
        number = int(item[:-1])
        return number <= last and day == _nearest_weekday(day.replace(day=number))
    return day.day in numbers(item, 1, 31, ())


def _is_weekday(day: date, item: str) -> bool:
    number = day.isoweekday() % 7 + 1
    if item == "L":
        return number == len(DAYS)
    name, mark, nth = item.partition("#")
    if mark:
        return number in numbers(name, 1, 7, DAYS) and (day.day - 1) // 7 + 1 == int(nth)
    if item.endswith("L"):
        return number in numbers(item[:-1], 1, 7, DAYS) and day.day > _last_of_month(day) - 7
    return number in numbers(item, 1, 7, DAYS)


def _nearest_weekday(day: date) -> date:
    """The working day nearest to a day, within its month."""
    if day.isoweekday() == 6:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    if day.isoweekday() == 7:
        return day + timedelta(days=1) if day.day < _last_of_month(day) else day - timedelta(days=2)
    return day


def _last_of_month(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
