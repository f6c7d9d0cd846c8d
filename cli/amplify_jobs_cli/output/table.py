"""Lays a table out for a number of columns: what matters least is left out first, then each row takes several lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from amplify_jobs.text import one_line

_GAP = "  "


@dataclass(frozen=True)
class Column:
    """A column of a table.

    `importance` 0 is always shown; of the others, the highest is left out first. Where the table is too wide even then,
    each row is a block: `in_title` columns share its first line, every other has a line of its own. A `flexible` column
    is cut to the space that is left, but not to less than `shortest`.
    """

    title: str
    importance: int = 0
    in_title: bool = True
    flexible: bool = False
    shortest: int = 16


Cell = tuple[str, str]
"""A text and its style."""


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None) -> list[Text]:
    """The lines of a table, with a line of titles; `width` None is a pipe, where nothing is left out or cut."""
    cleaned = [[(one_line(text), style) for text, style in row] for row in rows]
    # A column that is empty in every row says nothing.
    shown = [number for number in range(len(columns)) if any(row[number][0] for row in cleaned)]
    while width is not None and _natural_width(columns, cleaned, shown) > width:
        dispensable = [number for number in shown if columns[number].importance]
        if not dispensable:
            return [line for row in cleaned for line in _block(columns, row, width)]
        last = max(dispensable, key=lambda number: columns[number].importance)
        shown.remove(last)
    return _grid(columns, cleaned, shown, width)


def _natural_width(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], shown: Sequence[int]) -> int:
    widths = _widths(columns, rows, shown)
    needed = [min(widths[n], columns[n].shortest) if columns[n].flexible else widths[n] for n in shown]
    return sum(needed) + len(_GAP) * (len(shown) - 1)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], shown: Sequence[int]) -> dict[int, int]:
    return {n: max(cell_len(columns[n].title), *(cell_len(row[n][0]) for row in rows), 0) for n in shown}


def _grid(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], shown: Sequence[int], width: int | None
) -> list[Text]:
    widths = _widths(columns, rows, shown)
    if width is not None:
        spare = width - sum(widths.values()) - len(_GAP) * (len(shown) - 1)
        for number in shown:
            if columns[number].flexible and spare < 0:
                cut = max(widths[number] + spare, min(widths[number], columns[number].shortest))
                spare += widths[number] - cut
                widths[number] = cut
    titles = [(columns[number].title, "bold") for number in range(len(columns))]
    return [_line([row[n] for n in shown], [widths[n] for n in shown]) for row in (titles, *rows)]


def _line(cells: Sequence[Cell], widths: Sequence[int]) -> Text:
    line = Text()
    for number, ((text, style), size) in enumerate(zip(cells, widths, strict=True)):
        fitted = _cut(text, size)
        line.append(fitted, style or None)
        if number + 1 < len(cells):
            line.append(" " * (size - cell_len(fitted)) + _GAP)
    line.rstrip()
    return line


def _block(columns: Sequence[Column], row: Sequence[Cell], width: int) -> list[Text]:
    """A row in several lines: the short values on the first, each other one below it."""
    title = Text()
    for column, (text, style) in zip(columns, row, strict=True):
        if column.in_title and text:
            title.append(" " if title else "").append(text, style or None)
    title.truncate(width, overflow="ellipsis")
    below = [
        Text.assemble("  ", (text if column.importance == 0 else _cut(text, width - 2), style or ""))
        for column, (text, style) in zip(columns, row, strict=True)
        if not column.in_title and text
    ]
    return [title, *below]


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
