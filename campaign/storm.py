"""Carries a plan out on a local cloud in this process, waits until nothing moves, and gathers what is there."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from benchmarks.running_cloud import PROJECT, RunningCloud
from benchmarks.team import Team
from campaign.findings import Delivered, Execution, Seen
from campaign.plan import APPS, BRANCHES, Plan
from campaign.reports import ReportTargets
from demo.announcements import Announcements
from local.cloud import CloudSettings, LocalCloud

PATIENCE_SECONDS = 900.0
QUIET_SECONDS = 5.0
MAX_DELIVERIES = 64
EARLIER_JOB = timedelta(seconds=10)
RETRY_SECONDS = (15.0, 30.0)
"""Waits of asynchronous events, a quarter of AWS's, so that they outlast a fault as there."""
RETRIED_SECONDS = sum(RETRY_SECONDS) + 15.0
"""So long an announcement may take to its report: nothing moves between the attempts to plan it."""
COLLECT_EVERY_SECONDS = 2.0
"""Less than a stand-in takes to forget its oldest call."""
QUEUES = (
    "IntakeQueue",
    "IntakeDeadLetterQueue",
    "DeadLetterQueue",
    "ReportQueue",
    "ReportDeadLetterQueue",
)


def cloud_at_work(folder: Path) -> LocalCloud:
    """A local cloud of the project's template, to be entered."""
    return LocalCloud(
        PROJECT / "template.yaml",
        CloudSettings(aws_port=0, http_port=0, state_dir=folder / "cloud", retry_seconds=RETRY_SECONDS),
    )


class Storm:
    """One campaign on one local cloud."""

    def __init__(self, cloud: LocalCloud, folder: Path, plan: Plan) -> None:
        self._cloud = cloud
        self._plan = plan
        port = int(cloud.api_url.rpartition(":")[2])
        self._team = Team(RunningCloud(cloud.endpoint_url, port, 0.0), folder)
        session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=cloud.region)
        # The session's clients have no other way to be told.
        os.environ["AWS_ENDPOINT_URL"] = cloud.endpoint_url
        self._announcements = Announcements(
            session, topic_arn=self._team.outputs["topicArn"], bus_name=self._team.outputs["busName"]
        )
        self._branches = [f"b{number:02}" for number in range(BRANCHES)]
        self._apps = [self._team.app(f"site-{number}", self._branches, "sleep 1") for number in range(APPS)]
        self._targets = ReportTargets(cloud, self._team)
        self._team.store_routes()
        self._pushes = [self._team.push(f"site-{push.app}", self._branches[push.branch]) for push in plan.pushes]
        for app_id in self._apps:
            for branch in self._branches:
                self._has_built_before(app_id, branch)
        self._programs: list[dict[str, Any]] = []
        self._people: list[tuple[str, str]] = []

    def _has_built_before(self, app_id: str, branch: str) -> None:
        """Put an earlier job on file: without any, a status event that is lost is made up for after 25 minutes."""
        begun = datetime(2026, 11, 1, 12, tzinfo=UTC)
        item = {
            "pk": {"S": f"{self._cloud.region}#{app_id}#{branch}"},
            "sk": {"S": "job#0000000000"},
            "state": {"S": "SUCCEEDED"},
            "leftQueueAt": {"S": begun.isoformat()},
            "finishedAt": {"S": (begun + EARLIER_JOB).isoformat()},
        }
        self._team.client("dynamodb").put_item(TableName=self._team.outputs["jobsTable"], Item=item)

    def run(self) -> Seen:
        """Carry out the plan, wait, and gather."""
        answers = self._storm()
        self._cloud.faults.clear()
        self._wait_until_all_ended()
        return self._gather(answers)

    def _storm(self) -> list[Delivered]:
        started = time.monotonic()
        acts: list[tuple[float, Callable[[], None]]] = []
        futures: list[Future[Delivered]] = []
        with ThreadPoolExecutor(MAX_DELIVERIES) as pool:

            def deliver(number: int) -> None:
                futures.append(pool.submit(self._deliver, number))

            for number, push in enumerate(self._plan.pushes):
                acts += [(at, partial(deliver, number)) for at in push.deliveries]
            acts += [(at, partial(self._inject, fault)) for at, fault in self._plan.faults]
            acts += [(at, partial(self._kill, function)) for at, function in self._plan.kills]
            acts += [(at, partial(self._targets.fail, failure)) for at, failure in self._plan.report_failures]
            times = range(math.ceil(self._plan.seconds / COLLECT_EVERY_SECONDS))
            acts += [(number * COLLECT_EVERY_SECONDS, self._targets.collect) for number in times]
            for at, act in sorted(acts, key=lambda timed_act: timed_act[0]):
                time.sleep(max(0.0, started + at - time.monotonic()))
                act()
            time.sleep(max(0.0, started + self._plan.seconds - time.monotonic()))
        return [future.result() for future in futures]

    def _inject(self, fault: dict[str, Any]) -> None:
        self._cloud.faults.inject(fault)

    def _kill(self, function: str) -> None:
        for pid in self._cloud.functions.pids(self._cloud.physical_id(function)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _deliver(self, number: int) -> Delivered:
        delivery = self._pushes[number]
        delivery_id = delivery.headers["X-GitHub-Delivery"]
        started = time.monotonic()
        status, answer = self._team.deliver(delivery)
        seconds = time.monotonic() - started
        why = "" if 200 <= status < 300 else self._why(delivery_id, status)
        return Delivered(number, delivery_id, status, seconds, bool(answer.get("deferred")), why)

    def _why(self, delivery_id: str, status: int) -> str:
        """What the function's log says of a delivery, or that its process was killed before it could."""
        log = self._cloud.functions.log_file(self._cloud.physical_id("ReceiveWebhookFunction"))
        for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
            if delivery_id not in line or not line.startswith("{"):
                continue
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("delivery_id") == delivery_id and entry.get("level") in {"WARNING", "ERROR"}:
                    return f"{entry.get('message')}: {entry.get('reason') or entry.get('exception') or ''}"
        return "its process was killed" if status == 500 and self._plan.kills else ""

    # --- After the storm ---------------------------------------------------------------------------------------------

    def _wait_until_all_ended(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        quiet_since = time.monotonic()
        quiet_seconds = QUIET_SECONDS
        while time.monotonic() < deadline and time.monotonic() - quiet_since < quiet_seconds:
            self._collect()
            self._targets.let_time_pass()
            ends = {end["cause"]["commit"] for end in self._ends()}
            quiet_seconds = QUIET_SECONDS if ends <= self._targets.ended_commits() else RETRIED_SECONDS
            runs, messages = (
                any(execution["status"] == "RUNNING" for execution in self._team.executions()),
                self._messages(),
            )
            if runs or messages["IntakeQueue"] or messages["ReportQueue"]:
                quiet_since = time.monotonic()
            time.sleep(0.5)
        self._collect()

    def _collect(self) -> None:
        self._targets.collect()
        while events := list(self._announcements.for_programs()):
            self._programs += events
        while messages := list(self._announcements.for_people()):
            self._people += messages

    def _ends(self) -> list[dict[str, Any]]:
        return [event["detail"] for event in self._programs if event["detail-type"] in {"Job Finished", "Job Rejected"}]

    def _messages(self) -> dict[str, int]:
        sqs = self._team.client("sqs")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = {}
        for queue in QUEUES:
            url = self._cloud.physical_id(queue)
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            counts[queue] = sum(int(attributes[name]) for name in names)
        return counts

    def _gather(self, answers: list[Delivered]) -> Seen:
        numbers = {json.loads(push.body)["after"]: number for number, push in enumerate(self._pushes)}
        executions = []
        by_branch: Counter[tuple[int, int]] = Counter()
        for entry in self._team.executions():
            described = self._team.stepfunctions.describe_execution(executionArn=entry["executionArn"])
            request = json.loads(described["input"])
            why = f"{described.get('error', '')}: {described.get('cause', '')}".strip(": ")
            number = numbers.get(request.get("cause", {}).get("commit"))
            executions.append(Execution(entry["name"], entry["status"], number, why))
            if number is not None:
                push = self._plan.pushes[number]
                by_branch[push.app, push.branch] += 1
        jobs = {
            (app, branch): len(self._team.amplify.list_jobs(appId=app_id, branchName=name)["jobSummaries"])
            for app, app_id in enumerate(self._apps)
            for branch, name in enumerate(self._branches)
        }
        ends = self._ends()
        people: Counter[str] = Counter()
        for execution in executions:
            of_end = (text for subject, text in self._people if not subject.startswith("Started"))
            people[execution.request_id] = sum(execution.request_id in text for text in of_end)
        requests = {execution.push: execution.request_id for execution in executions if execution.push is not None}
        return Seen(
            deliveries=answers,
            executions=executions,
            jobs_by_branch=jobs,
            executions_by_branch=dict(by_branch),
            told_programs=Counter((end["requestId"], str(end.get("outcome"))) for end in ends),
            told_people=people,
            messages=self._messages(),
            statuses={
                requests[numbers[commit]]: states
                for commit, states in self._targets.statuses().items()
                if numbers[commit] in requests
            },
            deployments=self._targets.deployments(),
            failed_calls=self._targets.failed_calls(),
            newest=_newest(ends),
        )


def _newest(ends: list[dict[str, Any]]) -> set[str]:
    """The newest request of each app and branch, of those whose jobs were started."""
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    for end in ends:
        if job := end.get("job"):
            place = (job["appId"], job["branchName"])
            newest[place] = max(newest.get(place, ("", "")), (end["requestedAt"], end["requestId"]))
    return {request_id for _, request_id in newest.values()}
