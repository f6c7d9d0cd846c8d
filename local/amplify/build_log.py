"""A build's log, in the form that Amplify's own have: a time, a level, a text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType


class BuildLog:
    """Appends to a log file that may be read at any moment; every line is there once its call returns.

    `secrets` are texts that never appear in it, such as the password in a repository's address.
    """

    def __init__(self, path: Path, secrets: tuple[str, ...] = ()) -> None:
        self._file = path.open("ab", buffering=0)
        self._secrets = secrets
        self._unfinished = b""

    def __enter__(self) -> BuildLog:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.flush()
        self._file.close()

    def info(self, text: str) -> None:
        self._line("INFO", text)

    def warning(self, text: str) -> None:
        self._line("WARNING", text)

    def error(self, text: str) -> None:
        self._line("ERROR", text)

    def output(self, chunk: bytes) -> None:
        """Take what a command printed, cut anywhere; it is written line by line."""
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        for line in lines:
            self._line("INFO", line.rstrip(b"\r").decode("utf-8", "replace"))

    def flush(self) -> None:
        """Write the line that a command began and did not end."""
        if self._unfinished:
            self.output(b"\n")

    def _line(self, level: str, text: str) -> None:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._file.write(f"{moment} [{level}]: {text}\n".encode("utf-8", "replace"))
