"""Tables of figures: whole lines without a terminal, and the verdict of a table."""

import io

import pytest
from rich.console import Console

from benchmarks.figures import Row, Table, show

HOLDS = Row(("a figure", "1"), "<= 2", holds=True)
FAILS = Row(("another [bold]", "3" * 120), "<= 2", holds=False)
FREE = Row(("a third", "4"))


@pytest.mark.parametrize(
    ("rows", "holds"), [((HOLDS, FREE), True), ((HOLDS, FAILS), False), ((FREE,), True), ((), True)]
)
def test_a_table_holds_unless_a_bound_does_not(rows: tuple[Row, ...], holds: bool) -> None:
    assert Table("Title", ("figure", "measured"), rows).holds is holds


def test_without_a_terminal_each_row_is_one_whole_line() -> None:
    output = io.StringIO()
    table = Table("Title [1]", ("figure", "measured"), (HOLDS, FAILS, FREE), notes=("A note " + "n" * 100,))
    show(table, Console(file=output, width=40))
    lines = output.getvalue().splitlines()
    assert lines[0] == "Title [1]"
    assert lines[1].split() == ["figure", "measured", "bound", "holds"]
    assert lines[2].split() == ["a", "figure", "1", "<=", "2", "yes"]
    assert lines[3].split() == ["another", "[bold]", "3" * 120, "<=", "2", "NO"]
    assert lines[4].split() == ["a", "third", "4"]
    assert lines[5] == "  A note " + "n" * 100


def test_on_a_terminal_the_verdict_stands_beside_the_bound() -> None:
    output = io.StringIO()
    show(Table("Title", ("figure", "measured"), (HOLDS, FAILS)), Console(file=output, width=300, force_terminal=True))
    text = output.getvalue()
    assert "another [bold]" in text
    assert "yes" in text
    assert "NO" in text
