"""A push to a host that Amplify can't reach: the mirror, and the build of exactly that commit."""

from __future__ import annotations

import json

import pytest

from amplify_jobs.mirroring.relay import LFS_WARNING
from amplify_jobs_cli import cli
from tests.support.mirrored import MirroredApp
from tests.support.team import Team


def test_two_pushes_in_a_row_are_two_builds_of_their_own_commits(team: Team) -> None:
    app = MirroredApp.made(team, "twice")
    commits, _ = app.build_two_in_a_row()
    assert app.mirror_refs == {"refs/heads/main": commits[1]}


def test_what_a_mirror_can_not_bring_is_announced(team: Team) -> None:
    app = MirroredApp.made(team, "pointers")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 9\n" % 1
    request_id = team.accepted(app.push(app.commit("large", logo=pointer)))
    for detail_type in ("Job Started", "Job Finished"):
        assert team.told(request_id, detail_type)["warnings"] == [LFS_WARNING]


def test_a_commit_that_is_gone_is_announced_as_rejected(team: Team) -> None:
    app = MirroredApp.made(team, "gone")
    commit = app.commit("lost")
    app.source.delete("refs/heads/main")
    rejected = team.told(team.accepted(app.push(commit)), "Job Rejected")
    assert "has no refs/heads/main; it was deleted" in rejected["reason"]


@pytest.fixture
def _as_operator(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the command line the rights of those who may order jobs."""
    for name, value in team.cloud.credentials("OperatorPolicy").variables().items():
        monkeypatch.setenv(name, value)


def order(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Give an order by the command line, and the id of the request that came of it."""
    capsys.readouterr()
    assert cli.main([*arguments, "--json"]) == 0, capsys.readouterr().err
    return str(json.loads(capsys.readouterr().out)["requestId"])


@pytest.mark.usefixtures("_as_operator")
def test_an_earlier_commit_is_built_by_name_and_a_rollback_brings_back_what_was_live(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    app = MirroredApp.made(team, "back")
    commits = [app.commit("first"), app.commit("second")]
    for commit in commits:
        assert team.told(team.accepted(app.push(commit)))["commitBuilt"] == commit
    named = team.told(order(capsys, "run", "back", "--branch", "main", "--commit", commits[0]))
    assert (named["outcome"], named["commitBuilt"]) == ("SUCCEEDED", commits[0])
    assert b"first" in team.shown(named)
    assert app.mirror_refs == {"refs/heads/main": commits[0]}

    def is_listed() -> bool:
        capsys.readouterr()
        cli.main(["jobs", "--app", "back", "--branch", "main", "--json"])
        listed = json.loads(capsys.readouterr().out)
        return [job["outcome"] for job in listed["requests"]] == ["SUCCEEDED"] * 3

    team.until(lambda: is_listed() or None, "three jobs in the index")
    former = team.told(order(capsys, "rollback", "back", "main", "--reason", "no prices"))
    assert (former["outcome"], former["commitBuilt"]) == ("SUCCEEDED", commits[1])
    assert former["cause"]["reason"] == "no prices"
    chosen = team.told(order(capsys, "rollback", "back", "main", "--to", "1"))
    assert chosen["commitBuilt"] == commits[0]
    newest = app.commit("third")
    # A push from before the rollback would be late.
    assert team.told(team.accepted(app.push(newest, seconds_ago=0)))["commitBuilt"] == newest


@pytest.mark.usefixtures("_as_operator")
def test_a_rollback_of_an_app_without_a_mirror_says_what_can_be_done(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    app_id = team.app("direct")
    team.route("direct", app_id)
    for _ in range(2):
        assert team.told(team.accepted(team.push("direct")))["outcome"] == "SUCCEEDED"

    def refusal() -> str | None:
        assert cli.main(["rollback", "direct", "main", "--to", "1"]) == 1
        message = capsys.readouterr().err
        return message if "no job 1" not in message else None

    message = team.until(refusal, "the job in the index")
    assert "Amplify builds the newest commit of main and no earlier one" in message
    assert "Revert the change in Git and push" in message
