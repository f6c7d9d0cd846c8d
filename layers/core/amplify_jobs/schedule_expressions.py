"""Schedule expressions as EventBridge Scheduler takes them: cron, rate and at.

Source: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler".
"""

from __future__ import annotations

import re
from datetime import datetime

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Name of a cron field -> its least and greatest number, its words (for the numbers from 1), what else it may be.
_FIELDS = (
    ("minutes", 0, 59, (), r""),
    ("hours", 0, 23, (), r""),
    ("day of month", 1, 31, (), r"\?|L|LW|\d{1,2}W"),
    ("month", 1, 12, _MONTHS, r""),
    ("day of week", 1, 7, _DAYS, r"\?|L|[1-7]L|[1-7]#[1-5]|(?:SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#[1-5])"),
    ("year", 1970, 2199, (), r""),
)
_ITEM = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,4}))?", re.ASCII)
_RIGHT = 'use one like "cron(0 3 * * ? *)", "rate(12 hours)" or "at(2026-12-31T23:59:00)"'


def checked_expression(expression: str) -> str:
    """Return a schedule expression that Scheduler takes; raises ValueError saying what is wrong with it."""
    found = re.fullmatch(r"(cron|rate|at)\((.*)\)", expression)
    if found is None:
        raise ValueError(f"{expression!r} is neither cron(…), rate(…) nor at(…); {_RIGHT}")
    {"cron": _check_cron, "rate": _check_rate, "at": _check_at}[found[1]](found[2])
    return expression


def _check_rate(value: str) -> None:
    if not re.fullmatch(r"[1-9][0-9]{0,8} (minute|hour|day)s?", value, re.ASCII):
        raise ValueError(f'"{value}" is no rate; use a whole number and minutes, hours or days, like "rate(12 hours)"')


def _check_at(value: str) -> None:
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 -- the time zone stands beside it
    except ValueError:
        raise ValueError(f'"{value}" is no date and time; use one like "at(2026-12-31T23:59:00)"') from None


def _check_cron(value: str) -> None:
    fields = value.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(name for name, *_ in _FIELDS)
        raise ValueError(
            f'cron has {len(_FIELDS)} fields ({names}), not {len(fields)}; use one like "cron(0 3 * * ? *)"'
        )
    for field, (name, least, greatest, words, special) in zip(fields, _FIELDS, strict=True):
        for item in field.split(","):
            if not _fits(item.upper(), least, greatest, words, special):
                raise ValueError(f"{item!r} is no {name} of cron; {_RIGHT}")
    if (fields[2] == "?") is (fields[4] == "?"):
        raise ValueError("of day of month and day of week cron wants one to be ?, and not both; use 0 3 * * ? *")


def _fits(item: str, least: int, greatest: int, words: tuple[str, ...], special: str) -> bool:
    if special and re.fullmatch(special, item, re.ASCII):
        return True
    found = _ITEM.fullmatch(item)
    if found is None:
        return False
    ends = [end for end in (found["first"], found["last"]) if end is not None]
    if "*" in ends:
        return len(ends) == 1
    numbers = [
        words.index(end) + 1 if end in words else int(end) if end.isdigit() and len(end) < 5 else -1 for end in ends
    ]
    return all(least <= number <= greatest for number in numbers)
