"""Tables of figures: what was measured, the bound beside it, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

HELD = {True: "yes", False: "NO", None: ""}


@dataclass(frozen=True)
class Row:
    """One line of a table; `holds` is None where nothing was promised."""

    cells: Sequence[str]
    bound: str = ""
    holds: bool | None = None


@dataclass(frozen=True)
class Table:
    """Figures of one kind. `notes` say what a reader must know to read them."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())

    @property
    def holds(self) -> bool:
        return all(row.holds is not False for row in self.rows)


def show(table: Table, console: Console) -> None:
    """Print a table: with colours on a terminal, else in plain lines that are never cut or wrapped."""
    if console.is_terminal:
        _show_rich(table, console)
    else:
        _show_plain(table, console)
    for note in table.notes:
        console.print(f"  {note}", markup=False, highlight=False, soft_wrap=True)
    console.print()


def _show_rich(table: Table, console: Console) -> None:
    grid = RichTable(title=escape(table.title), title_justify="left")
    for column in table.columns:
        grid.add_column(escape(column))
    grid.add_column("bound")
    grid.add_column("holds")
    for row in table.rows:
        verdict = {True: "[green]yes[/]", False: "[bold red]NO[/]", None: ""}[row.holds]
        grid.add_row(*(escape(cell) for cell in (*row.cells, row.bound)), verdict)
    console.print(grid)


def _show_plain(table: Table, console: Console) -> None:
    lines = [[*table.columns, "bound", "holds"]]
    lines += [[*row.cells, row.bound, HELD[row.holds]] for row in table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    console.print(table.title, markup=False, highlight=False, soft_wrap=True)
    for line in lines:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        console.print(f"  {text}".rstrip(), markup=False, highlight=False, soft_wrap=True)
