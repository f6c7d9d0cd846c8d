"""Cold start and warm time of each function under AWS's own runtime client, against an ordinary function.

Each function answers a real event: the local cloud runs in another process, with an app whose job is being followed.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.figures import Row, Table
from benchmarks.running_cloud import running_cloud
from benchmarks.subjects import Subject, call, ordinary_function, subjects
from benchmarks.team import Team
from local.services.functions.processes import ForkServer, Program
from local.services.functions.runtime import ExecutionEnvironment

# What the first answer may take of the ordinary function's; a git host waits for receive_webhook.
MOST_OF_ORDINARY = {"receive_webhook": 0.75}
MOST_OF_ORDINARY_OTHERWISE = 1.1

ROUNDS = 10
WARM_CALLS = 3


@dataclass
class Times:
    """Seconds: from process start until the first event is asked for, until the first answer, and of later answers."""

    ready: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)


def measure(console: Console) -> list[Table]:
    """Start each function and the ordinary one in turn, ROUNDS times; the first round fills caches only."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        console.print("cold_start: starting a local cloud and a job to follow", highlight=False)
        # Without packages, each process starts Python anew, as a cold start on AWS does.
        with (
            closing(ForkServer(packages=())) as processes,
            running_cloud(folder) as cloud,
            subjects(cloud, Team(cloud, folder)) as functions,
        ):
            ordinary = ordinary_function(cloud)
            for subject in functions:
                console.print(f"cold_start: {subject.name}, {ROUNDS} rounds", highlight=False)
                of_subject, of_ordinary = Times(), Times()
                for round_number in range(ROUNDS + 1):
                    _run(processes, ordinary, folder, of_ordinary if round_number else Times())
                    _run(processes, subject, folder, of_subject if round_number else Times())
                rows.append(_row(subject.name, of_subject, of_ordinary))
    return [
        Table(
            f"Cold start and warm time under the runtime client ({ROUNDS} rounds, in turn with an ordinary function)",
            ("function", "ready", "first answer", "warm answer", "ready: ratio", "first: ratio", "warm: ratio"),
            rows,
            (
                "ready: from process start until the first event is asked for; first answer: from process start too.",
                "ratio: to the ordinary function (benchmarks/ordinary_function), which makes no call to AWS;",
                "the functions' answers include their calls to the local cloud.",
            ),
        )
    ]


def _row(name: str, times: Times, ordinary: Times) -> Row:
    first = median(times.first) / median(ordinary.first)
    most = MOST_OF_ORDINARY.get(name, MOST_OF_ORDINARY_OTHERWISE)
    return Row(
        (
            name,
            *(f"{median(seconds) * 1000:.0f} ms" for seconds in (times.ready, times.first)),
            f"{median(times.warm) * 1000:.1f} ms",
            f"{median(times.ready) / median(ordinary.ready):.2f}",
            f"{first:.2f}",
            f"{median(times.warm) / median(ordinary.warm):.1f}",
        ),
        f"first <= {most:.2f}",
        first <= most,
    )


def _run(processes: ForkServer, subject: Subject, folder: Path, times: Times) -> None:
    subject.settle()
    event = subject.event()
    started = time.perf_counter()
    program = Program("handler.handler", subject.folder, subject.variables, folder / f"{subject.name}.log")
    environment = ExecutionEnvironment(processes, program)
    try:
        times.ready.append(time.perf_counter() - started)
        call(subject, environment, event)
        times.first.append(time.perf_counter() - started)
        for _ in range(WARM_CALLS):
            subject.settle()
            event = subject.event()
            started = time.perf_counter()
            call(subject, environment, event)
            times.warm.append(time.perf_counter() - started)
    finally:
        environment.close()
