"""Runs targets of make side by side, for `make check`.

Each target gets a line when it ends. A target that passed shows the last line of its output, one that failed all of it.
The exit code is 0 if all targets passed, 1 if one failed, and 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

MAKE = os.environ.get("MAKE", "make")
INTERRUPTED = 130
WIDTH = 100


@dataclass(frozen=True)
class Result:
    """How a target ended, and everything that it printed."""

    target: str
    exit_code: int
    seconds: float
    output: str

    def report(self) -> str:
        """One line, and the output below it if the target failed."""
        line = f"{'passed' if self.exit_code == 0 else 'FAILED'}  {self.target:<10}{self.seconds:6.1f} s"
        if self.exit_code != 0:
            return f"{line}\n{self.output.rstrip()}\n"
        last = self.output.rpartition("\n")[2]
        return f"{line}  {last.strip('= ')[:WIDTH]}".rstrip()


def run(target: str) -> Result:
    """Run a target to its end."""
    # The flags of the make that called this one name its job server, which this process does not have.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    start = time.monotonic()
    process = subprocess.run(
        [MAKE, "--no-print-directory", target],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        check=False,
    )
    return Result(target, process.returncode, time.monotonic() - start, process.stdout.rstrip())


def main(targets: Sequence[str]) -> int:
    """Run all targets at once, also if one fails."""
    print(f"Running side by side: {', '.join(targets)}", flush=True)
    failed = []
    with ThreadPoolExecutor(len(targets)) as pool:
        for future in as_completed([pool.submit(run, target) for target in targets]):
            result = future.result()
            print(result.report(), flush=True)
            if result.exit_code != 0:
                failed.append(result.target)
    print(f"Failed: {', '.join(failed)}" if failed else "All passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
