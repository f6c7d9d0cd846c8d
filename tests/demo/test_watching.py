"""What `make run` shows of a job, for every way in which one can end, and on every kind of terminal."""

from __future__ import annotations

import io
import json
import re
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
from demo.announcements import Announcements
from demo.browser import has_browser
from demo.card import step_line
from demo.reports import Reports
from demo.screen import Mark, Screen
from demo.watching import End, Watcher, log_lines
from tests.support.announcements import finished, rejected, started

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

    def status(self, commit: str) -> str:
        return f"amplify-jobs/web: success, of commit {commit}"

    def chat(self, request_id: str) -> str:
        return f"A message about {request_id}"


def shown(
    published: Published, steps: list[dict[str, Any]] | None, *, width: int = 120, is_terminal: bool = True
) -> tuple[End | None, str]:
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=is_terminal, color_system=None)
    watcher = Watcher(
        cast("boto3.Session", Amplify(steps)),
        cast("Announcements", published),
        cast("Reports", Received()),
        Screen(console),
    )
    end = watcher.next_end(lambda: False)
    # A terminal draws what is waited for, and takes it back.
    visible = re.sub(r"\x1b\[\?25[lh]|\r", "", output.getvalue())
    return end, re.sub(r"[^\n]*(?:\n\x1b\[1A)?\x1b\[2K|\x1b\[\d*m", "", visible)


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


WORDS = {
    State.SUCCEEDED: "✓ web main #7 succeeded · 2.0 s",
    State.FAILED: "✗ web main #7 failed · 2.0 s",
    State.CANCELLED: "○ web main #7 cancelled · 2.0 s",
    State.TIMED_OUT: "✗ web main #7 timed out · 2.0 s",
}


@pytest.mark.parametrize("state", STEPS)
@pytest.mark.parametrize("gone", [False, True])
def test_every_end_of_a_job_is_shown(state: State, gone: bool) -> None:
    ended = JobState(job=JOB, state=state, started_at=NOW, finished_at=NOW + timedelta(seconds=2))
    end, screen = shown(published(ended), None if gone else STEPS[state])
    assert end == End(OUTCOMES[state])
    assert "  web main #7 started\n" in screen
    assert f"┃ {WORDS[state]}\n" in screen
    assert f"┃ Mail     {OUTCOMES[state]}: web main #7\n" in screen
    assert "┃ Page     http://127.0.0.1:4566/_local/jobs/d1a2b3c4d5e6/main/7\n" in screen
    assert ("┃ Site     http" in screen) == (state is State.SUCCEEDED)
    for step in [] if gone else STEPS[state]:
        assert (f"\n  {step['stepName']:<7} " in screen) == (step["status"] not in ("PENDING", "RUNNING"))


def test_a_job_that_is_no_longer_followed_is_shown() -> None:
    unknown = JobState(job=JOB, state=State.WAITING)
    end, screen = shown(published(unknown), STEPS[State.TIMED_OUT])
    assert end == End(Outcome.UNKNOWN)
    assert "✗ web main #7 unknown\n" in screen


@pytest.mark.parametrize("superseded_by", [None, "web-fedcba9876543210fedcba9876543210"])
def test_a_request_that_no_job_came_of_is_shown(superseded_by: str | None) -> None:
    refusal = rejected(REQUEST, "Branch main not found.", NAMES, STACK)
    refusal = refusal.model_copy(update={"outcome": "CANCELLED" if superseded_by else "REJECTED"})
    end, screen = shown(Published((DetailType.JOB_REJECTED, refusal)), None)
    assert end == End(refusal.outcome)
    assert f"web main {refusal.outcome.lower()}\n┃ Reason   Branch main not found.\n" in screen


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
    assert "┃          npm ERR! [missing] script\n" in screen
    assert "line 85\n" not in screen
    assert "┃ Log      line 86\n" in screen


def test_the_cause_of_a_failure_is_shown_instead_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("the whole log\n")
    failure = Failure(cause="file_missing", summary="A file is missing.", advice="Add it.", command="cp a b")
    ended = JobState(job=JOB, state=State.FAILED)
    steps = [{**STEPS[State.FAILED][0], "logUrl": log.as_uri()}]
    end, screen = shown(published(ended, failure=failure), steps)
    assert end == End("FAILED", "file_missing")
    for line in ("Cause    A file is missing.", "Advice   Add it.", "Command  cp a b"):
        assert f"┃ {line}\n" in screen
    assert "the whole log" not in screen


@pytest.mark.parametrize("commit", [None, "c" * 40])
def test_reports_are_shown_the_status_only_where_there_is_a_commit(commit: str | None) -> None:
    cause = Cause(source="github", kind="push", repository="acme/web", commit=commit, message="Say hello\n\nTwice")
    ended = JobState(job=JOB, state=State.SUCCEEDED)
    _, screen = shown(published(ended, REQUEST.model_copy(update={"cause": cause})), STEPS[State.SUCCEEDED])
    assert f"succeeded · {'ccccccc ' if commit else ''}Say hello\n" in screen
    status = f"┃ Status   amplify-jobs/web: success, of commit {'c' * 40}\n" if commit else ""
    assert screen.endswith(f"{status}┃ Chat     A message about {REQUEST.request_id}\n")


def test_a_log_that_can_t_be_read_has_no_lines(tmp_path: Path) -> None:
    assert log_lines((tmp_path / "gone").as_uri()) == []
    assert log_lines("no address") == []


@pytest.mark.parametrize("step", [each for steps in STEPS.values() for each in steps])
def test_a_step_is_one_line(step: dict[str, Any]) -> None:
    line = step_line(step)
    assert step["stepName"] in line
    assert line.endswith(" 2.0 s") == ("startTime" in step and "endTime" in step)


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_no_word_is_broken_and_no_line_is_too_long_for_its_terminal(width: int) -> None:
    failure = Failure(cause="file_missing", summary="A file is missing. " * 5, advice="Add it. " * 9, excerpt="a\n b c")
    ended = JobState(job=JOB, state=State.FAILED, started_at=NOW, finished_at=NOW + timedelta(seconds=2))
    announcement = published(ended, failure=failure), STEPS[State.FAILED]
    _, in_pipe = shown(*announcement, is_terminal=False)
    _, screen = shown(published(ended, failure=failure), STEPS[State.FAILED], width=width)
    assert screen.replace("┃", "").split() == in_pipe.replace("┃", "").split()
    address = "http://127.0.0.1:4566/_local/jobs/d1a2b3c4d5e6/main/7"
    assert all(len(line) <= width or line.split() == ["┃", address] for line in screen.splitlines())


def test_a_pipe_gets_neither_colours_nor_what_is_drawn_anew() -> None:
    output = io.StringIO()
    screen = Screen(Console(file=output))
    with screen.step("The local cloud"), screen.waiting("a moment"):
        screen.remote("  request web-1")
    screen.head(1, "A push is built")
    screen.fact(Mark.GOOD, "Mail", "a word " * 30)
    lines = re.sub(r"\d\.\d s", "0.0 s", output.getvalue()).splitlines()
    assert lines[:4] == [
        "remote:   request web-1",
        f"  ✓ {'The local cloud':<44}    0.0 s",
        "",
        "1  A push is built",
    ]
    assert lines[4:] == ["┃ Mail     " + ("a word " * 30).rstrip()]


@pytest.mark.parametrize("width", [35, 50, 60, 80])
def test_steps_and_heads_fit_into_their_terminal(width: int) -> None:
    output = io.StringIO()
    screen = Screen(Console(file=output, force_terminal=True, width=width))
    name, title = "An app in Amplify, and its git repository", "A push breaks the build, and everybody hears why"
    with screen.step(name):
        pass
    screen.head(2, title)
    lines = [re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", line) for line in output.getvalue().splitlines()]
    assert all(len(line) <= width for line in lines), lines
    words = " ".join(lines).split()
    assert words[words.index("2") + 1 :] == title.split()
    assert set(name.split()) <= set(words)
    assert any(re.search(r"\d\.\d s$", line) for line in lines)


def test_a_terminal_that_knows_ascii_alone_is_given_no_more() -> None:
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    screen = Screen(Console(file=output, force_terminal=True))
    with screen.step("The local cloud"):
        screen.title(Mark.BAD, "web main #1 failed")
        screen.fact(Mark.BAD, "Mail", "a word")
    output.flush()


@pytest.mark.parametrize(
    ("environment", "platform", "is_there"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({}, "darwin", True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "linux", False),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", False),
        ({"BROWSER": "/usr/bin/open-there", "SSH_TTY": "/dev/pts/1"}, "linux", True),
        ({"BROWSER": "", "DISPLAY": ":0"}, "linux", False),
    ],
)
def test_a_browser_is_opened_only_where_somebody_sees_it(
    environment: dict[str, str], platform: str, is_there: bool
) -> None:
    assert has_browser(environment, platform) == is_there
