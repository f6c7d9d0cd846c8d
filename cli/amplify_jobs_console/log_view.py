"""A log as lines, with the failing part marked, and how much of it a page shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from amplify_jobs_console.words import clean

MOST_LINES = 400
"""So many lines of a log a page shows unless somebody asks for all."""

MOST_CHARACTERS = 2_000
# How Amplify's builder begins a line: the day says nothing, and the level is a colour.
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d+)?Z (?:\[[A-Z]+\]: ?)?")
_COMMAND = re.compile(r"# (?:Executing command|Starting phase|Completed phase|Cloning repository|Switching to commit)")


@dataclass(frozen=True)
class Line:
    """A line of a log, with its time of day if it has one. `kind` is failing, command, error, warning or empty."""

    number: int
    time: str
    text: str
    kind: str


@dataclass(frozen=True)
class LogView:
    """The lines to show, how many there are in all, and the first failing one."""

    lines: Sequence[Line]
    total: int
    failing: int | None
    is_complete: bool

    @property
    def hidden(self) -> int:
        """How many lines are not shown."""
        return self.total - len(self.lines)


def view_log(text: str, failing: tuple[int, int] | None, *, is_complete: bool, show_all: bool) -> LogView:
    """Choose the lines of a log: the end, or around the failing part if that is further up."""
    raw = re.split(r"\r?\n", text)
    if raw and not raw[-1]:
        raw.pop()
    total = len(raw)
    first, last = failing or (0, 0)
    is_marked = 1 <= first <= last and first <= total
    marked = range(first, last + 1) if is_marked else range(0)
    end = total if show_all or not is_marked else min(total, max(last + MOST_LINES // 4, MOST_LINES))
    start = 0 if show_all else max(0, end - MOST_LINES)
    if is_marked and first - 1 < start:
        start = first - 1
        end = min(end, start + MOST_LINES)
    lines = [_line(number, raw[number - 1], number in marked) for number in range(start + 1, end + 1)]
    return LogView(lines, total, first if is_marked else None, is_complete)


def _line(number: int, raw: str, is_failing: bool) -> Line:
    stamp = _STAMP.match(raw)
    text = raw[stamp.end() :] if stamp else raw
    return Line(number, stamp[1] if stamp else "", clean(text)[:MOST_CHARACTERS], _kind(raw, is_failing))


def _kind(text: str, is_failing: bool) -> str:
    if is_failing:
        return "failing"
    if _COMMAND.search(text):
        return "command"
    if "[ERROR]" in text:
        return "error"
    return "warning" if "[WARNING]" in text else ""
