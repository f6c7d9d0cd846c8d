"""Reads the files that commands name; - is standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from amplify_jobs.errors import InvalidRoutesError


def read_file(file: str) -> bytes:
    """Read a file's content. Raises OSError."""
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def read_routes_file(file: str) -> bytes:
    """Read the content of a routes file. Raises InvalidRoutesError."""
    try:
        return read_file(file)
    except OSError as error:
        raise InvalidRoutesError([f"{file}: can't be read: {error.strerror}"]) from None
