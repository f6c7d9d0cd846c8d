"""Where the commands print: a terminal of some width, or a pipe, which nothing is cut or coloured for."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from pydantic import BaseModel
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from amplify_jobs.text import without_controls
from amplify_jobs_cli.output.table import Cell, Column, table_lines

LABEL_WIDTH = 11


def screen(file: TextIO | None = None) -> Console:
    """A file, or standard output. NO_COLOR, TERM and COLUMNS count, as the library reads them."""
    return Console(file=file or sys.stdout, highlight=False, markup=False, emoji=False)


def is_live(console: Console) -> bool:
    """Whether lines may be drawn anew: on a terminal, and not in the log of a CI service, which may look like one."""
    return console.is_terminal and not console.is_dumb_terminal and os.environ.get("CI", "") in ("", "0", "false")


def width(console: Console) -> int | None:
    """The columns of the terminal; None for a pipe and for the log of a CI service."""
    return console.width if is_live(console) else None


def put(console: Console, line: Text | str = "") -> None:
    """Print a line as it is: the terminal breaks it, and an address stays whole."""
    console.print(line, soft_wrap=True)


def broken(text: Text, columns: int | None) -> list[Text]:
    """The lines of a text, broken between words to fit into so many columns; not broken where there is no limit.

    A word that is too long stays whole: it may be an address.
    """
    lines = list(text.split("\n", allow_blank=True))
    return lines if columns is None else [part for line in lines for part in line.divide(_breaks(line.plain, columns))]


def _breaks(line: str, columns: int) -> list[int]:
    """Where the lines after the first one begin."""
    begin, breaks = 0, []
    for word in re.finditer(r"\S+", line):
        if line[begin : word.start()].strip() and cell_len(line[begin : word.end()]) > columns:
            begin = word.start()
            breaks.append(begin)
    return breaks


def labelled(console: Console, label: str, text: Text | str | None, style: str = "bold") -> None:
    """Print a text with its label before it, broken between words; nothing if there is no text."""
    if not text:
        return
    value = text if isinstance(text, Text) else Text(without_controls(text))
    columns = width(console)
    room = columns - LABEL_WIDTH if columns is not None and columns > 2 * LABEL_WIDTH else None
    for number, line in enumerate(broken(value, room)):
        line.rstrip()
        put(console, Text.assemble((f"{'' if number else label:<{LABEL_WIDTH}}", style), line))


def put_table(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], otherwise: str) -> None:
    """Print a table, or what to say where it has no rows."""
    if not rows:
        put(console, otherwise)
    else:
        for line in table_lines(columns, rows, width(console)):
            put(console, line)


def put_json(document: Any) -> None:
    """Print a value for programs."""
    print(json.dumps(as_json(document), indent=2, ensure_ascii=False))


def as_json(document: Any) -> Any:
    """A value of JSON's kind: models by their names in JSON."""
    if isinstance(document, BaseModel):
        return document.model_dump(mode="json", by_alias=True)
    if isinstance(document, dict):
        return {name: as_json(value) for name, value in document.items()}
    if isinstance(document, Iterable) and not isinstance(document, str):
        return [as_json(value) for value in document]
    return document
