"""Finds the lines of a log that a failure's excerpt shows."""

from __future__ import annotations

from collections.abc import Sequence

# Lines of the builder stand between those that the excerpt has of a command's output.
_MOST_APART = 3


def failing_lines(text: str, excerpt: str | None) -> tuple[int, int] | None:
    """The first and last line of a log that an excerpt shows, counted from 1; None if it is not there.

    A line of the log may begin with its time, and the excerpt's may be cut at both ends. Where several places fit, the
    one with the most lines of the excerpt counts, and of two alike the later one.
    """
    lines = text.split("\n")
    shown = [part for line in (excerpt or "").split("\n") if (part := line.strip().strip("…"))]
    best, most = None, 0
    for last in range(len(lines) - 1, -1, -1):
        if shown and most < len(shown) and shown[-1] in lines[last]:
            first, count = _upwards(lines, shown[:-1], last)
            if count > most:
                best, most = (first + 1, last + 1), count
    return best


def _upwards(lines: Sequence[str], shown: Sequence[str], last: int) -> tuple[int, int]:
    """Where the lines begin that end at `last`, and how many of them are there."""
    first, count = last, 1
    for line in reversed(shown):
        near = range(first - 1, max(first - 1 - _MOST_APART, -1), -1)
        match = next((number for number in near if line in lines[number]), None)
        if match is not None:
            first, count = match, count + 1
    return first, count
