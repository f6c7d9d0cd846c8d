"""Tables fit their terminal, and lose nothing in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from amplify_jobs.text import one_line
from amplify_jobs_cli.output.table import Column, table_lines

COLUMNS = (
    Column("STATE"),
    Column("BRANCH"),
    Column("WHAT", importance=2, in_title=False, flexible=True),
    Column("BY", importance=1, in_title=False),
    Column("REQUEST", in_title=False),
)
ROW = ("running", "main", "Say hello to everybody", "ada", "web-1")


def shown(width: int | None, *rows: Sequence[str]) -> list[str]:
    cells = [[(text, "") for text in row] for row in rows]
    return [line.plain for line in table_lines(COLUMNS, cells, width)]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            None,
            [
                "STATE    BRANCH  WHAT                    BY   REQUEST",
                "running  main    Say hello to everybody  ada  web-1",
            ],
        ),
        (
            50,
            ["STATE    BRANCH  WHAT                 BY   REQUEST", "running  main    Say hello to every…  ada  web-1"],
        ),
        (40, ["STATE    BRANCH  BY   REQUEST", "running  main    ada  web-1"]),
        (25, ["STATE    BRANCH  REQUEST", "running  main    web-1"]),
        (22, ["running main", "  Say hello to everyb…", "  ada", "  web-1"]),
    ],
)
def test_what_matters_least_is_left_out_first(width: int | None, expected: list[str]) -> None:
    assert shown(width, ROW) == expected


def test_an_empty_column_is_left_out() -> None:
    assert shown(None, ("running", "main", "", "", "web-1"))[0] == "STATE    BRANCH  REQUEST"


texts = st.text(max_size=60)


@given(rows=st.lists(st.tuples(texts, texts, texts, texts, texts), min_size=1, max_size=4), width=st.integers(10, 200))
def test_no_line_but_one_with_an_id_is_wider_than_the_terminal(rows: list[tuple[str, ...]], width: int) -> None:
    """An id is never cut: nobody could use it."""
    ids = {one_line(row[-1]) for row in rows}
    for line in shown(width, *rows):
        assert cell_len(line) <= width or line.strip() in ids
        assert line.isprintable() or "\n" not in line


@given(st.lists(st.tuples(texts, texts, texts, texts, texts), min_size=1, max_size=4))
def test_a_pipe_gets_everything(rows: list[tuple[str, ...]]) -> None:
    lines = shown(None, *rows)
    assert len(lines) == len(rows) + 1
    for line, row in zip(lines[1:], rows, strict=True):
        assert all(one_line(text) in line for text in row)
