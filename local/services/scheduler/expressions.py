"""EventBridge Scheduler's expressions: cron, rate and at, and when they are due.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
FIRST_YEAR, LAST_YEAR = 1970, 2199
INSTANT = timedelta(microseconds=1)


class InvalidScheduleError(ValueError):
    """An expression or a time zone that EventBridge Scheduler would refuse; the message says what is wrong."""


class Schedule(Protocol):
    """When something is due."""

    def after(self, moment: datetime, begin: datetime) -> datetime | None:
        """The first time after a moment, in UTC, or None if there is none; `begin` is when the schedule begins."""


def parse(expression: str, timezone: str = "UTC") -> Schedule:
    """Read an expression; raises InvalidScheduleError."""
    zone = _zone(timezone)
    parts = re.fullmatch(r"(cron|rate|at)\((.*)\)", expression) if expression.isascii() else None
    if parts is None:
        raise InvalidScheduleError(f"Invalid Schedule Expression {expression}: use cron(…), rate(…) or at(…).")
    match parts[1]:
        case "rate":
            return _rate(parts[2])
        case "at":
            return _at(parts[2], zone)
    return _cron(parts[2], zone)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidScheduleError(f"The time zone {name!r} is not in the tz database.") from None


# --- rate and at -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rate:
    """Every so often from the beginning on, which is itself the first time."""

    period: timedelta

    def after(self, moment: datetime, begin: datetime) -> datetime | None:
        if moment < begin:
            return begin
        try:
            return begin + ((moment - begin) // self.period + 1) * self.period
        except OverflowError:
            # The next time lies behind the last year that there is.
            return None


@dataclass(frozen=True)
class At:
    """Once."""

    time: datetime

    def after(self, moment: datetime, begin: datetime) -> datetime | None:
        return self.time if moment < self.time and begin <= self.time else None


def _rate(text: str) -> Rate:
    match = re.fullmatch(r"([1-9][0-9]{0,8}) (minute|hour|day)s?", text)
    if match is None:
        raise InvalidScheduleError(
            f"Invalid Schedule Expression rate({text}): use a number and minutes, hours or days."
        )
    return Rate(int(match[1]) * UNITS[match[2]])


def _at(text: str, zone: tzinfo) -> At:
    match = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", text)
    try:
        naive = datetime.fromisoformat(text) if match else None
    except ValueError:
        naive = None
    if naive is None or not FIRST_YEAR <= naive.year <= LAST_YEAR:
        raise InvalidScheduleError(f"Invalid Schedule Expression at({text}): use at(yyyy-mm-ddThh:mm:ss).")
    return At(naive.replace(tzinfo=zone).astimezone(UTC))


# --- cron ------------------------------------------------------------------------------------------------------------


class Days(Protocol):
    """The days of a month that one field of cron means."""

    def of(self, year: int, month: int) -> set[int]: ...


@dataclass(frozen=True)
class DaysOfMonth:
    """By number; `L` is the last day, `LW` the last weekday, `15W` the weekday of the month nearest to the 15th."""

    numbers: frozenset[int]
    nearest: frozenset[int]
    last: bool
    last_weekday: bool

    def of(self, year: int, month: int) -> set[int]:
        length = calendar.monthrange(year, month)[1]
        days = {day for day in self.numbers if day <= length} | ({length} if self.last else set())
        if self.last_weekday:
            days.add(_nearest_weekday(year, month, length, length))
        return days | {_nearest_weekday(year, month, day, length) for day in self.nearest if day <= length}


@dataclass(frozen=True)
class DaysOfWeek:
    """By number from 1, Sunday; `6L` is the month's last Friday, `6#3` its third."""

    numbers: frozenset[int]
    last: frozenset[int]
    nth: frozenset[tuple[int, int]]

    def of(self, year: int, month: int) -> set[int]:
        length = calendar.monthrange(year, month)[1]
        weekdays = {day: date(year, month, day).isoweekday() % 7 + 1 for day in range(1, length + 1)}
        return {
            day
            for day, weekday in weekdays.items()
            if weekday in self.numbers
            or (weekday in self.last and day > length - 7)
            or (weekday, (day - 1) // 7 + 1) in self.nth
        }


def _nearest_weekday(year: int, month: int, day: int, length: int) -> int:
    match date(year, month, day).isoweekday():
        case 6:
            return day - 1 if day > 1 else day + 2
        case 7:
            return day + 1 if day < length else day - 2
    return day


@dataclass(frozen=True)
class Cron:
    """Times of a wall clock in a time zone: one that daylight saving skips is left out, a repeated one counts once."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: Days
    months: frozenset[int]
    years: frozenset[int]
    zone: tzinfo

    def after(self, moment: datetime, begin: datetime) -> datetime | None:
        # The beginning itself is due too.
        after = max(moment, begin - INSTANT)
        start = after.astimezone(self.zone).date()
        for day in self._days_from(start):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    wall = datetime.combine(day, time(hour, minute))
                    due = wall.replace(tzinfo=self.zone).astimezone(UTC)
                    exists = due.astimezone(self.zone).replace(tzinfo=None) == wall
                    if exists and due > after:
                        return due
        return None

    def _days_from(self, start: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= start.year):
            for month in sorted(self.months):
                if (year, month) < (start.year, start.month):
                    continue
                for number in sorted(self.days.of(year, month)):
                    day = date(year, month, number)
                    if day >= start:
                        yield day


def _cron(text: str, zone: tzinfo) -> Cron:
    try:
        return _cron_of(re.findall(r"[^ \t]+", text.upper()), zone)
    except InvalidScheduleError as error:
        raise InvalidScheduleError(f"Invalid Schedule Expression cron({text}): {error}.") from None


def _cron_of(fields: list[str], zone: tzinfo) -> Cron:
    if len(fields) != 6:
        raise InvalidScheduleError("cron has six fields: minutes, hours, day of month, month, day of week, year")
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if (day_of_month == "?") == (day_of_week == "?"):
        raise InvalidScheduleError("one of day of month and day of week has to be ?, and not both")
    return Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        days=_days_of_month(day_of_month) if day_of_week == "?" else _days_of_week(day_of_week),
        months=_numbers(month, 1, 12, MONTHS),
        years=_numbers(year, FIRST_YEAR, LAST_YEAR),
        zone=zone,
    )


def _days_of_month(field: str) -> DaysOfMonth:
    plain, nearest, last, last_weekday = [], set(), False, False
    for item in field.split(","):
        if match := re.fullmatch(r"([0-9]{1,2})W", item):
            nearest.add(_number(match[1], 1, 31, {}))
        elif item == "L":
            last = True
        elif item == "LW":
            last_weekday = True
        else:
            plain.append(item)
    numbers = _numbers(",".join(plain), 1, 31) if plain else frozenset()
    return DaysOfMonth(numbers, frozenset(nearest), last, last_weekday)


def _days_of_week(field: str) -> DaysOfWeek:
    plain, last = [], set()
    # One day of the month alone, and no list of them.
    if match := re.fullmatch(r"(\w+)#([1-5])", field):
        return DaysOfWeek(frozenset(), frozenset(), frozenset({(_number(match[1], 1, 7, WEEKDAYS), int(match[2]))}))
    for item in field.split(","):
        if match := re.fullmatch(r"(\w+)L", item):
            last.add(_number(match[1], 1, 7, WEEKDAYS))
        else:
            # L alone is the week's last day.
            plain.append("7" if item == "L" else item)
    numbers = _numbers(",".join(plain), 1, 7, WEEKDAYS) if plain else frozenset()
    return DaysOfWeek(numbers, frozenset(last), frozenset())


def _numbers(field: str, least: int, most: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """What a field of numbers means: lists, ranges, steps and names."""
    names = names or {}
    numbers: set[int] = set()
    for item in field.split(","):
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = least, most
        else:
            begin = _number(first, least, most, names)
            end = _number(last, least, most, names) if dash else most if slash else begin
        every = _number(step, 1, most, {}) if slash else 1
        size = most - least + 1
        # A range may go past the end of its field, like 20-2 of hours, which AWS has among its examples.
        if begin > end and most == LAST_YEAR:
            raise InvalidScheduleError(f"{item!r} ends before it begins")
        beyond = end if begin <= end else end + size
        numbers.update((number - least) % size + least for number in range(begin, beyond + 1, every))
    return frozenset(numbers)


def _number(text: str, least: int, most: int, names: dict[str, int]) -> int:
    number = names.get(text, int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None)
    if number is None or not least <= number <= most:
        raise InvalidScheduleError(f"{text!r} is not a value from {least} to {most}")
    return number
