"""Pushes whose delivery failed, at a host that can be asked to deliver again: GitHub's API, over the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.github_host import GitHubRepository
from tests.support.looking import reconcile
from tests.support.mirrored import MirroredApp
from tests.support.team import Team


def total(batches: list[dict[str, Any]], member: str) -> int:
    return sum(int(batch[member]) for batch in batches)


def push_of(app: MirroredApp, word: str, *, file: str = "index.html") -> tuple[str, bytes]:
    """Commit a page, and give the commit with the body of its delivery, which says that a file was changed."""
    commit = app.commit(word)
    body = json.loads(app.push(commit))
    files = {"added": [], "removed": [], "modified": [file]}
    body["head_commit"] |= {"author": {"name": "Grace"}, "message": f"Deliver {word}", **files}
    body["commits"] = [body["head_commit"]]
    return commit, json.dumps(body).encode()


def test_a_failed_delivery_comes_again_and_starts_its_job_with_files_and_author_known(team: Team) -> None:
    when = {"repository": "acme/again", "branches": ["main"], "paths": ["*.html"], "authors": ["Grace"]}
    app = MirroredApp.made(team, "again", when={"push": when})
    host = GitHubRepository.made(team, "again")
    reconcile(team)
    commit, body = push_of(app, "Again")
    guid = host.lose(body)
    # More than a page of others: the push is on the second one.
    for _ in range(100):
        host.lose(b"{}", "issues")
    looked = reconcile(team, afterMinutes=0)
    assert (total(looked, "redelivered"), total(looked, "missed")) == (1, 0)
    finished = team.told_of("again")
    assert (finished["outcome"], finished["commitBuilt"]) == ("SUCCEEDED", commit)
    cause = finished["cause"]
    assert [cause[name] for name in ("deliveryId", "author", "message")] == [guid, "Grace", "Deliver Again"]
    assert host.delivered_again(guid)["status_code"] == 202
    # Of this one the files are known, and no route waits for them.
    _, body = push_of(app, "Words", file="README.md")
    guid = host.lose(body)
    assert total(reconcile(team, afterMinutes=0), "redelivered") == 1
    assert host.delivered_again(guid)["status_code"] == 200
    looked = reconcile(team, afterMinutes=0)
    assert (total(looked, "redelivered"), total(looked, "missed"), total(looked, "waiting")) == (0, 0, 0)
    assert team.requests_of("again") == [finished["requestId"]]


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "status"), [("refused", 403), ("down", 503), ("silent", None)])
def test_without_an_answer_of_the_host_the_push_is_asked_for_at_once(team: Team, name: str, status: int | None) -> None:
    app = MirroredApp.made(team, name)
    host = GitHubRepository.made(team, name)
    reconcile(team)
    commit, body = push_of(app, "Asked")
    host.lose(body)
    host.fail(status, times=1)
    looked = reconcile(team, afterMinutes=0)
    assert (total(looked, "redelivered"), total(looked, "missed")) == (0, 1)
    finished = team.told_of(name)
    assert (finished["commitBuilt"], finished["cause"]["author"]) == (commit, "A")
    status_of_late, answer = team.deliver(body)
    assert (status_of_late, [each["duplicate"] for each in answer["requests"]]) == (202, [True])
    assert len(team.requests_of(name)) == 1


@pytest.mark.thorough
def test_a_delivery_that_fails_again_is_asked_for_by_its_ref(team: Team) -> None:
    app = MirroredApp.made(team, "unsigned")
    host = GitHubRepository.made(team, "unsigned")
    reconcile(team)
    commit, body = push_of(app, "Unsigned")
    guid = host.lose(body)
    right = team.sources["github"]
    team.sources["github"] = {**right, "secrets": ["/amplify-jobs/secrets/other"]}
    try:
        team.session.client("ssm").put_parameter(
            Name="/amplify-jobs/secrets/other", Type="SecureString", Value="another secret", Overwrite=True
        )
        team.add_routes({})
        assert total(reconcile(team, afterMinutes=0), "redelivered") == 1
        assert host.delivered_again(guid)["status_code"] == 401
        looked = reconcile(team, afterMinutes=0)
        assert (total(looked, "redelivered"), total(looked, "missed")) == (0, 1)
        assert team.told_of("unsigned")["commitBuilt"] == commit
    finally:
        team.sources["github"] = right
