"""The form of Amplify's build logs: records with a time and a level, which hold markers of the builder and output.

A record is a chunk of output, not a line: it may have several lines, of which all but the first are indented without a
time, and it may end inside a line. WARNING means standard error; ERROR is the builder's own. Leading blanks of the
output are lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from amplify_jobs.diagnosing.bounds import CUT, bounded_bytes
from amplify_jobs.text import without_controls

_LONGEST_LINE = 64 * 1024
_RECORD = re.compile(
    r"[ \t]{0,8}(?:\d{1,6}[ \t]{1,8})?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?:Z|[+-]\d\d:?\d\d)?[ \t]{1,4}"
    r"\[([A-Z]{3,10})\]:?[ \t]?(.*)"
)
# The console's copy of a log has the number of each line between empty lines.
_LINE_NUMBERS = re.compile(r"\n[ \t]{0,40}\n\d{1,6}[ \t]{0,40}\n(?:[ \t]{0,40}\n)?(?=\d{4}-\d\d-)")
_COMMIT = re.compile(r"# Switching to commit: ?([0-9a-fA-F]{7,64})\b")
_MEMORY = re.compile(r"build compute type: ?(\d{1,3}) ?GiB Memory")
_EXIT_CODE = re.compile(r"failed with exit code (\d{1,3})\b")
_FRAGMENT = re.compile(r"npm(?: (?:ERR!|error|WARN|warn))?")
_BUILDER = "!!!"
# Without levels, only the builder's known words tell its lines from a program's.
_BUILDER_WORDS = re.compile(r"!!! (?:Build failed|Non-Zero Exit Code|(?:Customer)?Error: |Unable to )")
_PHASES = (
    ("# Cloning repository", "clone"),
    ("# Starting phase:", None),
    ("## Build completed successfully", "artifacts"),
    ("# Starting caching", "cache"),
    ("# Caching completed", "artifacts"),
    ("# Starting build artifact upload", "artifacts"),
    ("# Retrieving environment cache", "setup"),
)
_END = ("# Starting environment caching", "Terminating logging")
# Git's words about the commit hold the commit's message.
_CHECKOUT = ("HEAD is now at ", "Note: switching to ", "Note: checking out ", "Previous HEAD position was ")
_SUCCESS = ("## Build completed successfully", "# Build artifact upload completed", "Deployment complete")


@dataclass(frozen=True)
class Line:
    """A line of output, without time and indentation; `record` counts the records of the log."""

    text: str
    level: str
    record: int


@dataclass
class BuildLog:
    """What the log of a step says up to its end.

    `output` is what was printed since the last command began, or since the last phase, if none of its commands runs.
    `errors` is the builder's own text. `span_seconds` is the time between the first and the last record.
    """

    commit: str | None = None
    memory_gib: int | None = None
    phase: str | None = None
    command: str | None = None
    output: list[Line] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    is_amplify: bool = False
    is_successful: bool = False
    span_seconds: float = 0

    @property
    def exit_code(self) -> int | None:
        """The exit code of the command that failed, if the builder tells it."""
        match = _EXIT_CODE.search("\n".join(self.errors))
        return int(match[1]) if match else None


def parse(content: str | bytes) -> BuildLog:
    """Read a log of any form and size; only its head and its end are looked at. Raises nothing."""
    raw = content.encode(errors="replace") if isinstance(content, str) else content
    text = without_controls(bounded_bytes(raw).decode(errors="replace"))
    text = _LINE_NUMBERS.sub("\n", text)
    log = BuildLog()
    reader = _Reader(log)
    lines = text.split("\n")
    log.is_amplify = any(_RECORD.match(line) for line in lines)
    for line in lines:
        reader.read(line)
    reader.end()
    return log


class _Reader:
    """Reads lines in order; what it has read is in `log`."""

    def __init__(self, log: BuildLog) -> None:
        self._log = log
        self._level = ""
        self._record = 0
        self._times: list[str] = []
        self._is_ended = False
        # The last line of each level, which the next record of that level may continue.
        self._last: dict[str, int] = {}

    def read(self, line: str) -> None:
        record = _RECORD.match(line)
        if record:
            self._times[1:] = [record[1]]
            self._level = record[2]
            self._record += 1
        text = (record[3] if record else line).strip()
        if len(text) > _LONGEST_LINE:
            text = f"{text[: _LONGEST_LINE // 2]} {text[-_LONGEST_LINE // 2 :]}"
        if text == CUT:
            self._forget()
        elif not self._is_marker(text) and not self._is_ended:
            self._add(text, is_first=bool(record))

    def end(self) -> None:
        try:
            first, last = (datetime.fromisoformat(time.replace(",", ".")) for time in self._times)
        except ValueError:
            return
        self._log.span_seconds = (last - first).total_seconds()

    def _forget(self) -> None:
        self._log.phase = self._log.command = None
        self._clear()

    def _clear(self) -> None:
        self._log.output.clear()
        self._last.clear()

    def _is_marker(self, text: str) -> bool:
        log = self._log
        if text.startswith(_BUILDER) and (
            self._level == "ERROR" if log.is_amplify else bool(_BUILDER_WORDS.match(text))
        ):
            log.errors.append(text.removeprefix(_BUILDER).strip())
            return True
        if self._level == "ERROR" and log.errors:
            # Further lines of what the builder says.
            log.errors[-1] += f"\n{text}" if text else ""
            return True
        if self._level not in ("INFO", ""):
            return False
        if text.startswith(_SUCCESS):
            log.is_successful = True
        if text.startswith(_END):
            self._is_ended = True
            return True
        return self._is_phase(text)

    def _is_phase(self, text: str) -> bool:
        log = self._log
        if log.errors:
            return False
        if text.startswith("# Executing command:"):
            log.command = text.partition(":")[2].strip()
            self._clear()
        elif text.startswith("# Completed phase:"):
            log.command = None
            self._clear()
        elif commit := _COMMIT.match(text):
            log.commit = commit[1].lower()
            self._clear()
        elif memory := _MEMORY.search(text):
            log.memory_gib = int(memory[1])
        else:
            for marker, phase in _PHASES:
                if text.startswith(marker):
                    log.phase = phase or text.partition(":")[2].strip() or None
                    log.command = None
                    self._clear()
                    return True
            return text.startswith(("# ", "## ")) and log.command is None and log.is_amplify
        return True

    def _add(self, text: str, *, is_first: bool) -> None:
        output = self._log.output
        # HELP is a copy of npm's own log: it repeats all attempts.
        if not text or self._level == "HELP" or (self._log.command is None and text.startswith(_CHECKOUT)):
            return
        previous = self._last.get(self._level)
        if is_first and previous is not None and _is_continued(output[previous].text, text):
            output[previous] = Line(f"{output[previous].text} {text}", self._level, self._record)
            return
        self._last[self._level] = len(output)
        output.append(Line(text, self._level, self._record))


def _is_continued(fragment: str, text: str) -> bool:
    """Whether a record ended after npm's prefix, so that the next one goes on with the line."""
    return bool(_FRAGMENT.fullmatch(fragment)) and not text.startswith("npm")
