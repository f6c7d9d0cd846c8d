"""The command line answers each question of the day from the running stack: docs/cli.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from amplify_jobs_cli import cli
from tests.support.team import Team

pytestmark = pytest.mark.thorough

BROKEN = ["cp nothing-there public/"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a command, and give its exit code and what it printed."""
    capsys.readouterr()
    code = cli.main(arguments)
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, shown = run(capsys, *arguments, "--json")
    assert code == 0, shown
    return json.loads(shown)


@pytest.fixture(scope="module")
def apps(team: Team) -> dict[str, str]:
    """An app that is built, one whose build fails, and one that takes its time; a push of each has its route."""
    app_ids = {"fine": team.app("fine"), "broken": team.app("broken", BROKEN), "slow": team.app("slow", ["sleep 60"])}
    for name, app_id in app_ids.items():
        team.route(name, app_id)
    return app_ids


def pushed(team: Team, name: str, **members: Any) -> str:
    """Deliver a push, and give its commit."""
    body = team.push(name, **members)
    status, answer = team.deliver(body)
    # 200 says that no route wants it.
    assert status in (200, 202), answer
    return str(json.loads(body)["after"])


@pytest.mark.usefixtures("apps")
class TestQuestions:
    def test_wait_for_a_commit_and_see_what_is_live(self, team: Team, capsys: pytest.CaptureFixture[str]) -> None:
        commit = pushed(team, "fine", message="Say hello")
        code, shown = run(capsys, "jobs", "wait", "--repository", "acme/fine", "--commit", commit)
        assert code == 0, shown
        assert "fine main #1: succeeded" in shown
        (branch,) = as_json(capsys, "branches", "--app", "fine")["branches"]
        assert branch["live"]["jobId"] == "1"
        (listed,) = as_json(capsys, "jobs", "--app", "fine", "--branch", "main")["requests"]
        assert (listed["commit"], listed["outcome"]) == (commit, "SUCCEEDED")
        code, shown = run(capsys, "jobs", "show", "--app", "fine", "--branch", "main", "--job", "1")
        assert code == 0, shown
        assert "Say hello" in shown
        assert "push of acme/fine main" in shown

    def test_why_it_failed_and_its_log(self, team: Team, capsys: pytest.CaptureFixture[str]) -> None:
        commit = pushed(team, "broken")
        code, shown = run(capsys, "jobs", "wait", "--repository", "acme/broken", "--commit", commit)
        assert code == 1, shown
        assert "Cause      The command uses a folder or file that does not exist" in shown
        code, shown = run(capsys, "jobs", "logs", "--app", "broken", "--branch", "main")
        assert code == 0, shown
        assert "cp nothing-there public/" in shown
        code, failing = run(capsys, "jobs", "logs", "--app", "broken", "--branch", "main", "--failed")
        assert code == 0, failing
        assert "nothing-there" in failing
        assert len(failing.splitlines()) < len(shown.splitlines())

    def test_what_builds_now_and_cancel_it(self, team: Team, capsys: pytest.CaptureFixture[str]) -> None:
        commit = pushed(team, "slow")
        selection = ("--app", "slow", "--branch", "main")
        team.until(
            lambda: as_json(capsys, "jobs", "--state", "running", "--app", "slow")["requests"] or None,
            "the job is not shown as running",
        )
        code, shown = run(capsys, "jobs", "stop", *selection, "--reason", "the wrong branch")
        assert code == 0, shown
        code, shown = run(capsys, "jobs", "wait", "--repository", "acme/slow", "--commit", commit)
        assert code == 4, shown
        assert "cancelled" in shown

    def test_why_a_push_is_not_built(self, team: Team, capsys: pytest.CaptureFixture[str]) -> None:
        commit = pushed(team, "fine", ref="refs/heads/draft")
        code, shown = run(capsys, "jobs", "wait", "--repository", "acme/fine", "--commit", commit)
        assert code == 1, shown
        assert f"no route wants {commit}: " in shown
        assert "branch draft does not match main" in shown
        assert run(capsys, "jobs", "wait", "--repository", "acme/fine", "--commit", commit, "--allow-none")[0] == 0
        code, shown = run(capsys, "deliveries", "show", "--repository", "acme/fine")
        assert code == 0, shown
        assert "  fine: not built\n           branch draft does not match main" in shown
        assert as_json(capsys, "deliveries", "--repository", "acme/fine")["deliveries"][0]["commit"] == commit

    def test_build_again(self, team: Team, apps: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        code, shown = run(capsys, "run", "fine", "--branch", "main", "--reason", "new texts", "--wait")
        assert code == 0, shown
        code, shown = run(capsys, "jobs", "retry", "--app", "fine", "--branch", "main", "--wait")
        assert code == 0, shown
        assert len(team.jobs(apps["fine"])) >= 2

    def test_routes_in_effect_and_the_health_of_the_stack(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, shown = run(capsys, "routes", "show")
        assert code == 0, shown
        assert "push acme/fine main, release/*" in shown
        # The apps build themselves too, which is a problem of its own.
        findings = json.loads(run(capsys, "doctor", "--json")[1])["findings"]
        verdicts = {one["check"]: one["verdict"] for one in findings}
        assert (verdicts["jobs API"], verdicts["deliveries of github"]) == ("ok", "ok")


@pytest.mark.usefixtures("apps")
def test_the_program_waits_for_a_job_that_does_not_exist_yet(team: Team) -> None:
    """As a CI job does, in a process of its own."""
    body = team.push("fine")
    commit = json.loads(body)["after"]
    command = [
        sys.executable,
        "-m",
        "amplify_jobs_cli",
        "jobs",
        "wait",
        "--repository",
        "acme/fine",
        "--commit",
        commit,
    ]
    waiting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "CI": "true"})
    assert waiting.stdout is not None
    assert waiting.stdout.readline().rstrip().endswith(f"waiting for the job of repository acme/fine, commit {commit}")
    assert team.deliver(body)[0] == 202
    shown, _ = waiting.communicate()
    assert waiting.returncode == 0, shown
    assert "succeeded" in shown


def test_a_reader_reads_and_is_told_what_is_missing_to_write(
    team: Team, apps: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in team.cloud.credentials("ReaderPolicy").variables().items():
        monkeypatch.setenv(name, value)
    assert run(capsys, "jobs", "--app", "fine")[0] == 0
    code, shown = run(capsys, "run", "fine", "--branch", "main")
    assert code == 1
    assert "execute-api:Invoke" in shown
