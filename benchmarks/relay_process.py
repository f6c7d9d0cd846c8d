"""One relay in a process of its own: `python -m benchmarks.relay_process source target`; prints seconds and MiB."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from amplify_jobs.aws.git_http import GitRemote
from amplify_jobs.mirroring.relay import Order, Relay, Trace
from tests.support.git_server import LoopbackConnections


class NoClaims:
    """Nobody else relays to the branch."""

    def wait_for_predecessor(self, branch: str | None) -> None: ...

    def trace(self) -> Trace:
        return Trace()

    def claim(self, commit: str) -> None: ...


def most_memory() -> float:
    """The most memory that this process had, in MiB; that of getrusage counts the process before it, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    source, target = (
        GitRemote(address, LoopbackConnections(), lambda: None, credentials="no token", until=time.monotonic() + 600)
        for address in sys.argv[1:]
    )
    relay = Relay(source, target, open_file=tempfile.TemporaryFile, limit=1 << 40, claims=NoClaims())
    wall, cpu = time.perf_counter(), time.process_time()
    arrival = relay.run(Order("refs/heads/main", None, "main"))
    print(
        json.dumps(
            {
                "wall": time.perf_counter() - wall,
                "cpu": time.process_time() - cpu,
                "mebibytes": most_memory(),
                "objects": arrival.objects,
            }
        )
    )


if __name__ == "__main__":
    main()
