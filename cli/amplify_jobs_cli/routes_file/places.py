"""Places in a routes file: a path to a value, and a position in the text."""

from __future__ import annotations

from dataclasses import dataclass

# The names of members and the indexes of items that lead to a value.
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Position:
    """A part of one line; line and column count from 1, `length` is in characters."""

    line: int
    column: int
    length: int = 1
