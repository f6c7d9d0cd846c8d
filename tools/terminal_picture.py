"""Makes the picture of `make run` in docs/pictures: what it prints on a terminal, as far as its third act."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "pictures" / "make-run.svg"
COLUMNS = 100
FOURTH_ACT = re.compile(r"\n(?:\x1b\[[\d;]*m)*4  ")
_STEERING = re.compile(r"\x1b\[\?\d+[lh]|\r")
# What is waited for is drawn over and over, and taken back in the end.
_DRAWN_OVER = re.compile(r"[^\n]*(?:\n\x1b\[1A)?\x1b\[2K")
# A browser would load the fonts from elsewhere, and an image of a page may not.
_FONTS = re.compile(r"@font-face \{.*?\}\n?", re.DOTALL)


def main() -> int:
    """Make the picture; the exit code is that of the demonstration."""
    printed, code = play()
    text = FOURTH_ACT.split(_DRAWN_OVER.sub("", _STEERING.sub("", printed)))[0].rstrip()
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(text))
    picture = console.export_svg(title="make run", theme=DIMMED_MONOKAI, unique_id="make-run")
    FILE.write_text(_FONTS.sub("", picture), encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {FILE.stat().st_size // 1000} kB")
    return code


def play() -> tuple[str, int]:
    """Run the demonstration on a terminal, and give what it wrote and its exit code."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 100, COLUMNS, 0, 0))
    variables = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    variables.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "demo", "--once"]
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdin=terminal, stdout=terminal, stderr=terminal
    ) as process:
        os.close(terminal)
        written = b""
        # A terminal that every process has left is at its end, which is an error on Linux.
        with suppress(OSError):
            while chunk := os.read(controller, 65536):
                written += chunk
        os.close(controller)
    return written.decode("utf-8", "replace").replace("\r\n", "\n"), process.returncode


if __name__ == "__main__":
    sys.exit(main())
