"""What Ctrl-C does: nothing is printed but what the program says itself, at any moment of its life."""

from __future__ import annotations

import signal
from types import FrameType


def die_silently() -> None:
    """Let Ctrl-C end this process at once: for as long as nothing runs that would have to be stopped."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_once() -> None:
    """Let the first Ctrl-C raise KeyboardInterrupt, and ignore those that follow: they would cut the stop short."""
    signal.signal(signal.SIGINT, _raise_and_ignore)


def _raise_and_ignore(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt
