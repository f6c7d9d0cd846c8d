"""The program `amplify-jobs`: runs the command line, and ends without a traceback when it is interrupted."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def run() -> int:
    """Run the command that the program was called with, and return its exit code."""
    try:
        # Most of a short command's time: it may be interrupted too.
        from amplify_jobs_cli.cli import main  # noqa: PLC0415

        code = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has enough of it; Python's own flush at the end would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


if __name__ == "__main__":
    sys.exit(run())
