"""100 and 1,000 pushes, at once and at ten a second: what is taken, whether all end, and the CPU that a push costs."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Row, Table
from benchmarks.running_cloud import running_cloud
from benchmarks.start_up import children_cpu
from benchmarks.team import Team

# Amplify's quota is 50 branches an app.
APPS = 4
BRANCHES = 25
SIZES = (100, 1000)
PACES = (("at once", None), ("at 10/s", 10.0))
MOST_GROWTH = 1.2
PATIENCE_SECONDS = 1800.0
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Load:
    """What came of so many pushes; seconds are from the first push, `cpu` those of the whole process tree, a push."""

    pushes: int
    pace: str
    answers: Counter[int]
    slowest: float
    answered: float
    ended: float
    executions: Counter[str]
    cpu: float

    @property
    def holds(self) -> bool:
        return self.answers == {202: self.pushes} and self.executions == {"SUCCEEDED": self.pushes}


def measure(console: Console) -> list[Table]:
    """Push each number at each pace, to a local cloud of its own. BENCH_GROWTH="1000 at once" does that one alone."""
    only = os.environ.get("BENCH_GROWTH")
    loads = [
        _load(console, size, pace, rate) for pace, rate in PACES for size in SIZES if only in {None, f"{size} {pace}"}
    ]
    columns = ("pushes", "answers", "slowest answer", "last answer", "all ended", "executions", "CPU a push")
    return [Table("Growth", columns, [_row(load, loads) for load in loads])]


def _row(load: Load, loads: Sequence[Load]) -> Row:
    few = next(
        (small_load for small_load in loads if small_load.pace == load.pace and small_load.pushes == SIZES[0]), load
    )
    cells = (
        f"{load.pushes} {load.pace}",
        ", ".join(f"{count} {status}" for status, count in sorted(load.answers.items())),
        f"{load.slowest:.1f} s",
        f"{load.answered:.1f} s",
        f"{load.ended:.1f} s",
        ", ".join(f"{count} {status}" for status, count in sorted(load.executions.items())),
        f"{load.cpu:.2f} s ({load.cpu / few.cpu:.2f} of {few.pushes}'s)",
    )
    bound = f"all taken and ended; CPU <= {MOST_GROWTH} of {SIZES[0]}'s"
    return Row(cells, bound, load.holds and load.cpu <= MOST_GROWTH * few.cpu)


def _load(console: Console, size: int, pace: str, rate: float | None) -> Load:
    console.print(f"growth: {size} pushes {pace}", highlight=False)
    before = children_cpu()
    with tempfile.TemporaryDirectory() as name, running_cloud(Path(name)) as cloud:
        team = Team(cloud, Path(name))
        branches = [f"branch-{number:02}" for number in range(BRANCHES)]
        for app in range(APPS):
            team.app(f"site-{app}", branches, "true")
        team.store_routes()
        deliveries = [team.push(f"site-{number % APPS}", branches[number // APPS % BRANCHES]) for number in range(size)]
        started = time.perf_counter()

        def deliver(number: int) -> tuple[int, float]:
            due = started + (number / rate if rate else 0.0)
            time.sleep(max(0.0, due - time.perf_counter()))
            status, _ = team.deliver(deliveries[number])
            return status, time.perf_counter() - due

        with ThreadPoolExecutor(size) as pool:
            answers = list(pool.map(deliver, range(size)))
        answered = time.perf_counter() - started
        executions = _ended(team, sum(status == 202 for status, _ in answers))
        ended = time.perf_counter() - started
    return Load(
        size,
        pace,
        Counter(status for status, _ in answers),
        max(seconds for _, seconds in answers),
        answered,
        ended,
        executions,
        (children_cpu() - before) / size,
    )


def _ended(team: Team, count: int) -> Counter[str]:
    """The statuses of all executions, once so many are there and none runs, or once patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        statuses = Counter(str(execution["status"]) for execution in team.executions())
        if (statuses.total() >= count and not statuses["RUNNING"]) or time.monotonic() > deadline:
            return statuses
        time.sleep(LOOK_SECONDS)
