"""Runs mypy over everything; every function's module is called handler, so each is checked in a run of its own."""

import subprocess
import sys
from pathlib import Path

TOGETHER = [
    "layers/core/amplify_jobs",
    "cli/amplify_jobs_cli",
    "cli/amplify_jobs_console",
    "local",
    "demo",
    "tests",
    "benchmarks",
    "campaign",
    "smoke",
    "tools",
]


def main() -> int:
    handlers = sorted(Path("functions").glob("*/handler.py"))
    runs = [TOGETHER, *([str(handler)] for handler in handlers)]
    return max(subprocess.run([sys.executable, "-m", "mypy", *paths], check=False).returncode for paths in runs)


if __name__ == "__main__":
    sys.exit(main())
