"""What the demonstration looks like: steps with their times, acts and cards, at any width or in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from rich.cells import cell_len
from rich.console import Console
from rich.status import Status
from rich.text import Text

from amplify_jobs_cli.output.screen import broken

LABEL_WIDTH = 9
# A step and its time fit into a terminal of 60 columns; into a narrower one its name takes several lines.
_STEP_WIDTH = 44
_TIME_WIDTH = 9
_NARROWEST = 20


class Mark(Enum):
    """How something came out: a sign, the sign where only ASCII can be shown, and a colour."""

    GOOD = "✓", "+", "green"
    BAD = "✗", "x", "red"
    NONE = "○", "o", "yellow"

    def __init__(self, sign: str, plain_sign: str, style: str) -> None:
        self.sign = sign
        self.plain_sign = plain_sign
        self.style = style


class Screen:
    """Prints to a console. Lines break between words; an address stays whole, so that a terminal can open it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._is_plain = console.options.ascii_only

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Name what the block does while it runs, and then how long it took."""
        began = time.monotonic()
        with self.waiting(name):
            yield
        took = f"{time.monotonic() - began:.1f} s"
        sign = Text.assemble("  ", self._sign(Mark.GOOD), " ")
        width = min(_STEP_WIDTH, self._room(sign.cell_len + _TIME_WIDTH) or _STEP_WIDTH)
        first, *rest = broken(Text(name), width)
        first.rstrip()
        self._print(Text.assemble(sign, f"{first.plain:<{width}}{took:>{_TIME_WIDTH}}"))
        for line in rest:
            self.detail(line.plain)

    @contextmanager
    def waiting(self, subject: str) -> Iterator[Status]:
        """Say what is waited for while the block runs; nothing where lines cannot be drawn anew."""
        spinner = "line" if self._is_plain else "dots"
        with self.console.status(Text(subject), spinner=spinner) as status:
            yield status

    def detail(self, text: str) -> None:
        """Print more on the step before."""
        self._broken(Text("    "), text)

    def head(self, number: int, title: str) -> None:
        """Begin an act."""
        style = "bold underline" if self._is_live() else "bold"
        self._print(Text())
        self._broken(Text(), Text(title, style), Text(f"{number}  ", style))

    def command(self, command: str) -> None:
        """Print a command as a shell shows it."""
        self._print(Text.assemble("$ ", (command, "bold")))

    def remote(self, text: str) -> None:
        """Print what a git host says, as git shows it."""
        indent = " " * (len(text) - len(text.lstrip()))
        self._broken(Text(f"remote: {indent}", "dim"), Text(text.strip(), "dim"))

    def line(self, text: str = "", style: str = "") -> None:
        """Print a line, broken between words."""
        self._broken(Text(), Text(text, style))

    def copyable(self, command: str) -> None:
        """Print a command in one piece, however long it is."""
        self._print(Text(f"    {command}"))

    def title(self, mark: Mark, heading: str, *more: str) -> None:
        """Begin a card."""
        title = Text.assemble(self._sign(mark), " ", (heading, f"bold {mark.style}"))
        self._broken(self._bar(mark), title.append("".join(f" · {part}" for part in more if part)))

    def fact(self, mark: Mark, label: str, text: str | None) -> None:
        """Print a line of a card; nothing if there is no text."""
        if not text:
            return
        bar, name = self._bar(mark), Text(f"{label:<{LABEL_WIDTH}}", "bold")
        if self._fits(text, bar.cell_len + LABEL_WIDTH):
            self._broken(bar, text, name)
        else:
            self._print(Text.assemble(bar, name))
            self._broken(bar, text)

    def _fits(self, text: str, indent: int) -> bool:
        """Whether each word of a text fits into a line after so many columns."""
        longest = max(map(cell_len, text.split()), default=0)
        return not self._is_live() or indent + longest <= self.console.width

    def _broken(self, prefix: Text, text: Text | str, label: Text | None = None) -> None:
        """Print a text in as many lines as it needs, each after the prefix and the first one after the label."""
        content = Text(text) if isinstance(text, str) else text
        beside = label or Text()
        for number, line in enumerate(broken(content, self._room(prefix.cell_len + beside.cell_len))):
            line.rstrip()
            self._print(Text.assemble(prefix, Text(" " * beside.cell_len) if number else beside, line))

    def _room(self, indent: int) -> int | None:
        """The columns that are left of a line after so many; None where lines have no end."""
        return max(self.console.width - indent, _NARROWEST) if self._is_live() else None

    def _is_live(self) -> bool:
        return self.console.is_terminal

    def _bar(self, mark: Mark) -> Text:
        return Text("| " if self._is_plain else "┃ ", mark.style)

    def _sign(self, mark: Mark) -> Text:
        return Text(mark.plain_sign if self._is_plain else mark.sign, f"bold {mark.style}")

    def _print(self, line: Text) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)
