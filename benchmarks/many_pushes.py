"""200 signed pushes for 200 branches at once, over HTTP to a running local cloud, and what became of each."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks.figures import Row, Table
from benchmarks.running_cloud import running_cloud
from benchmarks.start_up import children_cpu
from benchmarks.team import Delivery, Team, until

PUSHES = 200
# Amplify's quota is 50 branches an app.
APPS = 4
PUSHES_ALONE = 10


@dataclass(frozen=True)
class Answer:
    """What a delivery was answered, and after how many seconds."""

    status: int
    requests: list[dict[str, Any]]
    deferred: int
    seconds: float


def measure(console: Console) -> list[Table]:
    """Push one by one, then all at once; wait until every execution has ended; count what there is."""
    before = children_cpu()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        console.print(
            f"many_pushes: starting a local cloud with {APPS} apps of {PUSHES // APPS} branches", highlight=False
        )
        with running_cloud(folder) as cloud:
            figures = _push_and_count(Team(cloud, folder), console)
    return [figures.table(children_cpu() - before)]


@dataclass(frozen=True)
class Figures:
    """What was counted; `alone` are the seconds of single pushes, `wall` those of all at once."""

    answers: list[Answer]
    alone: list[float]
    wall: float
    until_ended: float
    executions: Counter[str]
    jobs: Counter[str]
    announced: Counter[str]

    def table(self, cpu: float) -> Table:
        accepted = sum(answer.status == 202 for answer in self.answers)
        requests = [request for answer in self.answers for request in answer.requests]
        duplicates = sum(request["duplicate"] for request in requests)
        alone = median(self.alone)
        slowest = max(answer.seconds for answer in self.answers)
        ended = self.executions["SUCCEEDED"]
        at_once = self.wall / len(self.answers)
        rows = (
            _all("accepted (202)", accepted),
            Row(("of them deferred to the intake queue", str(sum(answer.deferred for answer in self.answers)))),
            Row(("duplicates", str(duplicates)), "0", duplicates == 0),
            _all("executions", self.executions.total()),
            _all("executions that SUCCEEDED", ended),
            _all("jobs in Amplify, one a branch", self.jobs.total()),
            Row(("jobs by status", ", ".join(f"{count} {status}" for status, count in sorted(self.jobs.items())))),
            _all("announced ends, each once", sum(count == 1 for count in self.announced.values())),
            Row(("until the last answer", f"{self.wall:.1f} s")),
            Row(("slowest answer (GitHub waits 10 s)", f"{slowest:.1f} s")),
            Row(
                (
                    "a push at once, of a push alone",
                    f"{at_once / alone:.2f} ({at_once * 1000:.0f} of {alone * 1000:.0f} ms)",
                )
            ),
            Row(("until the last execution ended (its job built)", f"{self.until_ended:.1f} s")),
            Row(("CPU a push, builds and start-up included", f"{cpu / len(self.answers):.2f} s")),
        )
        return Table(f"{PUSHES} signed pushes for {PUSHES} branches at once", ("figure", "measured"), rows)


def _all(label: str, count: int) -> Row:
    return Row((label, str(count)), str(PUSHES), count == PUSHES)


def _push_and_count(team: Team, console: Console) -> Figures:
    branches = [f"branch-{number:02}" for number in range(PUSHES // APPS)]
    apps = {f"site-{number}": "" for number in range(APPS)}
    for app in apps:
        apps[app] = team.app(app, branches, "true")
    alone_app = team.app("alone", ["main"], "true")
    team.store_routes()
    announced = _Announced(team)
    alone = [_deliver(team, team.push("alone", "main")).seconds for _ in range(PUSHES_ALONE)]
    _until_ended(team, PUSHES_ALONE)
    before = {execution["name"] for execution in team.executions()}
    console.print(f"many_pushes: pushing to {PUSHES} branches at once", highlight=False)
    deliveries = [team.push(app, branch) for app in apps for branch in branches]
    together = threading.Barrier(PUSHES + 1)

    def deliver(delivery: Delivery) -> Answer:
        together.wait()
        return _deliver(team, delivery)

    with ThreadPoolExecutor(PUSHES) as pool:
        answers = [pool.submit(deliver, delivery) for delivery in deliveries]
        together.wait()
        started = time.perf_counter()
        times = [answer.result() for answer in answers]
        wall = time.perf_counter() - started
    console.print("many_pushes: waiting for the ends of the jobs", highlight=False)
    _until_ended(team, PUSHES_ALONE + PUSHES)
    until_ended = time.perf_counter() - started
    # The answer to a push that was deferred does not name its request.
    new = {execution["name"]: execution["status"] for execution in team.executions() if execution["name"] not in before}
    jobs = Counter(
        job["status"]
        for app_id in apps.values()
        for branch in branches
        for job in team.amplify.list_jobs(appId=app_id, branchName=branch)["jobSummaries"]
    )
    team.amplify.delete_app(appId=alone_app)
    return Figures(times, alone, wall, until_ended, Counter(new.values()), jobs, announced.ends(set(new)))


def _deliver(team: Team, delivery: Delivery) -> Answer:
    started = time.perf_counter()
    status, answer = team.deliver(delivery)
    return Answer(status, answer.get("requests", []), len(answer.get("deferred", [])), time.perf_counter() - started)


def _until_ended(team: Team, count: int) -> None:
    """Wait until there are so many executions, none of them running, or until nothing more comes."""

    def ended() -> bool:
        executions = team.executions()
        return len(executions) >= count and all(execution["status"] != "RUNNING" for execution in executions)

    until(ended, f"end of {count} executions", every_seconds=0.5)


class _Announced:
    """What the stack's bus told: a queue of its own that gets every Job Finished event."""

    def __init__(self, team: Team) -> None:
        self._sqs, events = team.client("sqs"), team.client("events")
        self._url = self._sqs.create_queue(QueueName="finished")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        bus = team.outputs["busName"]
        pattern = json.dumps({"source": ["amplify-jobs"], "detail-type": ["Job Finished"]})
        events.put_rule(Name="finished", EventBusName=bus, EventPattern=pattern)
        target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule="finished", EventBusName=bus, Targets=[target])

    def ends(self, request_ids: set[str]) -> Counter[str]:
        """Say how often the end of each of the requests was told, once no more messages come."""
        outcomes: Counter[str] = Counter()
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get(
            "Messages"
        ):
            for message in messages:
                request_id = json.loads(message["Body"])["detail"]["requestId"]
                outcomes[request_id] += request_id in request_ids
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return outcomes
