"""A folder that one process at a time keeps its state in: whoever has it holds a lock that ends with the process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

LOCK_NAME = "lock"


class FolderInUseError(Exception):
    """Another process has the folder; the message names both."""


@contextmanager
def claimed_folder(folder: Path) -> Iterator[Path]:
    """Have a folder alone while the block runs. Raises FolderInUseError."""
    folder.mkdir(parents=True, exist_ok=True)
    # The process that is named there may be gone; the lock is what counts.
    with (folder / LOCK_NAME).open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise FolderInUseError(f"{folder} is in use by process {lock.read().strip() or '?'}") from None
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield folder


@contextmanager
def free_folder(folder: Path) -> Iterator[Path]:
    """Have a folder alone while the block runs: this one, or the first of `-2`, `-3`, … that no process has."""
    for number in count(1):
        candidate = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        claim = claimed_folder(candidate)
        try:
            claimed = claim.__enter__()
        except FolderInUseError:
            continue
        try:
            yield claimed
        finally:
            claim.__exit__(None, None, None)
        return
