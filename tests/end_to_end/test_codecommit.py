"""Code that reaches Amplify by CodeCommit: mirrored from a host that Amplify can't reach, or pushed there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from botocore.credentials import ReadOnlyCredentials

from amplify_jobs.aws.git_remotes import codecommit_login
from tests.support.git_server import git
from tests.support.looking import reconcile
from tests.support.mirrored import MAIN, MirroredApp
from tests.support.team import MIRRORS, RECONCILED, Team


@pytest.mark.thorough
def test_a_push_to_a_self_hosted_server_is_mirrored_and_exactly_its_commit_is_built(team: Team) -> None:
    app = MirroredApp.made_in_codecommit(team, MIRRORS[0])
    commits, requests = app.build_two_in_a_row()
    assert app.commit_in_codecommit() == commits[1]
    # A mirror of a stack's own makes events like any repository; without a route for them, they start nothing.
    assert team.requests_of(MIRRORS[0]) == requests


def waiting_for_codecommit(team: Team, name: str, route: str) -> MirroredApp:
    """An app whose repository is one of CodeCommit, to which people push; a route waits for that."""
    app = MirroredApp.made_in_codecommit(team, name)
    team.without(name)
    app_id = next(one["appId"] for one in team.amplify.list_apps()["apps"] if one["name"] == name)
    team.route(route, app_id, source="aws.codecommit", when={"push": {"repository": name, "branches": ["main"]}})
    return app


def push(app: MirroredApp) -> None:
    """Push main to CodeCommit, as anybody."""
    address = f"{app.team.cloud.endpoint_url}/v1/repos/{app.name}"
    credentials = ReadOnlyCredentials("AKID", "secret", None)
    user, password = codecommit_login(address, app.team.cloud.region, credentials, datetime.now(UTC))
    git(app.source.path, "push", "-q", address.replace("://", f"://{user}:{quote(password)}@"), MAIN)


def test_a_push_to_codecommit_starts_the_route_that_waits_for_it(team: Team) -> None:
    name = MIRRORS[1]
    app = waiting_for_codecommit(team, name, "waits")
    commit = app.commit("pushed")
    push(app)
    finished = team.told_of("waits")
    assert finished["outcome"] == "SUCCEEDED", finished["reason"]
    assert (finished["cause"]["commit"], finished["commitBuilt"]) == (commit, commit)


def test_a_push_to_codecommit_whose_event_was_lost_is_built_once(team: Team) -> None:
    name = RECONCILED[0]
    app = waiting_for_codecommit(team, name, "unheard")
    first = app.commit("first")
    push(app)
    assert team.told_of("unheard")["commitBuilt"] == first
    reconcile(team)
    # Neither that its event was processed, nor that nothing came, asks for it again.
    assert pushes(reconcile(team, afterMinutes=0)) == []
    events: Any = team.session.client("events")
    events.disable_rule(Name="amplify-jobs-codecommit")
    try:
        commit, pushed_at = app.commit("second"), datetime.now(UTC)
        push(app)
        assert pushes(reconcile(team, afterMinutes=0)) == [{"repository": name, "ref": MAIN, "commit": commit}]
    finally:
        events.enable_rule(Name="amplify-jobs-codecommit")
    requests = team.until(lambda: requests_of(team, 2), "the push is not asked for")
    finished = team.told(requests[1])
    assert (finished["outcome"], finished["commitBuilt"]) == ("SUCCEEDED", commit)
    cause = finished["cause"]
    assert [cause[key] for key in ("source", "author", "message")] == ["aws.codecommit", "A", "second"]
    # Its event comes after all, and after it another one, which tells that it was processed.
    team.cloud.events.emit(event(team, name, first, commit) | {"time": f"{pushed_at:%Y-%m-%dT%H:%M:%SZ}"})
    third = app.commit("third")
    push(app)
    newest = team.until(lambda: requests_of(team, 3), "the third push is not asked for")[2]
    assert json.loads(team.execution(newest)["input"])["cause"]["commit"] == third
    assert len(team.requests_of("unheard")) == 3


def requests_of(team: Team, number: int) -> list[str] | None:
    requests = team.requests_of("unheard")
    return requests if len(requests) >= number else None


def pushes(batches: list[dict[str, Any]]) -> list[dict[str, str]]:
    members = ("repository", "ref", "commit")
    return [{name: push[name] for name in members} for batch in batches for push in batch["pushes"]]


def event(team: Team, name: str, before: str, after: str) -> dict[str, Any]:
    """What CodeCommit tells of a push to main."""
    return {
        "source": "aws.codecommit",
        "detail-type": "CodeCommit Repository State Change",
        "resources": [f"arn:aws:codecommit:{team.cloud.region}:{team.cloud.account}:{name}"],
        "detail": {
            "event": "referenceUpdated",
            "repositoryName": name,
            "referenceType": "branch",
            "referenceName": "main",
            "referenceFullName": MAIN,
            "commitId": after,
            "oldCommitId": before,
        },
    }
