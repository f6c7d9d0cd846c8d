"""What `make run` shows of a job, for every way in which one can end."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from amplify_jobs.announcing.announcement import (
    Announcement,
    DetailType,
    Outcome,
)
from amplify_jobs.announcing.compose import AppNames, StackInfo
from amplify_jobs.announcing.text import subject, text
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.job import Job, JobState, State, Step
from amplify_jobs.model.request import Cause, JobRequest
from demo.reports import Reports
from demo.watching import Announcements, End, Watcher, log_lines, step_line
from tests.support.announcements import EXECUTION, finished, rejected, started

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STACK = StackInfo(
    account="123456789012",
    region="eu-west-1",
    console_url="http://127.0.0.1:4566/_local/jobs/{appId}/{branchName}/{jobId}",
    site_url="http://127.0.0.1:4566/_local/sites/{appId}/{branchName}/",
)
NAMES = AppNames(app_name="web", default_domain="d1a2b3c4d5e6.amplifyapp.com", display_name="main")
REQUEST = JobRequest(
    request_id="web-0123456789abcdef0123456789abcdef",
    route="web",
    operation="start_job",
    parameters={"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"},
    cause=Cause(source="github", kind="push", repository="acme/web"),
    received_at=NOW,
)
JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7", job_type="RELEASE")
BEGUN, ENDED = {"startTime": NOW}, {"startTime": NOW, "endTime": NOW + timedelta(seconds=2)}
# As GetJob answers: the steps of a failed or stopped job that come after its end never begin.
STEPS: dict[State, list[dict[str, Any]]] = {
    State.SUCCEEDED: [{"stepName": name, "status": "SUCCEED", **ENDED} for name in ("BUILD", "DEPLOY", "VERIFY")],
    State.FAILED: [
        {"stepName": "BUILD", "status": "FAILED", **ENDED},
        {"stepName": "DEPLOY", "status": "CANCELLED"},
        {"stepName": "VERIFY", "status": "CANCELLED"},
    ],
    State.CANCELLED: [
        {"stepName": "BUILD", "status": "CANCELLED", **BEGUN},
        {"stepName": "DEPLOY", "status": "CANCELLED", "endTime": NOW},
        {"stepName": "VERIFY", "status": "CANCELLED"},
    ],
    State.TIMED_OUT: [{"stepName": "BUILD", "status": "RUNNING", **BEGUN}, {"stepName": "DEPLOY", "status": "PENDING"}],
}


class Amplify:
    """GetJob for one job; without steps, the job is gone."""

    def __init__(self, steps: list[dict[str, Any]] | None) -> None:
        self.steps = steps

    def client(self, _name: str) -> Amplify:
        return self

    def get_job(self, **_place: str) -> dict[str, Any]:
        if self.steps is None:
            raise ClientError({"Error": {"Code": "NotFoundException", "Message": "gone"}}, "GetJob")
        return {"job": {"steps": self.steps}}


class Published:
    """What the topic and the bus have delivered."""

    def __init__(self, *details: tuple[DetailType, Announcement]) -> None:
        self._details = details
        self.programs = [
            {"detail-type": kind.value, "detail": json.loads(each.model_dump_json(by_alias=True))}
            for kind, each in details
        ]

    def for_programs(self) -> Iterator[dict[str, Any]]:
        while self.programs:
            yield self.programs.pop(0)

    def for_people(self) -> Iterator[tuple[str, str]]:
        for _, each in self._details:
            yield subject(each), text(each)


class Received:
    """What the targets of reports got."""

    page = "http://127.0.0.1:4566/_local/reports"

    def status(self, commit: str) -> str:
        return f"amplify-jobs/web: success, of commit {commit}"

    def chat(self, request_id: str) -> str:
        return f"A message about {request_id}"


def shown(published: Published, steps: list[dict[str, Any]] | None, *, width: int = 120) -> tuple[End | None, str]:
    screen = io.StringIO()
    console = Console(file=screen, width=width, force_terminal=True, color_system=None)
    watcher = Watcher(
        cast("boto3.Session", Amplify(steps)),
        cast("Announcements", published),
        cast("Reports", Received()),
        console,
    )
    return watcher.next_end(lambda: False), screen.getvalue()


def published(state: JobState, request: JobRequest = REQUEST, failure: Failure | None = None) -> Published:
    at_first = JobState(job=JOB, state=State.WAITING)
    end = finished(request, state, NAMES, STACK).model_copy(update={"failure": failure})
    return Published(
        (DetailType.JOB_STARTED, started(request, at_first, NAMES, STACK)),
        (DetailType.JOB_FINISHED, end),
    )


OUTCOMES = {
    State.SUCCEEDED: Outcome.SUCCEEDED,
    State.FAILED: Outcome.FAILED,
    State.CANCELLED: Outcome.CANCELLED,
    State.TIMED_OUT: Outcome.TIMED_OUT,
}


@pytest.mark.parametrize("state", STEPS)
@pytest.mark.parametrize("gone", [False, True])
def test_every_end_of_a_job_is_shown(state: State, gone: bool) -> None:
    ended = JobState(job=JOB, state=state, started_at=NOW, finished_at=NOW + timedelta(seconds=2))
    end, screen = shown(published(ended), None if gone else STEPS[state])
    assert end == End(OUTCOMES[state])
    assert OUTCOMES[state] in screen
    assert "Announced" in screen
    assert "http://127.0.0.1:4566/_local/jobs/d1a2b3c4d5e6/main/7" in screen
    for step in [] if gone else STEPS[state]:
        assert (step["stepName"] in screen) == (step["status"] != "PENDING")


def test_a_job_that_is_no_longer_followed_is_shown() -> None:
    unknown = JobState(job=JOB, state=State.WAITING)
    end, screen = shown(published(unknown), STEPS[State.TIMED_OUT])
    assert end == End(Outcome.UNKNOWN)
    assert "UNKNOWN" in screen


@pytest.mark.parametrize("superseded_by", [None, "web-fedcba9876543210fedcba9876543210"])
def test_a_request_that_no_job_came_of_is_shown(superseded_by: str | None) -> None:
    refusal = rejected(REQUEST, "Branch main not found.", NAMES, STACK)
    refusal = refusal.model_copy(update={"outcome": "CANCELLED" if superseded_by else "REJECTED"})
    end, screen = shown(Published((DetailType.JOB_REJECTED, refusal)), None)
    assert end == End(refusal.outcome)
    assert f"{refusal.outcome.capitalize()}: Branch main not found." in screen


def test_the_end_of_a_failed_build_s_log_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)) + "npm ERR! [missing] script\n")
    steps = [{**STEPS[State.FAILED][0], "logUrl": log.as_uri()}]
    ended = JobState(
        job=JOB,
        state=State.FAILED,
        steps=(Step(name="BUILD", status="FAILED", reason="'npm run nonsense' failed with exit code 1"),),
    )
    _, screen = shown(published(ended), steps)
    assert "    npm ERR! [missing] script\n" in screen
    assert "line 84\n" not in screen
    assert "line 99\n" in screen


def test_the_cause_of_a_failure_is_shown_instead_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("the whole log\n")
    failure = Failure(cause="file_missing", summary="A file is missing.", advice="Add it.", command="cp a b")
    ended = JobState(job=JOB, state=State.FAILED)
    steps = [{**STEPS[State.FAILED][0], "logUrl": log.as_uri()}]
    end, screen = shown(published(ended, failure=failure), steps)
    assert end == End("FAILED", "file_missing")
    for line in ("Cause: A file is missing.", "Advice: Add it.", "Command: cp a b"):
        assert f"    {line}\n" in screen
    assert "the whole log" not in screen


@pytest.mark.parametrize("commit", [None, "c" * 40])
def test_reports_are_shown_the_status_only_where_there_is_a_commit(commit: str | None) -> None:
    cause = Cause(source="github", kind="push", repository="acme/web", commit=commit)
    ended = JobState(job=JOB, state=State.SUCCEEDED)
    _, screen = shown(published(ended, REQUEST.model_copy(update={"cause": cause})), STEPS[State.SUCCEEDED])
    status = f"Status     amplify-jobs/web: success, of commit {'c' * 40}\n" if commit else ""
    assert screen.endswith(f"{status}Chat       A message about {REQUEST.request_id}\nReports    {Received.page}\n")


def test_a_log_that_can_t_be_read_has_no_lines(tmp_path: Path) -> None:
    assert log_lines((tmp_path / "gone").as_uri()) == []
    assert log_lines("no address") == []


@pytest.mark.parametrize("step", [each for steps in STEPS.values() for each in steps])
def test_a_step_is_one_line(step: dict[str, Any]) -> None:
    line = step_line(step)
    assert step["stepName"] in line
    assert ("12:00:00" in line) == ("startTime" in step)
    assert (" in 2.0 s" in line) == ("startTime" in step and "endTime" in step)


def test_words_stay_whole_on_a_narrow_terminal() -> None:
    ended = JobState(job=JOB, state=State.SUCCEEDED, started_at=NOW, finished_at=NOW + timedelta(seconds=2))
    _, wide = shown(published(ended), STEPS[State.SUCCEEDED], width=300)
    _, narrow = shown(published(ended), STEPS[State.SUCCEEDED], width=40)
    execution = ["Execution:", EXECUTION]
    assert narrow.split() == [word for word in wide.split() if word not in execution]
