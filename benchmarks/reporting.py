"""From an announcement to the report that its target accepted: time beside that of a push, CPU beside that of a job.

Announcements are put on the stack's bus as the service puts them. The target is a chat's stand-in of the local cloud.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console

from benchmarks.figures import Row, Table
from benchmarks.running_cloud import running_cloud
from benchmarks.start_up import children_cpu
from benchmarks.subjects import UNKNOWN_APP
from benchmarks.team import Team, announcement, until

ROUNDS = 30
REPORTS = 100
JOBS = 30
# So many of each are done before, so that processes of the functions are there.
BEFORE = 4
# Two functions and a queue, beside one function.
MOST_OF_PUSH = 8.0
# A job has two reports at each target, of its start and of its end; both cost less than the job.
MOST_OF_JOB = 0.5
REJECTED = "rejected"
BUILT = "built"
_REQUEST = re.compile(r"^\*Request:\* (.+)$", re.MULTILINE)


def measure(console: Console) -> list[Table]:
    """Measure times in turn on one local cloud, and CPU on three: one at rest, one that reports, one that builds."""
    console.print(f"reporting: {ROUNDS} announcements and pushes in turn", highlight=False)
    reports, answers = _times()
    console.print(f"reporting: {REPORTS} announcements, then {JOBS} jobs", highlight=False)
    rest, of_reports, of_jobs = (
        _cpu(work) for work in (lambda _: None, lambda bench: bench.report(REPORTS), lambda bench: bench.build(JOBS))
    )
    report, job = (of_reports - rest) / REPORTS, (of_jobs - rest) / JOBS
    return [_time_table(reports, answers), _cpu_table(report, job)]


def _time_table(reports: list[float], answers: list[float]) -> Table:
    ratio = median(reports) / median(answers)
    return Table(
        f"From an announcement to its report, beside a push and its answer ({ROUNDS} rounds, in turn)",
        ("what", "median", "slowest tenth", "of the push"),
        (
            Row(
                (*_cells("announcement, to the report that a chat accepted", reports), f"{ratio:.2f}"),
                f"<= {MOST_OF_PUSH:.1f}",
                ratio <= MOST_OF_PUSH,
            ),
            Row((*_cells("signed push, to its answer 202", answers), "1.00")),
        ),
        ("a report passes plan_reports, a FIFO queue and send_report, a push receive_webhook; all are warm.",),
    )


def _cells(label: str, seconds: list[float]) -> tuple[str, str, str]:
    return label, f"{median(seconds) * 1000:.0f} ms", f"{quantiles(seconds, n=10)[-1] * 1000:.0f} ms"


def _cpu_table(report: float, job: float) -> Table:
    ratio = report / job
    return Table(
        f"CPU of a report ({REPORTS} of them) and of a job ({JOBS} of them)",
        ("what", "CPU", "of the job"),
        (
            Row(
                ("announcement, to the report that a chat accepted", f"{report:.3f} s", f"{ratio:.2f}"),
                f"<= {MOST_OF_JOB:.1f}",
                ratio <= MOST_OF_JOB,
            ),
            Row(("push, to the announcement of its job's end", f"{job:.3f} s", "1.00")),
        ),
        ("the CPU of the local cloud and of its functions, less that of one at rest; both are indexed.",),
    )


def _times() -> tuple[list[float], list[float]]:
    """Seconds from an announcement to its report, and from a push to its answer."""
    with tempfile.TemporaryDirectory() as name, running_cloud(Path(name)) as cloud:
        bench = _Bench(Team(cloud, Path(name)))
        reports, answers = [], []
        # The first round starts the functions.
        for round_number in range(ROUNDS + 1):
            seconds = bench.seconds_to_report(), bench.seconds_to_answer()
            if round_number:
                reports.append(seconds[0])
                answers.append(seconds[1])
        return reports, answers


def _cpu(work: Callable[[_Bench], object]) -> float:
    """Seconds of CPU of a local cloud that does some work, from its start to its end."""
    before = children_cpu()
    with tempfile.TemporaryDirectory() as name, running_cloud(Path(name)) as cloud:
        bench = _Bench(Team(cloud, Path(name)))
        bench.report(BEFORE)
        bench.build(BEFORE)
        work(bench)
    return children_cpu() - before


class _Bench:
    """A team with a chat that gets the announcements of the route `reported`, and an app that nothing reports on."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self._events = team.client("events")
        self._numbers = count(1)
        self._pushes = 0
        team.route(REJECTED, UNKNOWN_APP)
        team.app(BUILT, [f"b{number}" for number in range(BEFORE + JOBS)], "true")
        team.report_to_chat()
        team.store_routes()

    def announce(self) -> str:
        """Put an announcement on the bus, and give its request id."""
        name = f"reported-{next(self._numbers)}"
        event = announcement(name)
        entry = {"EventBusName": self.team.outputs["busName"], "Source": event["source"]}
        entry |= {"DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        answer = self._events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise RuntimeError(f"the bus refused an announcement: {answer['Entries']}")
        return name

    def reported(self) -> dict[str, datetime]:
        """When the chat got the report about each request."""
        return {
            name: datetime.fromisoformat(report["at"])
            for report in self.team.received_reports()
            for name in _REQUEST.findall(report["content"]["blocks"][1]["text"]["text"])
        }

    def report(self, number: int) -> None:
        """Announce so many ends at once, and wait for their reports."""
        names = {self.announce() for _ in range(number)}
        until(lambda: names <= self.reported().keys(), f"all of {number} reports", every_seconds=0.5)

    def build(self, number: int) -> None:
        """Push to so many further branches at once, and wait until the executions have announced the ends."""
        for _ in range(number):
            status, answer = self.team.deliver(self.team.push(BUILT, f"b{self._pushes}"))
            self._pushes += 1
            if status != 202:
                raise RuntimeError(f"a push was answered {status}: {answer}")

        def ended() -> bool:
            statuses = [execution["status"] for execution in self.team.executions()]
            return statuses == ["SUCCEEDED"] * self._pushes

        until(ended, f"end of {number} executions", every_seconds=0.5)

    def seconds_to_report(self) -> float:
        started = datetime.now(UTC)
        name = self.announce()
        at: datetime = until(lambda: self.reported().get(name), "report", every_seconds=0.01)
        return (at - started).total_seconds()

    def seconds_to_answer(self) -> float:
        """Push for an app that does not exist, and wait until the request was rejected."""
        push = self.team.push(REJECTED, "main")
        started = time.perf_counter()
        status, answer = self.team.deliver(push)
        seconds = time.perf_counter() - started
        if status != 202:
            raise RuntimeError(f"a push was answered {status}: {answer}")
        until(
            lambda: all(execution["status"] != "RUNNING" for execution in self.team.executions()),
            "end of the execution",
        )
        return seconds
