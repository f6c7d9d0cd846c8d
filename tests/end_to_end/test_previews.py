"""Pull requests at hosts that Amplify can not reach: branch, mirror, build and comment, from opening to closing."""

from __future__ import annotations

import json
import urllib.request
from functools import partial
from typing import Any

import pytest

from tests.support.host_comments import COMMENT_LISTS, WHOLE_PAGE
from tests.support.previewed import PreviewedMirror, sweep
from tests.support.pull_deliveries import APPROVALS
from tests.support.team import Team

TOKEN = "/amplify-jobs/secrets/reports/token"
PAGE = "refs/heads/feat"


def comments(team: Team, number: int) -> list[str]:
    """The comments on a merge request, as anybody reads them at GitLab."""
    listed = COMMENT_LISTS["gitlab"]
    query = "&".join(f"{name}={value}" for name, value in WHOLE_PAGE.items())
    address = f"{team.cloud.endpoint_url}/_local/reports/gitlab{listed.of(number)}?{query}"
    request = urllib.request.Request(address, headers={"Authorization": "Bearer of-a-reader"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [text for _, text in listed.read(json.load(answer))]


def test_a_pull_request_is_shown_as_long_as_it_is_open(team: Team) -> None:
    team.session.client("ssm").put_parameter(Name=TOKEN, Type="SecureString", Value="t0ken", Overwrite=True)
    target = {"source": "gitlab", "api": f"{team.cloud.endpoint_url}/_local/reports/gitlab", "token": TOKEN}
    team.reports["shown"] = {"kind": "pull_request_comment", **target}
    app = PreviewedMirror.made(team, "gitlab", environmentVariables={"API": "https://staging.example.com"})
    first = app.commit("first", PAGE)
    finished = app.built(app.did("opened", first, 70), first)
    assert b"first" in team.shown(finished)
    branch = app.branches["pr-70"]
    assert (branch["stage"], branch["enableAutoBuild"]) == ("PULL_REQUEST", False)
    assert branch["tags"] == {"amplify-jobs:preview": "gitlab"}
    assert branch["environmentVariables"] == {"API": "https://staging.example.com"}
    assert app.mirrored == {"pr-70": first}
    site = finished["links"]["site"]
    text = team.until(lambda: next((one for one in comments(team, 70) if site in one), None), "no comment")
    assert f"]({site})" in text

    second = app.commit("second", PAGE)
    assert b"second" in team.shown(app.built(app.did("updated", second, 70, before=first), second))
    assert app.mirrored == {"pr-70": second}

    closed = app.did("closed", second, 70)
    app.removed(closed)
    # Nobody is told of what is as it should be.
    team.collect()
    assert closed not in {event["detail"]["requestId"] for event in team.events}


@pytest.mark.thorough
@pytest.mark.parametrize("provider", sorted(APPROVALS))
def test_a_fork_is_built_at_the_commit_that_was_approved_and_at_no_other(team: Team, provider: str) -> None:
    app = PreviewedMirror.made(team, provider, f"fork-{provider}")
    ref = app.pull_ref(9)
    harmless = app.commit("harmless", ref)
    refused = app.send(app.operation("opened", harmless, 9), is_fork=True)
    assert refused["requests"] == []
    assert "comes from a fork and waits for approval" in json.dumps(refused["ignored"])
    approval = app.operation("approved", harmless, 9)
    # Between the look and the word, the author pushes.
    evil = app.commit("evil", ref)
    assert app.send(app.operation("updated", evil, 9, before=harmless), is_fork=True)["requests"] == []
    approved = app.asks(approval, is_fork=True)
    ended = team.until(lambda: outcome(team, approved), "nothing was said of the approved build")
    if ended["outcome"] == "SUCCEEDED":
        assert ended["commitBuilt"] == harmless
        assert b"harmless" in team.shown(ended)
    assert set(app.mirrored.values()) <= {harmless}
    # The same approval delivered once more builds nothing more, and a new one what there is now.
    assert app.send(approval, is_fork=True)["requests"][0]["duplicate"]
    finished = app.built(app.did("approved", evil, 9, is_fork=True), evil)
    assert b"evil" in team.shown(finished)
    app.removed(app.did("closed", evil, 9, is_fork=True))


def outcome(team: Team, request_id: str) -> dict[str, Any] | None:
    """The end of a request, or its rejection."""
    team.collect()
    ends = ("Job Finished", "Job Rejected")
    found = [event["detail"] for event in team.events if event["detail-type"] in ends]
    return next((dict(detail) for detail in found if detail["requestId"] == request_id), None)


@pytest.mark.thorough
def test_a_closing_that_arrives_before_the_opening_leaves_nothing_and_a_reopening_brings_it_back(team: Team) -> None:
    app = PreviewedMirror.made(team, "gitea", "overtaken")
    first = app.commit("first", PAGE)
    opened, closed = app.operation("opened", first, 7), app.operation("closed", first, 7)
    app.removed(app.asks(closed))
    late = team.told(app.asks(opened), "Job Rejected")
    assert "was closed" in late["reason"]
    assert (app.branches, app.mirrored) == ({}, {})
    # Reopened, and the deliveries of the first closing and of the reopening come once more.
    reopened = app.operation("reopened", first, 7)
    app.built(app.asks(reopened), first)
    assert app.send(closed)["requests"][0]["duplicate"]
    assert app.send(reopened)["requests"][0]["duplicate"]
    assert app.mirrored == {"pr-7": first}
    app.removed(app.did("closed", first, 7))


@pytest.mark.thorough
def test_a_pull_request_that_is_closed_while_it_is_built_leaves_nothing(team: Team) -> None:
    app = PreviewedMirror.made(team, "forgejo", "hasty")
    first = app.commit("first", PAGE, build=["sleep 600"])
    opened = app.did("opened", first, 7)
    team.told(opened, "Job Started")
    second = app.commit("second", PAGE)
    updated = app.did("updated", second, 7, before=first)
    app.removed(app.did("closed", second, 7))
    assert team.told(opened)["outcome"] == "CANCELLED"
    assert team.until(lambda: outcome(team, updated), "the update never ended")["outcome"] != "SUCCEEDED"
    assert (app.branches, app.mirrored) == ({}, {})


@pytest.mark.thorough
def test_the_fifty_first_branch_is_rejected_with_what_to_do(team: Team) -> None:
    app = PreviewedMirror.made(team, "gitea", "full")
    for number in range(50):
        team.amplify.create_branch(appId=app.app_id, branchName=f"b{number}")
    first = app.commit("first", PAGE)
    rejected = team.told(app.did("opened", first, 7), "Job Rejected")
    assert "50" in rejected["reason"]
    assert "close pull requests" in rejected["reason"]
    assert app.mirrored == {}
    # A branch of somebody else is left alone, whatever becomes of the pull request.
    team.amplify.delete_branch(appId=app.app_id, branchName="b0")
    team.amplify.create_branch(appId=app.app_id, branchName="pr-7")
    foreign = team.told(app.did("updated", app.commit("second", PAGE), 7, before=first), "Job Rejected")
    assert "exists and is no preview" in foreign["reason"]
    assert team.ended(app.did("closed", first, 7)) == "SUCCEEDED"
    assert "pr-7" in app.branches


@pytest.mark.thorough
@pytest.mark.parametrize("operation", ["CreateBranch", "DeleteBranch", "StopJob", "GetBranch"])
def test_a_lost_answer_of_amplify_changes_nothing(team: Team, operation: str) -> None:
    app = PreviewedMirror.made(team, "gitea", f"lost-{operation.lower()}")
    first = app.commit("first", PAGE)
    team.inject_fault(service="amplify", operation=operation, fault="lose-answer", times=1)
    app.built(app.did("opened", first, 7), first)
    app.removed(app.did("closed", first, 7))


@pytest.mark.thorough
def test_functions_that_are_killed_at_work_leave_nothing_half_done(team: Team) -> None:
    app = PreviewedMirror.made(team, "gitea", "killed")
    first = app.commit("first", PAGE)
    # Each call of Amplify takes so long that the function is killed in it.
    for operation, deed in (("CreateBranch", "opened"), ("DeleteBranch", "closed")):
        team.inject_fault(service="amplify", operation=operation, fault="hang", times=1)
        request_id = app.did(deed, first, 7)
        team.until(partial(is_used_up, team, operation), f"{operation} was not called")
        team.kill("PreviewFunction")
        if deed == "opened":
            app.built(request_id, first)
        else:
            app.removed(request_id)


def is_used_up(team: Team, operation: str) -> bool | None:
    """Whether the injected fault of an operation has met its call; None if it has not."""
    with urllib.request.urlopen(f"{team.cloud.endpoint_url}/_local/faults") as answer:
        return operation not in answer.read().decode() or None


@pytest.mark.thorough
def test_the_sweep_takes_away_what_no_event_did(team: Team) -> None:
    app = PreviewedMirror.made(team, "gitea", "swept")
    first = app.commit("first", PAGE)
    app.built(app.did("opened", first, 7), first)
    assert sweep(team)["removals"] == []
    # Merged at the host, and the delivery of that was lost.
    app.source.delete(PAGE)
    (removal,) = sweep(team)["removals"]
    assert removal["reason"] == "acme/web has no branch feat any more"
    team.until(lambda: (app.branches, app.mirrored) == ({}, {}) or None, "the sweep left something")
    assert sweep(team)["removals"] == []
    # The host was wrong, and the pull request goes on.
    app.source.set(PAGE, 2)
    app.built(app.did("reopened", first, 7), first)
    team.without("swept")
    (removal,) = sweep(team)["removals"]
    assert "no longer in routes.yaml" in removal["reason"]
    rejected = team.told_of("swept", "Job Rejected")
    assert "delete pr-7 of its mirror by hand" in rejected["reason"]
    assert (app.branches, app.mirrored) == ({}, {"pr-7": first})
