"""How long the local cloud takes from start to ready, beside the bare import of the libraries under it."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.figures import Row, Table
from benchmarks.running_cloud import PROJECT, running_cloud

ROUNDS = 5
MOST_SECONDS = 5.0
LIBRARIES = "import boto3, moto.core, moto.stepfunctions.models, samtranslator.translator.translator"


@dataclass(frozen=True)
class Start:
    """One start: seconds from the process's start to its goal, and seconds of CPU until its end."""

    wall: float
    cpu: float


def measure(console: Console) -> list[Table]:
    """Start the local cloud and the bare import in turn; the first round, which fills caches, does not count."""
    clouds, imports = [], []
    for round_number in range(ROUNDS + 1):
        console.print(f"start_up: round {round_number} of {ROUNDS}", highlight=False)
        imports.append(_start(_import_libraries))
        clouds.append(_start(_start_cloud))
    cloud, bare = clouds[1:], imports[1:]
    ready = median(start.wall for start in cloud)
    return [
        Table(
            f"Start-up of the local cloud ({ROUNDS} rounds, in turn)",
            ("what", "median", "slowest", "CPU", "of the bare import", "its CPU"),
            (
                Row(
                    _cells("make local, to GET /health 200", cloud, bare),
                    f"median <= {MOST_SECONDS:.0f} s",
                    ready <= MOST_SECONDS,
                ),
                Row(_cells("bare import of moto and the SAM translator", bare, bare)),
            ),
        )
    ]


def _cells(label: str, starts: list[Start], bare: list[Start]) -> tuple[str, ...]:
    wall, cpu = median(start.wall for start in starts), median(start.cpu for start in starts)
    return (
        label,
        f"{wall:.2f} s",
        f"{max(start.wall for start in starts):.2f} s",
        f"{cpu:.2f} s",
        f"{wall / median(start.wall for start in bare):.2f}",
        f"{cpu / median(start.cpu for start in bare):.2f}",
    )


def _start(goal: Callable[[], float]) -> Start:
    before = children_cpu()
    wall = goal()
    return Start(wall, children_cpu() - before)


def _start_cloud() -> float:
    with tempfile.TemporaryDirectory() as folder, running_cloud(Path(folder)) as cloud:
        return cloud.seconds_to_ready


def _import_libraries() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIBRARIES], cwd=PROJECT, check=True)
    return time.perf_counter() - started


def children_cpu() -> float:
    """Seconds of CPU that ended child processes, and those that they waited for, have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
