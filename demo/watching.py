"""Shows a job as it lives: the request, the job id, its steps with their times, the outcome and the announcement."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import boto3
from rich.console import Console

from amplify_jobs.announcements import duration

PAUSE_SECONDS = 0.25
GIVE_UP_AFTER_SECONDS = 600


class Announcements:
    """Subscribes two queues as any team would: one to the topic for people, one to the bus for programs."""

    def __init__(self, session: boto3.Session, *, topic_arn: str, bus_name: str) -> None:
        self._sqs = session.client("sqs")
        events = session.client("events")
        self._people = self._queue("demo-people")
        self._programs = self._queue("demo-programs")
        session.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=self._arn(self._people))
        events.put_rule(Name="demo", EventBusName=bus_name, EventPattern=json.dumps({"source": ["amplify-jobs"]}))
        target = {"Id": "demo", "Arn": self._arn(self._programs)}
        events.put_targets(Rule="demo", EventBusName=bus_name, Targets=[target])  # type: ignore[list-item]

    def for_people(self) -> Iterator[tuple[str, str]]:
        """Give subject and text of each message that came since."""
        for body in self._received(self._people):
            yield body["Subject"], body["Message"]

    def for_programs(self) -> Iterator[dict[str, Any]]:
        """Give each event that came since."""
        yield from self._received(self._programs)

    def _queue(self, name: str) -> str:
        return self._sqs.create_queue(QueueName=name)["QueueUrl"]

    def _arn(self, url: str) -> str:
        return self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def _received(self, url: str) -> Iterator[Any]:
        answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        for message in answer.get("Messages", []):
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(message["Body"])


class Watcher:
    """Follows one request after the other and prints what becomes of it."""

    def __init__(self, session: boto3.Session, announcements: Announcements, console: Console) -> None:
        self._amplify = session.client("amplify")
        self._announcements = announcements
        self._console = console
        self._waiting: list[dict[str, Any]] = []

    def next_outcome(self, keep_waiting: Callable[[], bool]) -> str | None:
        """Show the next request from its start to its announcement; None if there was none to wait for any more."""
        event = self._next_event(keep_waiting, None)
        if event is None:
            return None
        detail = event["detail"]
        route = f"  (route {detail['route']})" if detail["route"] else ""
        self._line(f"[bold]Request[/] {detail['requestId']}{route}")
        if event["detail-type"] == "Job Started":
            job = detail["job"]
            where = f"branch {job['branchName']}" if job["branchName"] else f"environment {job['environmentName']}"
            self._line(f"[bold]Job[/]     {job['jobId']} of {job['appName']}, {where}: started")
            detail = self._follow(detail)
        if "job" not in detail:
            self._line(f"[bold red]{detail['outcome'].capitalize()}[/]: {detail['reason']}")
            self._show_message(detail["requestId"])
            return str(detail["outcome"])
        colour = "green" if detail["outcome"] == "SUCCEEDED" else "red"
        took = f" after {duration(detail['durationSeconds'])}" if detail.get("durationSeconds") is not None else ""
        self._line(f"[bold {colour}]{detail['outcome']}[/]{took}")
        self._show_message(detail["requestId"])
        if detail["links"]["site"] is not None:
            self._line(f"[bold]Site[/]       {detail['links']['site']}")
        for step in self._steps(detail["job"]):
            if step["stepName"] == "BUILD":
                self._line(f"[bold]Build log[/]  {step.get('logUrl')}")
        for file in (detail["results"] or {}).get("files", ()):
            self._line(f"[bold]File[/]       {file}")
        return str(detail["outcome"])

    def _follow(self, started: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, str] = {}
        give_up = time.monotonic() + GIVE_UP_AFTER_SECONDS
        with self._console.status("waiting for the job") as status:
            while time.monotonic() < give_up:
                for step in self._steps(started["job"]):
                    self._show_step(step, shown)
                    if step["status"] == "RUNNING":
                        status.update(f"{step['stepName']} is running")
                event = self._next_event(lambda: False, started["requestId"])
                if event is not None:
                    for step in self._steps(started["job"]):
                        self._show_step(step, shown)
                    return dict(event["detail"])
                time.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"no announcement came for {started['requestId']} in {GIVE_UP_AFTER_SECONDS} s")

    def _show_step(self, step: dict[str, Any], shown: dict[str, str]) -> None:
        name, status = step["stepName"], step["status"]
        if shown.get(name) == status or status in ("CREATED", "PENDING"):
            return
        shown[name] = status
        took = ""
        if isinstance(step.get("endTime"), datetime):
            took = f" in {(step['endTime'] - step['startTime']).total_seconds():.1f} s"
        self._line(f"  {step['startTime']:%H:%M:%S}  {name:<7} {status}{took}")

    def _show_message(self, request_id: str) -> None:
        give_up = time.monotonic() + GIVE_UP_AFTER_SECONDS
        while time.monotonic() < give_up:
            for subject, text in self._announcements.for_people():
                if request_id in text and not subject.startswith("Started"):
                    self._line(f"[bold]Announced[/]  {subject}")
                    for line in text.rstrip().splitlines():
                        self._console.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
                    return
            time.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"no message came for {request_id}")

    def _next_event(self, keep_waiting: Callable[[], bool], request_id: str | None) -> dict[str, Any] | None:
        while True:
            self._waiting.extend(self._announcements.for_programs())
            for event in self._waiting:
                if request_id in (None, event["detail"]["requestId"]):
                    self._waiting.remove(event)
                    return event
            if not keep_waiting():
                return None
            time.sleep(PAUSE_SECONDS)

    def _steps(self, job: dict[str, Any]) -> Any:
        """The steps of a job of a branch; a job that generates something has none."""
        if job["branchName"] is None:
            return []
        place = {"appId": job["appId"], "branchName": job["branchName"]}
        return self._amplify.get_job(**place, jobId=job["jobId"])["job"]["steps"]

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)
