"""The command `amplify-jobs`, which Ctrl-C ends at any moment without a word; the commands are in cli.py."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run a command of the command line."""
    # Before the imports, which take a third of a second.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from amplify_jobs.cli import main as run  # noqa: PLC0415

    return run()


if __name__ == "__main__":
    sys.exit(main())
