"""Shows a job as it lives: the request, the job id, its steps with their times, the outcome and the announcement."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from amplify_jobs.announcing.text import duration
from demo.reports import Reports

PAUSE_SECONDS = 0.25
GIVE_UP_AFTER_SECONDS = 600
LAST_LOG_LINES = 15
LABEL_WIDTH = 11
LOG_TIMEOUT_SECONDS = 10
REPORT_PATIENCE_SECONDS = 30


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
        """Give subject and text of each message since the last call."""
        for body in self._received(self._people):
            yield body["Subject"], body["Message"]

    def for_programs(self) -> Iterator[dict[str, Any]]:
        """Give each event since the last call."""
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


@dataclass(frozen=True)
class End:
    """How a request ended; `failure_cause` is the id of the cause that was found for a failure."""

    outcome: str
    failure_cause: str | None = None


class Watcher:
    """Follows one request after the other and prints its course."""

    def __init__(
        self, session: boto3.Session, announcements: Announcements, reports: Reports, console: Console
    ) -> None:
        self._amplify = session.client("amplify")
        self._announcements = announcements
        self._reports = reports
        self._console = console
        self._waiting: list[dict[str, Any]] = []

    def next_end(self, keep_waiting: Callable[[], bool]) -> End | None:
        """Show the next request from its start to its announcement and reports; None if none came."""
        event = self._next_event(keep_waiting, None)
        if event is None:
            return None
        detail = event["detail"]
        route = f"  (route {detail['route']})" if detail["route"] else ""
        self._labelled("Request", f"{detail['requestId']}{route}")
        if event["detail-type"] == "Job Started":
            job = detail["job"]
            where = f"branch {job['branchName']}" if job["branchName"] else f"environment {job['environmentName']}"
            self._labelled("Job", f"{job['jobId']} of {job['appName']}, {where}: started")
            detail = self._follow(detail)
        if "job" not in detail:
            self._line(f"[bold red]{detail['outcome'].capitalize()}[/]: {detail['reason']}")
            self._show_message(detail["requestId"])
            self._show_reports(detail)
            return End(detail["outcome"])
        colour = "green" if detail["outcome"] == "SUCCEEDED" else "red"
        took = f" after {duration(detail['durationSeconds'])}" if detail.get("durationSeconds") is not None else ""
        self._line(f"[bold {colour}]{detail['outcome']}[/]{took}")
        failure = detail.get("failure")
        if detail["outcome"] != "SUCCEEDED" and failure is None:
            self._show_log(self._steps(detail["job"]))
        self._show_message(detail["requestId"])
        for file in (detail.get("results") or {}).get("files", ()):
            self._labelled("File", file.rpartition("/")[2])
        self._show_reports(detail)
        return End(detail["outcome"], failure["cause"] if failure else None)

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
        raise RuntimeError(f"request {started['requestId']} was not announced within {GIVE_UP_AFTER_SECONDS} s")

    def _show_step(self, step: Mapping[str, Any], shown: dict[str, str]) -> None:
        name, status = step["stepName"], step["status"]
        if shown.get(name) == status or status in ("CREATED", "PENDING"):
            return
        shown[name] = status
        self._line(step_line(step))

    def _show_log(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Show the end of the build's log, where the announcement has none of it."""
        for step in steps:
            if step["stepName"] == "BUILD" and step.get("logUrl"):
                lines = log_lines(step["logUrl"])[-LAST_LOG_LINES:]
                self._labelled("Build log", "the last lines:" if lines else "cannot be read")
                for line in lines:
                    self._print(f"    {line}")

    def _show_message(self, request_id: str) -> None:
        give_up = time.monotonic() + GIVE_UP_AFTER_SECONDS
        while time.monotonic() < give_up:
            for subject, text in self._announcements.for_people():
                if request_id in text and not subject.startswith("Started"):
                    self._labelled("Announced", subject)
                    for line in text.rstrip().splitlines():
                        # The execution's ARN takes three lines of a narrow terminal, and nobody reads it here.
                        if not line.startswith("Execution:") or fits(self._console, line):
                            self._print(f"    {line}")
                    return
            time.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"request {request_id} was not announced to people within {GIVE_UP_AFTER_SECONDS} s")

    def _show_reports(self, detail: Mapping[str, Any]) -> None:
        """Show what the targets of reports got: only a push has a commit that can have a status."""
        commit = (detail["cause"] or {}).get("commit")
        if commit is not None:
            self._show_report("Status", lambda: self._reports.status(commit))
        self._show_report("Chat", lambda: self._reports.chat(detail["requestId"]))
        self._labelled("Reports", self._reports.page)

    def _show_report(self, label: str, report: Callable[[], str | None]) -> None:
        give_up = time.monotonic() + REPORT_PATIENCE_SECONDS
        while (text := report()) is None and time.monotonic() < give_up:
            time.sleep(PAUSE_SECONDS)
        self._labelled(label, text or f"nothing was reported within {REPORT_PATIENCE_SECONDS} s")

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
        try:
            return self._amplify.get_job(**place, jobId=job["jobId"])["job"]["steps"]
        except ClientError as error:
            # Somebody deleted the job, its branch or its app: the announcement tells.
            if error.response["Error"]["Code"] in ("NotFoundException", "BadRequestException"):
                return []
            raise

    def _labelled(self, label: str, value: str) -> None:
        self._put(labelled(label, value))

    def _line(self, markup: str) -> None:
        self._put(Text.from_markup(markup))

    def _print(self, plain: str) -> None:
        self._put(Text(plain))

    def _put(self, line: Text) -> None:
        put(self._console, line)


def labelled(label: str, value: str) -> Text:
    """A line with a label in a column of its own."""
    return Text.assemble((f"{label:<{LABEL_WIDTH}}", "bold"), value)


def put(console: Console, line: Text) -> None:
    """Print a line, broken between words; not if one is wider than the terminal: an address must stay whole."""
    console.print(line, highlight=False, soft_wrap=not console.is_terminal or not fits(console, line.plain))


def fits(console: Console, line: str) -> bool:
    """Whether each word of a line fits into a line of the terminal."""
    return all(cell_len(word) < console.width for word in line.split())


def step_line(step: Mapping[str, Any]) -> str:
    """A step as GetJob shows it, in one line: one that never began has no time."""
    began, ended = step.get("startTime"), step.get("endTime")
    at = f"{began:%H:%M:%S}" if began is not None else " " * 8
    took = f" in {(ended - began).total_seconds():.1f} s" if began is not None and ended is not None else ""
    return f"  {at}  {step['stepName']:<7} {step['status']}{took}"


def log_lines(url: str) -> list[str]:
    """The lines of a log; none if it can't be read."""
    try:
        with urllib.request.urlopen(url, timeout=LOG_TIMEOUT_SECONDS) as answer:  # noqa: S310 -- local Amplify's address
            return str(answer.read().decode("utf-8", "replace")).rstrip().splitlines()
    except (OSError, ValueError):
        return []
