"""The lines of a log, put together from its parts, with those marked that show why the step failed."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from amplify_jobs.indexing.answers import LogText
from amplify_jobs.text import without_controls


class LogMarker:
    """Takes parts of a log in their order, and gives the lines that are whole."""

    def __init__(self, *, only_failing: bool) -> None:
        self._only_failing = only_failing
        self._number = 0
        self._begun = ""
        self._failing: tuple[int, int] | None = None

    def lines(self, part: LogText) -> Iterator[Text]:
        """The whole lines of the log so far that were not given yet."""
        self._failing = part.failing_lines or self._failing
        *whole, self._begun = (self._begun + part.text).split("\n")
        for line in whole:
            yield from self._line(line)

    def rest(self) -> Iterator[Text]:
        """The last line, if it has no end."""
        if self._begun:
            yield from self._line(self._begun)

    def _line(self, line: str) -> Iterator[Text]:
        self._number += 1
        first, last = self._failing or (0, -1)
        is_failing = first <= self._number <= last
        if is_failing or not self._only_failing:
            yield Text(without_controls(line).rstrip("\n"), "bold red" if is_failing else "")
