"""How a program ends whose reader has had enough: `| head` closes the pipe before the last line."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable


def until_nobody_reads(main: Callable[[], int]) -> int:
    """Run a program and return its exit code; 1, without a traceback, if the reader of its output is gone."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        if not _is_broken():
            raise
        # Python's own flush at the end would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _is_broken() -> bool:
    """Whether it is the output that nobody reads, and not a connection."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(state & (select.POLLERR | select.POLLHUP) for _, state in output.poll(0))
