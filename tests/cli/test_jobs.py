"""`jobs`, `branches`, `run` and `deliveries` against answers of the jobs API: what they ask, print and exit with."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from werkzeug.wrappers import Response

from amplify_jobs.indexing.answers import (
    BranchState,
    LiveCommit,
    LogText,
    PublishedAnnouncement,
    ReportResult,
    RequestLinks,
    RequestState,
    RequestStory,
    StepState,
    TimelineEntry,
)
from amplify_jobs.indexing.deliveries import RouteDecision, RoutesInEffect, ScheduleState
from amplify_jobs.model.failure import Failure, Who
from amplify_jobs_cli.cli import main
from tests.cli.conftest import OUTPUTS
from tests.support.jobs_api import COMMIT, NOW, FakeJobsApi, JobsApiStandIn, delivery, running, serving_jobs_api, story

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient

FAILURE = Failure(
    cause="missing-file",
    summary="The command uses a folder or file that does not exist",
    advice="Correct the path in amplify.yml",
    command="cp style.css public/",
    excerpt="cp: cannot stat 'style.css'\n\x1b[31mBuild failed\x1b[0m",
    who=Who.AUTHOR,
)
WHOLE_STORY = story(
    "web-6c187de2b07a87cf14dbd8795909b3b9",
    outcome="FAILED",
    duration_seconds=65,
    attempts=2,
    commit_built="a" * 40,
    pusher="ada",
    failure=FAILURE,
    steps=(
        StepState(name="BUILD", status="FAILED", started_at=NOW, ended_at=NOW + timedelta(seconds=61)),
        StepState(name="DEPLOY", status="CANCELLED"),
    ),
    timeline=(TimelineEntry(time=NOW, what="received", text="A push of acme/web was received"),),
    announcements=(PublishedAnnouncement(detail_type="Job Started", at=NOW),),
    reports=(ReportResult(target="status", kind="commit_status", state="sent", at=NOW, text="failure"),),
    links=RequestLinks(site="https://main.example.com/", console="https://console.example.com/", log="/requests/x/log"),
)
UNWANTED = delivery(
    "8f1d0c8e-5a9e-11ee-8c99-0242ac120002",
    ref="refs/heads/draft",
    summary="no route wants it",
    decisions=(RouteDecision(route="web", matched=False, reason="branch draft does not match main"),),
)


@pytest.fixture(scope="module")
def served() -> Iterator[JobsApiStandIn]:
    with serving_jobs_api() as stand_in:
        yield stand_in


@pytest.fixture
def api(served: JobsApiStandIn, ssm: SSMClient) -> FakeJobsApi:
    served.api, served.answer = FakeJobsApi(), None
    served.received.clear()
    ssm.put_parameter(Name="/amplify-jobs/outputs", Type="String", Value=json.dumps({**OUTPUTS, "apiUrl": served.url}))
    return served.api


def recently(**ago: float) -> datetime:
    return datetime.now(UTC) - timedelta(**ago)


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def as_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(out(capsys))


class TestJobs:
    def test_a_list_asks_for_what_was_chosen(
        self, api: FakeJobsApi, served: JobsApiStandIn, capsys: pytest.CaptureFixture[str]
    ) -> None:
        api.stories = [running("web-2", requested_at=recently(minutes=3, seconds=5)), story("web-1")]
        assert main(["jobs", "--app", "web", "--branch", "main", "--state", "running"]) == 0
        assert served.received[-1][1] == "/requests?app=web&branch=main&state=running&limit=20"
        assert out(capsys).splitlines() == [
            "STATE    APP  BRANCH  JOB  COMMIT   WHAT       BY   WHEN       REQUEST",
            "running  web  main    #17  4f2c1e0  Say hello  Ada  3 min ago  web-2",
        ]

    def test_a_list_for_programs_has_every_member(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        api.stories = [story("web-1")]
        assert main(["jobs", "list", "--json"]) == 0
        (listed,) = as_json(capsys)["requests"]
        assert (listed["requestId"], listed["commitMessage"], listed["links"]["site"]) == ("web-1", "Say hello", None)

    def test_no_jobs(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["jobs"]) == 0
        assert out(capsys) == "There are no such jobs.\n"

    @pytest.mark.parametrize(
        "selection",
        [
            ["web-6c187de2b07a87cf14dbd8795909b3b9"],
            ["--app", "web", "--branch", "main"],
            ["--app", "web", "--branch", "main", "--job", "17"],
            ["--repository", "acme/web", "--commit", COMMIT],
            ["--commit", "aaaaaaa"],
        ],
    )
    def test_a_job_is_shown_with_its_story(
        self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str], selection: list[str]
    ) -> None:
        api.stories = [
            running("web-3", app_name="shop", job_id="3", commit="b" * 40, repository="acme/shop"),
            WHOLE_STORY,
        ]
        assert main(["jobs", "show", *selection]) == 0
        shown = out(capsys)
        assert shown.startswith("failed web main #17\nCommit     4f2c1e0 Say hello, by Ada\n")
        for line in (
            "Built      aaaaaaa, the newest commit of the branch when the job ran",
            "Trigger    push of acme/web main by ada, route web",
            "Took       1 min 5 s, 2 attempts",
            "Cause      The command uses a folder or file that does not exist",
            "Advice     Correct the path in amplify.yml",
            "Who        the author can mend it",
            "Command    cp style.css public/",
            "    cp: cannot stat 'style.css'",
            "    Build failed",
            "  BUILD    failed    1 min 1 s",
            "  DEPLOY   cancelled",
            "Site       https://main.example.com/",
            "Log        amplify-jobs jobs logs web-6c187de2b07a87cf14dbd8795909b3b9",
        ):
            assert f"\n{line}\n" in shown
        assert "A push of acme/web was received" in shown
        assert "status (commit_status): sent failure" in shown

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["show"], "say which: REQUEST_ID, or --app and --branch, or --repository and --commit"),
            (["show", "web-1", "--app", "web"], "REQUEST_ID says all"),
            (["wait", "--branch", "main"], "--branch needs --app"),
            (["logs", "--app", "web", "--job", "3"], "--job needs --app and --branch"),
            (["stop", "--commit", "main"], "--commit 'main' is no commit; use at least 7 hexadecimal digits"),
            (["wait", "web-1", "--timeout", "5"], "'5' is not a duration; use a number of minutes, hours or days"),
            (["list", "--limit", "0"], "'0' is not a number from 1 to 1000"),
            (["list", "--state", "done"], "invalid choice: 'done'"),
            (["watch", "--branch", "main"], "--branch needs --app"),
            (["watch", "--job", "7"], "--job needs --app and --branch"),
        ],
    )
    def test_a_wrong_call_says_what_would_be_right(
        self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
    ) -> None:
        with pytest.raises(SystemExit) as exit_:
            main(["jobs", *arguments])
        assert exit_.value.code == 2
        assert text in capsys.readouterr().err

    def test_a_job_that_is_not_there(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["jobs", "show", "--app", "web", "--branch", "main", "--job", "18"]) == 1
        text = capsys.readouterr().err
        assert text == (
            "amplify-jobs: there is no job of app web, branch main, job 18; amplify-jobs jobs lists what there is\n"
        )
        assert main(["jobs", "show", "web-9"]) == 1
        assert "there is no web-9" in capsys.readouterr().err

    def test_a_log_is_read_to_its_end(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        parts = ["one\ntw", "o\n\x1b[31mthree\x1b[0m\nfour", ""]
        api.log = [
            LogText(text=text, offset=number + 1, complete=number == 2, failing_lines=(2, 3), as_of=NOW)
            for number, text in enumerate(parts)
        ]
        api.stories = [WHOLE_STORY]
        assert main(["jobs", "logs", "--app", "web", "--branch", "main", "--follow"]) == 0
        assert out(capsys) == "one\ntwo\nthree\nfour\n"
        assert main(["jobs", "logs", "web-1", "--failed"]) == 0
        assert out(capsys) == "two\nthree\n"
        assert main(["jobs", "logs", "web-1", "--json"]) == 0
        assert as_json(capsys)["failingLines"] == [2, 3]

    def test_the_newest_job_that_has_not_ended_is_stopped(
        self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        api.stories = [story("web-3"), running("web-2"), running("web-1")]
        assert main(["jobs", "stop", "--app", "web", "--branch", "main", "--reason", "wrong branch"]) == 0
        assert api.orders == [("/requests/web-2/stop", {"reason": "wrong branch"})]
        assert "web-2 is told to stop" in out(capsys)

    def test_a_retry_is_followed(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        api.stories = [story("web-new"), WHOLE_STORY]
        assert main(["jobs", "retry", WHOLE_STORY.request_id, "--wait"]) == 0
        assert out(capsys).splitlines()[0] == "Requested web-new."
        assert api.orders == [(f"/requests/{WHOLE_STORY.request_id}/retry", {})]


class TestWait:
    @pytest.mark.parametrize(
        ("outcome", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("REJECTED", 1), ("CANCELLED", 4), ("TIMED_OUT", 1)]
    )
    def test_the_outcome_is_the_exit_code(
        self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str], outcome: str, code: int
    ) -> None:
        api.stories = [story("web-1", outcome=outcome, reason="the reason")]
        assert main(["jobs", "wait", "web-1"]) == code
        shown = out(capsys)
        assert f"web main #17: {outcome.replace('_', ' ').lower()}" in shown
        assert ("the reason" in shown) == (code != 0)
        assert main(["jobs", "wait", "web-1", "--json"]) == code
        assert as_json(capsys)["requests"][0]["outcome"] == outcome

    def test_a_failure_is_explained(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        api.stories = [WHOLE_STORY]
        assert main(["jobs", "wait", "--repository", "acme/web", "--commit", COMMIT]) == 1
        shown = out(capsys)
        assert "Advice     Correct the path in amplify.yml" in shown
        assert f"More       amplify-jobs jobs show {WHOLE_STORY.request_id}" in shown

    def test_a_stack_that_can_not_be_asked_is_no_failed_job(
        self, api: FakeJobsApi, served: JobsApiStandIn, capsys: pytest.CaptureFixture[str]
    ) -> None:
        served.answer = Response('{"message": "Forbidden"}', 403)
        assert main(["jobs", "wait", "web-1"]) == 2
        assert "they need the permission execute-api:Invoke" in capsys.readouterr().err
        assert main(["jobs", "wait", "web-1", "--stack", "other"]) == 2
        assert "no stack other" in capsys.readouterr().err


class TestRollback:
    def test_to_what_was_live_before(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["rollback", "web", "main"]) == 0
        assert api.orders == [("/rollbacks", {"app": "web", "branch": "main"})]
        assert out(capsys) == "Requested web-new. To follow it: amplify-jobs jobs wait web-new\n"

    def test_to_a_job_with_a_reason(self, api: FakeJobsApi) -> None:
        assert main(["rollback", "web", "main", "--to", "3", "--reason", "no prices", "--json"]) == 0
        assert api.orders == [("/rollbacks", {"app": "web", "branch": "main", "job": "3", "reason": "no prices"})]


class TestRun:
    def test_by_a_route(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["run", "web", "--branch", "main", "--reason", "new texts"]) == 0
        assert api.orders == [("/requests", {"route": "web", "branch": "main", "reason": "new texts"})]
        assert out(capsys) == "Requested web-new. To follow it: amplify-jobs jobs wait web-new\n"

    def test_by_an_operation(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
        file = tmp_path / "parameters.json"
        parameters = {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}
        file.write_text(json.dumps(parameters))
        assert main(["run", "--operation", "start_job", "--parameters", str(file), "--json"]) == 0
        order = {"operation": "start_job", "appId": "d1a2b3c4d5e6", "parameters": parameters}
        assert api.orders == [("/requests", order)]
        assert as_json(capsys) == {"requestId": "web-new"}

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (b'{"appId": }', ":1:11: is not JSON"),
            (b"[]", "is no JSON object"),
            (b"\xff", "is not JSON"),
        ],
    )
    def test_parameters_that_are_none(
        self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str], tmp_path: Any, content: bytes, text: str
    ) -> None:
        file = tmp_path / "parameters.json"
        file.write_bytes(content)
        assert main(["run", "--operation", "start_job", "--parameters", str(file)]) == 1
        assert text in capsys.readouterr().err

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["web", "--operation", "start_job"],
            ["web", "--app", "d1"],
            ["--operation", "start_job", "--branch", "x"],
        ],
    )
    def test_a_wrong_call(self, api: FakeJobsApi, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as exit_:
            main(["run", *arguments])
        assert exit_.value.code == 2


class TestDeliveries:
    def test_what_came_of_each_is_listed(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        api.deliveries = [UNWANTED.model_copy(update={"received_at": recently(hours=3)})]
        assert main(["deliveries", "--repository", "acme/web"]) == 0
        shown = out(capsys)
        assert "3 h ago  github  push  acme/web    draft  4f2c1e0  no route wants it" in shown

    @pytest.mark.parametrize(
        "arguments",
        [[UNWANTED.delivery_id], ["--repository", "acme/web"], ["--branch", "draft"], ["--commit", "4f2c1e0"]],
    )
    def test_a_delivery_is_shown_with_every_decision(
        self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        api.deliveries = [delivery("other", commit="b" * 40, repository="acme/shop"), UNWANTED]
        assert main(["deliveries", "show", *arguments]) == 0
        shown = out(capsys)
        assert shown.startswith("push acme/web refs/heads/draft 4f2c1e0\n")
        assert "  web: not built\n           branch draft does not match main\n" in shown

    def test_nothing_was_delivered(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["deliveries", "show", "--repository", "acme/web"]) == 1
        assert "no delivery of repository acme/web was received" in capsys.readouterr().err

    def test_a_delivery_is_replayed(self, api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["deliveries", "replay", UNWANTED.delivery_id]) == 0
        assert api.orders == [(f"/deliveries/{UNWANTED.delivery_id}/replay", {})]


def test_branches_say_what_is_live(api: FakeJobsApi, capsys: pytest.CaptureFixture[str]) -> None:
    live = LiveCommit(commit=COMMIT, job_id="16", at=recently(hours=2), request_id="web-1")
    api.branches = [
        BranchState(
            app_id="d1", app_name="web", branch_name="main", live=live, last=WHOLE_STORY, running=running("web-2")
        ),
        BranchState(app_id="d2", app_name="shop", branch_name="main"),
    ]
    assert main(["branches"]) == 0
    assert out(capsys).splitlines() == [
        "APP   BRANCH  LIVE     SINCE    LAST JOB    NOW",
        "web   main    4f2c1e0  2 h ago  #17 failed  #17 running",
        "shop  main    nothing",
    ]
    assert main(["branches", "--app", "shop", "--json"]) == 0
    assert [branch["appName"] for branch in as_json(capsys)["branches"]] == ["shop"]


def test_a_badge_is_an_address_and_what_shows_it(
    api: FakeJobsApi, served: JobsApiStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    api.branches = [
        BranchState(app_id="d1", app_name="web", branch_name="release/[1]", badge="/badges/a-b_c.svg"),
        BranchState(app_id="d2", app_name="shop", branch_name="main"),
    ]
    assert main(["badge", "web", "release/[1]"]) == 0
    assert out(capsys).splitlines() == [
        f"Image      {served.url}/badges/a-b_c.svg",
        f"Shields.io https://img.shields.io/endpoint?url={quote(served.url, safe='')}%2Fbadges%2Fa-b_c.json",
        f"Markdown   ![Build of web release/\\[1\\]]({served.url}/badges/a-b_c.svg)",
    ]
    assert main(["badge", "d1", "release/[1]", "--json"]) == 0
    assert as_json(capsys)["image"] == f"{served.url}/badges/a-b_c.svg"
    assert main(["badge", "shop", "main"]) == 1
    assert "badges are switched off; deploy the stack with the parameter BadgeKey" in capsys.readouterr().err
    assert main(["badge", "web", "main"]) == 1
    assert "no job of the branch main of the app web was followed yet" in capsys.readouterr().err


def on_terminal(columns: int, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run the command line on a terminal of that width, and give its exit code and what it wrote."""
    master, slave = pty.openpty()
    variables = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **environment}
    variables.pop("CI", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "amplify_jobs_cli", *arguments], stdout=slave, stderr=slave, stdin=slave, env=variables
    )
    os.close(slave)
    written = b""
    try:
        while part := os.read(master, 65536):
            written += part
    except OSError:
        pass
    os.close(master)
    return process.wait(), written.decode().replace("\r\n", "\n")


ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class TestTerminal:
    @pytest.mark.parametrize("columns", [40, 80])
    def test_no_line_of_a_list_is_broken(self, api: FakeJobsApi, columns: int) -> None:
        long = story("shop-" + "0" * 32, app_name="shop", branch_name="main", commit_message="A very long message " * 9)
        api.stories = [
            WHOLE_STORY,
            long,
            story("a-1", state=RequestState.RECEIVED, outcome=None, commit_message="日本語 " * 30),
        ]
        code, written = on_terminal(columns, "jobs")
        lines = ESCAPES.sub("", written).splitlines()
        assert code == 0
        assert max(map(len, lines)) <= columns
        assert any(line.strip().endswith("web-6c187de2b07a87cf14dbd8795909b3b9") for line in lines)
        assert ("\x1b[31m" in written, "REQUEST" in written) == (True, columns >= 80)

    def test_no_colour(self, api: FakeJobsApi) -> None:
        api.stories = [WHOLE_STORY]
        assert "\x1b[3" not in on_terminal(80, "jobs", "show", WHOLE_STORY.request_id, NO_COLOR="1")[1]

    def test_waiting_draws_the_steps(self, api: FakeJobsApi) -> None:
        """The job ends while it is watched."""
        steps = (StepState(name="BUILD", status="RUNNING", started_at=recently(seconds=9)),)
        api.stories = [running("web-1", steps=steps, started_at=recently(seconds=10))]

        def end(path: str) -> None:
            if len(api.calls) > 2:
                api.stories = [story("web-1", duration_seconds=12)]

        api.before_call = end
        code, written = on_terminal(40, "jobs", "wait", "web-1")
        plain = ESCAPES.sub("", written)
        assert code == 0
        assert "running   web main #17  1" in plain
        assert "  BUILD    running" in plain
        assert "succeeded web main #17  12 s" in plain

    def test_in_the_log_of_a_ci_service_lines_are_plain(self, api: FakeJobsApi) -> None:
        api.stories = [WHOLE_STORY]
        environment = {**os.environ, "CI": "true", "FORCE_COLOR": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "amplify_jobs_cli", "jobs", "wait", WHOLE_STORY.request_id],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert re.match(r"\d\d:\d\d:\d\d  web main #17: failed after 1 min 5 s\n", done.stdout)


EXAMPLES = Path(__file__).parents[1] / "support" / "api_examples"


class TestRoutesInEffect:
    @pytest.fixture(autouse=True)
    def _routes(self, api: FakeJobsApi) -> None:
        api.routes = RoutesInEffect.model_validate_json((EXAMPLES / "routes.json").read_bytes())
        (schedule,) = json.loads((EXAMPLES / "schedules.json").read_bytes())["items"]
        api.schedules = [ScheduleState.model_validate({**schedule, "route": "web"})]

    def test_they_are_listed_with_their_next_times(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["routes", "show"]) == 0
        titles, web, sources, *_ = out(capsys).splitlines()
        assert titles.split() == ["ROUTE", "EVENT", "JOB", "NEXT"]
        assert web.startswith("web    push acme/web main  start_job d1a2b3c4d5e6 {branch}  2026-11-28 ")
        assert sources == "Sources    github"

    def test_one_is_shown_whole(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["routes", "show", "web"]) == 0
        assert json.loads(out(capsys))["timeoutMinutes"] == 60
        assert main(["routes", "show", "other"]) == 1
        assert out(capsys) == "There is no route other; there are web.\n"

    def test_for_programs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["routes", "show", "--json"]) == 0
        assert {"routes", "schedules", "pushedAt"} <= as_json(capsys).keys()


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("request-*.json")), ids=lambda file: file.stem)
def test_every_answer_of_the_api_is_shown(api: FakeJobsApi, capsys: pytest.CaptureFixture[str], file: Path) -> None:
    api.stories = [RequestStory.model_validate_json(file.read_bytes())]
    assert main(["jobs", "show", api.stories[0].request_id]) == 0
    shown = out(capsys)
    assert shown.startswith(file.stem.removeprefix("request-"))
    assert "None" not in shown
