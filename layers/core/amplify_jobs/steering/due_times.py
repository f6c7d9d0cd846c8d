"""When a schedule fires next, by AWS's own dialect of cron and in the schedule's time zone.

Source: EventBridge Scheduler User Guide, "Schedule types".
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_MOST_DAYS = 3 * 366


def due_times(expression: str, timezone: str, now: datetime, number: int) -> tuple[datetime, ...]:
    """The next times of a valid expression, within three years; none for a rate, whose beginning only AWS knows."""
    zone = ZoneInfo(timezone)
    kind, _, rest = expression.partition("(")
    if kind == "at":
        time = datetime.fromisoformat(rest.rstrip(")")).replace(tzinfo=zone)
        return (time.astimezone(UTC),) if time > now else ()
    if kind != "cron":
        return ()
    times: list[datetime] = []
    for time in _cron_times(rest.rstrip(")").split(), now.astimezone(zone), zone):
        if time > now:
            times.append(time.astimezone(UTC))
        if len(times) == number:
            break
    return tuple(times)


def _cron_times(fields: list[str], start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    minutes, hours, days, months, weekdays, years = fields
    at_minutes, at_hours = sorted(_values(minutes, 0, 59)), sorted(_values(hours, 0, 23))
    in_months, in_years = _values(months, 1, 12, _MONTHS), _values(years, 1970, 2199)
    for offset in range(_MOST_DAYS):
        day = start.date() + timedelta(days=offset)
        if day.month in in_months and day.year in in_years and _is_due(day, days, weekdays):
            for hour in at_hours:
                for minute in at_minutes:
                    time = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    # A time that the change to summer time leaves out does not come.
                    if time.astimezone(UTC).astimezone(zone).hour == hour:
                        yield time


def _is_due(day: date, days: str, weekdays: str) -> bool:
    """One of the two fields is `?`."""
    return _is_day(day, days) if weekdays == "?" else _is_weekday(day, weekdays)


def _is_day(day: date, field: str) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    for item in field.split(","):
        if item == "L":
            due = day.day == last
        elif item == "LW":
            due = day == _nearest_weekday(day.replace(day=last))
        elif item.endswith("W"):
            number = int(item[:-1])
            due = number <= last and day == _nearest_weekday(day.replace(day=number))
        else:
            due = day.day in _values(item, 1, 31)
        if due:
            return True
    return False


def _is_weekday(day: date, field: str) -> bool:
    number = day.isoweekday() % 7 + 1
    last = calendar.monthrange(day.year, day.month)[1]
    for item in field.split(","):
        if "#" in item:
            weekday, _, nth = item.partition("#")
            due = number in _values(weekday, 1, 7, _DAYS) and (day.day - 1) // 7 + 1 == int(nth)
        elif item == "L":
            due = number == _DAYS["SAT"]
        elif item.endswith("L") and len(item) > 1:
            due = number in _values(item[:-1], 1, 7, _DAYS) and day.day > last - 7
        else:
            due = number in _values(item, 1, 7, _DAYS)
        if due:
            return True
    return False


def _nearest_weekday(day: date) -> date:
    """The working day nearest to a day, within its month."""
    last = calendar.monthrange(day.year, day.month)[1]
    if day.isoweekday() == 6:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    if day.isoweekday() == 7:
        return day + timedelta(days=1) if day.day < last else day - timedelta(days=2)
    return day


def _values(field: str, least: int, greatest: int, words: dict[str, int] | None = None) -> set[int]:
    values: set[int] = set()
    for item in field.split(","):
        whole, _, step = item.partition("/")
        if whole in ("*", "?", ""):
            first, last = least, greatest
        else:
            begin, _, end = whole.partition("-")
            first = _number(begin, words)
            last = _number(end, words) if end else (greatest if step else first)
        # Days from Friday to Monday go over the end of the week.
        span = range(first, last + 1) if first <= last else [*range(first, greatest + 1), *range(least, last + 1)]
        values |= set(list(span)[:: int(step or 1)])
    return values


def _number(text: str, words: dict[str, int] | None) -> int:
    return (words or {}).get(text.upper()) or int(text)
