"""A push to a host that Amplify can't reach: the mirror, and the build of exactly that commit."""

from __future__ import annotations

import pytest

from tests.support.mirrored import MirroredApp
from tests.support.team import Team

pytestmark = pytest.mark.shared_cloud


def test_two_pushes_in_a_row_are_two_builds_of_their_own_commits(team: Team) -> None:
    app = MirroredApp.made(team, "twice")
    commits = [app.commit("first"), app.commit("second")]
    first = team.accepted(app.push(commits[0]))
    team.told(first, "Job Started")
    requests = [first, team.accepted(app.push(commits[1]))]
    for commit, request_id in zip(commits, requests, strict=True):
        finished = team.told(request_id)
        assert finished["outcome"] == "SUCCEEDED", finished["reason"]
        assert finished["commitBuilt"] == commit
    assert b"second" in team.shown(finished)
    assert app.mirror_refs == {"refs/heads/main": commits[1]}


def test_a_commit_that_is_gone_is_announced_as_rejected(team: Team) -> None:
    app = MirroredApp.made(team, "gone")
    commit = app.commit("lost")
    app.source.delete("refs/heads/main")
    rejected = team.told(team.accepted(app.push(commit)), "Job Rejected")
    assert "has no refs/heads/main; it was deleted" in rejected["reason"]
