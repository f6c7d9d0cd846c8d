"""Code that reaches Amplify by CodeCommit: mirrored from a host that Amplify can't reach, or pushed there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from botocore.credentials import ReadOnlyCredentials

from amplify_jobs.aws.git_remotes import codecommit_login
from tests.support.git_server import git
from tests.support.mirrored import MAIN, MirroredApp
from tests.support.team import MIRRORS, Team


def test_a_push_to_a_self_hosted_server_is_mirrored_and_exactly_its_commit_is_built(team: Team) -> None:
    app = MirroredApp.made_in_codecommit(team, MIRRORS[0])
    commits, requests = app.build_two_in_a_row()
    assert app.commit_in_codecommit() == commits[1]
    # A mirror of a stack's own makes events like any repository; without a route for them, they start nothing.
    assert team.requests_of(MIRRORS[0]) == requests


def test_a_push_to_codecommit_starts_the_route_that_waits_for_it(team: Team, tmp_path: Path) -> None:
    name = MIRRORS[1]
    app = MirroredApp.made_in_codecommit(team, name)
    team.without(name)
    app_id = next(one["appId"] for one in team.amplify.list_apps()["apps"] if one["name"] == name)
    team.route("waits", app_id, source="aws.codecommit", when={"push": {"repository": name, "branches": ["main"]}})
    commit = app.commit("pushed")
    address = f"{team.cloud.endpoint_url}/v1/repos/{name}"
    user, password = codecommit_login(
        address, team.cloud.region, ReadOnlyCredentials("AKID", "secret", None), datetime.now(UTC)
    )
    git(app.source.path, "push", "-q", address.replace("://", f"://{user}:{quote(password)}@"), MAIN)
    finished = team.told_of("waits")
    assert finished["outcome"] == "SUCCEEDED", finished["reason"]
    assert (finished["cause"]["commit"], finished["commitBuilt"]) == (commit, commit)
