"""Shows a job as it lives: its steps with their times, then a card with the outcome and what was told of it."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from demo.announcements import Announcements
from demo.card import facts, mark_of, started_line, step_line, title
from demo.reports import Reports
from demo.screen import Mark, Screen

PAUSE_SECONDS = 0.25
GIVE_UP_AFTER_SECONDS = 600
LAST_LOG_LINES = 15
LOG_TIMEOUT_SECONDS = 10
REPORT_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class End:
    """How a request ended.

    `failure_cause` is the id of the cause that was found for a failure, `commit_built` what the build's log names.
    """

    outcome: str
    failure_cause: str | None = None
    commit_built: str | None = None


class Watcher:
    """Follows one request after the other and prints its course."""

    def __init__(self, session: boto3.Session, announcements: Announcements, reports: Reports, screen: Screen) -> None:
        self._amplify = session.client("amplify")
        self._announcements = announcements
        self._reports = reports
        self._screen = screen
        self._unread: list[dict[str, Any]] = []

    def next_end(self, keep_waiting: Callable[[], bool]) -> End | None:
        """Show the next request from its start to its announcement and reports; None if none came."""
        with self._screen.waiting("waiting for the next job"):
            event = self._next_event(keep_waiting, None)
        if event is None:
            return None
        detail = event["detail"]
        if event["detail-type"] == "Job Started":
            detail = self._follow(detail)
        mark, failure = mark_of(detail), detail.get("failure")
        self._screen.title(mark, *title(detail))
        for label, text in facts(detail):
            self._screen.fact(mark, label, text)
        if detail["outcome"] not in ("SUCCEEDED", "CANCELLED") and failure is None and "job" in detail:
            self._screen.fact(mark, "Log", "\n".join(self._end_of_log(self._steps(detail["job"]))))
        self._show_told(mark, detail)
        return End(detail["outcome"], failure["cause"] if failure else None, detail.get("commitBuilt"))

    def _follow(self, started: Mapping[str, Any]) -> dict[str, Any]:
        """Show a job's steps until its end is announced, and give that announcement."""
        job, shown = started["job"], set[str]()
        deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
        self._screen.line(started_line(job))
        with self._screen.waiting("waiting for Amplify") as status:
            while time.monotonic() < deadline:
                event = self._next_event(lambda: False, started["requestId"])
                for step in self._steps(job):
                    if step["status"] == "RUNNING":
                        status.update(f"{step['stepName']} is running")
                    elif step["status"] not in ("CREATED", "PENDING") and step["stepName"] not in shown:
                        shown.add(step["stepName"])
                        self._screen.line(step_line(step))
                if event is not None:
                    return dict(event["detail"])
                time.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"request {started['requestId']} was not announced within {GIVE_UP_AFTER_SECONDS} s")

    def _end_of_log(self, steps: Sequence[Mapping[str, Any]]) -> list[str]:
        """The last lines of the build's log, where the announcement has none of it."""
        urls = [step["logUrl"] for step in steps if step["stepName"] == "BUILD" and step.get("logUrl")]
        return [line for url in urls for line in log_lines(url)[-LAST_LOG_LINES:]]

    def _show_told(self, mark: Mark, detail: Mapping[str, Any]) -> None:
        """Show what people and the targets of reports got: only a push has a commit that can have a status."""
        commit, request_id = (detail["cause"] or {}).get("commit"), detail["requestId"]
        with self._screen.waiting("waiting for the mail and the reports"):
            self._screen.fact(mark, "Mail", self._mail(request_id))
            if commit is not None:
                self._screen.fact(mark, "Status", _report(lambda: self._reports.status(commit)))
            self._screen.fact(mark, "Chat", _report(lambda: self._reports.chat(request_id)))

    def _mail(self, request_id: str) -> str:
        deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
        while time.monotonic() < deadline:
            for subject, text in self._announcements.for_people():
                if request_id in text and not subject.startswith("Started"):
                    return subject
            time.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"request {request_id} was not announced to people within {GIVE_UP_AFTER_SECONDS} s")

    def _next_event(self, keep_waiting: Callable[[], bool], request_id: str | None) -> dict[str, Any] | None:
        while True:
            self._unread.extend(self._announcements.for_programs())
            for event in self._unread:
                if request_id in (None, event["detail"]["requestId"]):
                    self._unread.remove(event)
                    return event
            if not keep_waiting():
                return None
            time.sleep(PAUSE_SECONDS)

    def _steps(self, job: Mapping[str, Any]) -> Any:
        """The steps of a job of a branch; a job that generates something has none."""
        if job["branchName"] is None:
            return []
        names = {"appId": job["appId"], "branchName": job["branchName"]}
        try:
            return self._amplify.get_job(**names, jobId=job["jobId"])["job"]["steps"]
        except ClientError as error:
            # Somebody deleted the job, its branch or its app: the announcement tells.
            if error.response["Error"]["Code"] in ("NotFoundException", "BadRequestException"):
                return []
            raise


def _report(read: Callable[[], str | None]) -> str:
    deadline = time.monotonic() + REPORT_PATIENCE_SECONDS
    while (text := read()) is None and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    return text or f"nothing was reported within {REPORT_PATIENCE_SECONDS} s"


def log_lines(url: str) -> list[str]:
    """The lines of a log; none if it can't be read."""
    try:
        with urllib.request.urlopen(url, timeout=LOG_TIMEOUT_SECONDS) as answer:  # noqa: S310 -- local Amplify's address
            return str(answer.read().decode("utf-8", "replace")).rstrip().splitlines()
    except (OSError, ValueError):
        return []
