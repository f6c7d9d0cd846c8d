"""A push whose webhook was lost: built once by the whole stack, and the late webhook starts nothing more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs_cli import cli
from tests.support.looking import reconcile
from tests.support.mirrored import MAIN, MirroredApp
from tests.support.team import Team


def pushes(batches: list[dict[str, Any]], name: str) -> list[str]:
    return [push["commit"] for batch in batches for push in batch["pushes"] if push["repository"] == f"acme/{name}"]


def test_a_push_whose_webhook_was_lost_is_built_once_and_the_late_webhook_starts_nothing(team: Team) -> None:
    app = MirroredApp.made(team, "lost")
    reconcile(team)
    commit = app.commit("Lost")
    late = app.push(commit)
    assert pushes(reconcile(team, dryRun=True, afterMinutes=0), "lost") == [commit]
    assert pushes(reconcile(team, afterMinutes=0), "lost") == [commit]
    finished = team.told_of("lost")
    assert (finished["outcome"], finished["commitBuilt"]) == ("SUCCEEDED", commit)
    assert b"Lost" in team.shown(finished)
    assert app.mirror_refs == {MAIN: commit}
    status, answer = team.deliver(late)
    assert status == 202
    assert [(each["requestId"], each["duplicate"]) for each in answer["requests"]] == [(finished["requestId"], True)]
    assert pushes(reconcile(team, afterMinutes=0), "lost") == []
    assert len(team.requests_of("lost")) == 1


def test_the_command_line_shows_what_was_missed_and_asks_for_it(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    app = MirroredApp.made(team, "shown")
    reconcile(team)
    commit = app.commit("Shown")
    assert cli.main(["reconcile", "--dry-run", "--after", "0"]) == 0
    shown = capsys.readouterr().out
    assert f"Missed: acme/shown refs/heads/main {commit[:12]} (source github)\n" in shown
    assert shown.endswith("Missed pushes would be asked for: 1.\n")
    assert cli.main(["reconcile", "--after", "0", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["missed"], document["dryRun"], document["pushes"][0]["commit"]) == (1, False, commit)
    assert team.told_of("shown")["commitBuilt"] == commit


def test_a_push_whose_webhook_came_is_not_built_again(team: Team) -> None:
    app = MirroredApp.made(team, "heard")
    reconcile(team)
    commit = app.commit("Heard")
    finished = team.told(team.accepted(app.push(commit)))
    assert finished["commitBuilt"] == commit
    assert pushes(reconcile(team, afterMinutes=0), "heard") == []
    assert len(team.requests_of("heard")) == 1
