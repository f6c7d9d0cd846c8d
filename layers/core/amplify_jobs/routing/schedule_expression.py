"""Schedule expressions as EventBridge Scheduler takes them: cron, rate and at.

Source: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler"; for ranges that go past the end of
a field, like 20-2, and for LW, EventBridge User Guide, "Setting a schedule pattern", and what EventBridge takes.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1970, 2199
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAY = rf"(?:[1-7]|{'|'.join(DAYS)})"
# Name of a cron field -> its least and greatest number, its words (for the numbers from 1), what else an item may be.
_FIELDS = (
    ("minutes", 0, 59, (), r""),
    ("hours", 0, 23, (), r""),
    ("day of month", 1, 31, (), r"L|LW|(?:0?[1-9]|[12][0-9]|3[01])W"),
    ("month", 1, 12, MONTHS, r""),
    ("day of week", 1, 7, DAYS, rf"L|{_DAY}L"),
    ("year", FIRST_YEAR, LAST_YEAR, (), r""),
)
_ONE_OF_MONTH = rf"{_DAY}#[1-5]"
_ITEM = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>[0-9]{1,4}))?", re.ASCII)
_RIGHT = 'use one like "cron(0 3 * * ? *)", "rate(12 hours)" or "at(2026-12-31T23:59:00)"'


def validate_expression(expression: str) -> str:
    """Return a schedule expression that Scheduler takes; raises ValueError saying what is wrong with it."""
    match = re.fullmatch(r"(cron|rate|at)\((.*)\)", expression) if expression.isascii() else None
    if match is None:
        raise ValueError(f"{_quoted(expression)} is neither cron(…), rate(…) nor at(…); {_right_for(expression)}")
    {"cron": _check_cron, "rate": _check_rate, "at": _check_at}[match[1]](match[2])
    return expression


def never_due(expression: str, timezone: str, now: datetime) -> str | None:
    """Say why a schedule is not due any more; None where it is, or where the expression or time zone is wrong."""
    try:
        validate_expression(expression)
        local_now = now.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    except (ValueError, KeyError, OSError):
        return None
    kind, _, value = expression.removesuffix(")").partition("(")
    if kind == "at" and _time(value) <= local_now:
        return "this time is in the past, so the schedule is never due; use a later one, or remove the route"
    if kind != "cron":
        return None
    _, _, day, month, _, year = value.upper().split()
    years = numbers(year, FIRST_YEAR, LAST_YEAR, ())
    if max(years) < local_now.year:
        return f"the year {max(years)} is in the past, so the schedule is never due; use a later one, or *"
    days = [] if re.search(r"[?LW*]", day) else numbers(day, 1, 31, ())
    longest = max(calendar.monthrange(2024, number)[1] for number in numbers(month, 1, 12, MONTHS))
    if days and min(days) > longest:
        return (
            f"no such month has a day {min(days)}, so the schedule is never due; use an earlier day, or L for the last"
        )
    return None


def _check_rate(value: str) -> None:
    if not re.fullmatch(r"[1-9][0-9]{0,8} (minute|hour|day)s?", value):
        raise ValueError(
            f'{_quoted(value)} is not a rate; use a whole number and minutes, hours or days, like "rate(12 hours)"'
        )


def _check_at(value: str) -> None:
    try:
        _time(value)
    except ValueError:
        raise ValueError(f'{_quoted(value)} is not a date and time; use one like "at(2026-12-31T23:59:00)"') from None


def _time(value: str) -> datetime:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", value):
        raise ValueError(value)
    # Its time zone stands beside it.
    time = datetime.fromisoformat(value)
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError(value)
    return time


def _check_cron(value: str) -> None:
    fields = re.findall(r"[^ \t]+", value)
    if len(fields) != len(_FIELDS):
        names = ", ".join(name for name, *_ in _FIELDS)
        raise ValueError(f"cron has {len(_FIELDS)} fields ({names}), not {len(fields)}; {_right_for(value)}")
    for field, (name, least, greatest, words, special) in zip(fields, _FIELDS, strict=True):
        if field == "?" and name.startswith("day"):
            continue
        if name == "day of week" and re.fullmatch(_ONE_OF_MONTH, field.upper()):
            continue
        for item in field.split(","):
            if not _is_item(item, least, greatest, words, special):
                raise ValueError(f"{_quoted(item)} is not valid as {name}; {_right_for_item(least, greatest, words)}")
    if (fields[2] == "?") is (fields[4] == "?"):
        raise ValueError("in cron, exactly one of day of month and day of week must be ?; use 0 3 * * ? *")


def _is_item(item: str, least: int, greatest: int, words: tuple[str, ...], special: str) -> bool:
    if special and item.isascii() and re.fullmatch(special, item.upper()):
        return True
    try:
        return bool(numbers(item, least, greatest, words))
    except ValueError:
        return False


def numbers(field: str, least: int, greatest: int, words: tuple[str, ...]) -> set[int]:
    """The numbers that a list of numbers, ranges and steps means; raises ValueError where it is none."""
    values: set[int] = set()
    for item in field.upper().split(","):
        match = _ITEM.fullmatch(item)
        if match is None or not field.isascii() or (match["first"] == "*" and match["last"]):
            raise ValueError(item)
        step = int(match["step"] or 1)
        first = least if match["first"] == "*" else _number(match["first"], least, greatest, words)
        last = _number(match["last"], least, greatest, words) if match["last"] else first
        if not match["last"] and (match["step"] or match["first"] == "*"):
            last = greatest
        if not 1 <= step <= greatest or (last < first and least == FIRST_YEAR):
            raise ValueError(item)
        # A range may go past the end of its field: from 20 to 2 o'clock, from Friday to Monday.
        beyond = last if last >= first else last + greatest - least + 1
        values |= {(number - least) % (greatest - least + 1) + least for number in range(first, beyond + 1, step)}
    return values


def _number(text: str, least: int, greatest: int, words: tuple[str, ...]) -> int:
    number = words.index(text) + 1 if text in words else int(text) if re.fullmatch(r"[0-9]{1,4}", text) else -1
    if not least <= number <= greatest:
        raise ValueError(text)
    return number


def _right_for(text: str) -> str:
    """The remedy for what is no expression: Unix cron in Scheduler's form, if that is what it is."""
    fields = text.removeprefix("cron(").removesuffix(")").split()
    if len(fields) == 5 and (fields[2] == "*" or fields[4] == "*"):
        minutes, hours, day, month, weekday = fields
        # Unix counts the days of the week from 0, Sunday, and Scheduler from 1.
        weekday = re.sub(r"(?<![/0-9])[0-7](?![0-9])", lambda match: str(int(match[0]) % 7 + 1), weekday)
        days = (day, "?") if weekday == "*" else ("?", weekday)
        expression = f"cron({minutes} {hours} {days[0]} {month} {days[1]} *)"
        try:
            return f'use "{validate_expression(expression)}"'
        except ValueError:
            return _RIGHT
    return _RIGHT


def _right_for_item(least: int, greatest: int, words: tuple[str, ...]) -> str:
    names = f" or {words[0]} to {words[-1]}" if words else ""
    return f'use {least} to {greatest}{names}, like "cron(0 3 * * ? *)"'


def _quoted(text: str) -> str:
    return f"'{text[:59]}…'" if len(text) > 60 else f"'{text}'"
