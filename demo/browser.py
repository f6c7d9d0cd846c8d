"""Opens a page in the browser of whoever sits at this terminal, if there is one."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
_REMOTE = ("SSH_CONNECTION", "SSH_TTY")


def has_browser(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a window can open where the person is: not at the other end of SSH, and not without a display.

    BROWSER counts first, as for Python's webbrowser: an empty one means that no browser is to be opened.
    """
    if "BROWSER" in environment:
        return bool(environment["BROWSER"])
    if any(environment.get(name) for name in _REMOTE):
        return False
    return platform == "darwin" or any(environment.get(name) for name in _DISPLAYS)


def open_page(address: str) -> bool:
    """Open a page, and say whether a browser took it."""
    if not has_browser(os.environ, sys.platform):
        return False
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False
