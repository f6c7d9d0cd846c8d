"""What each host's events do to a preview: own branches are built, forks only when approved, and endings end it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.events.event import Event, PullRequestAction
from amplify_jobs.events.git_hosts import TITLES, git_host
from amplify_jobs.model.preview_order import PreviewAction
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Ignored, Matched, decide
from amplify_jobs.routing.routes import Routes
from tests.unit.events.test_approvals import APPROVALS, COMMENTS
from tests.unit.events.test_deliveries import PULLS, A, Payload, event, pulled
from tests.unit.events.test_endings import TELLING_PREVIOUS_TARGETS, ended
from tests.unit.routing.test_mirrors_of_pull_requests import FORK_REFS, forked, of_fork

# CodeCommit is no source of routes.yaml with git: it needs no mirror, and has no forks.
HOSTS = tuple(FORK_REFS)
RECEIVED = datetime(2026, 11, 2, tzinfo=UTC)


def routes(host: str, by: str = "Ada") -> Routes:
    approvals: dict[str | None, Any] = {"label": {"label": "preview"}, "comment": {"comment": "/preview", "by": by}}
    approval = approvals.get(git_host(host).APPROVAL)
    git = {"url": "https://git.example.com/{repository}.git"}
    route = {
        "source": host,
        "when": {"pull_request": {"repository": "acme/web", "targets": ["main"]}},
        "request": {
            "operation": "start_job",
            "parameters": {"appId": "d1", "branchName": "pr-{pullRequest.number}", "jobType": "RELEASE"},
        },
        "mirror": {"to": "codecommit::web"},
        "preview": {"approval": approval} if approval else {},
    }
    return Routes.model_validate(
        {"sources": {host: {"provider": host, "secrets": ["/s"], "git": git}}, "routes": {"web": route}}
    )


def decided(host: str, occurrence: Event, by: str = "Ada") -> Matched | Ignored:
    (decision,) = decide(routes(host, by), host, occurrence)
    return decision


def requested(host: str, occurrence: Event) -> JobRequest:
    match = decided(host, occurrence)
    assert isinstance(match, Matched), match
    return make_job_request(match, occurrence, source=host, delivery_id=None, received_at=RECEIVED)


def to_next(payload: Payload) -> Payload:
    """The same event of a pull request that was for main before, and is for next now."""
    headers, body = payload
    swapped = json.dumps(body).replace('"main"', '"?"').replace('"next"', '"main"').replace('"?"', '"next"')
    swapped = swapped.replace("refs/heads/main", "refs/heads/?").replace("refs/heads/next", "refs/heads/main")
    return headers, json.loads(swapped.replace("refs/heads/?", "refs/heads/next"))


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("moment", ["opened", "pushed"])
def test_an_own_branch_is_built(host: str, moment: str) -> None:
    result = requested(host, pulled(host, moment))
    assert result.preview is not None
    assert result.mirror is not None
    assert (result.preview.action, result.preview.is_fork) == (PreviewAction.BUILD, False)
    assert (result.mirror.ref, result.mirror.commit, result.mirror.branch) == ("refs/heads/feat", A, "pr-7")


@pytest.mark.parametrize("host", HOSTS)
def test_a_fork_is_not_built_unasked(host: str) -> None:
    decision = decided(host, event(host, of_fork(host)))
    assert isinstance(decision, Ignored)
    assert "comes from a fork" in decision.reason


@pytest.mark.parametrize("host", APPROVALS)
def test_an_approved_fork_is_built_as_it_stood_then(host: str) -> None:
    result = requested(host, event(host, forked(host, APPROVALS[host](0))))
    assert result.fault is None
    assert result.preview is not None
    assert result.mirror is not None
    assert (result.preview.action, result.preview.is_fork, result.preview.pull_request) == (
        PreviewAction.BUILD,
        True,
        7,
    )
    assert (result.mirror.ref, result.mirror.commit) == (FORK_REFS[host], A)
    assert result.request_id != requested(host, event(host, forked(host, APPROVALS[host](1)))).request_id


@pytest.mark.parametrize("host", APPROVALS)
def test_what_a_fork_pushes_later_waits_for_another_approval(host: str) -> None:
    decision = decided(host, event(host, forked(host, PULLS[host][1]("pushed", False, "eve"))))
    assert isinstance(decision, Ignored)
    assert decision.condition == "preview.approval"


@pytest.mark.parametrize("host", COMMENTS)
def test_a_comment_of_somebody_else_approves_nothing_and_names_the_account(host: str) -> None:
    result = event(host, forked(host, APPROVALS[host](0)))
    decision = decided(host, result, by="eve")
    assert isinstance(decision, Ignored)
    assert decision.reason.endswith("this one is of ada")


@pytest.mark.parametrize("host", APPROVALS)
def test_an_approval_of_an_own_branch_asks_for_nothing(host: str) -> None:
    assert isinstance(decided(host, event(host, APPROVALS[host](0))), Ignored)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("action", [PullRequestAction.CLOSED, PullRequestAction.MERGED])
def test_an_ending_takes_the_preview_away_at_its_time(host: str, action: PullRequestAction) -> None:
    result = requested(host, ended(host, action))
    assert result.preview is not None
    assert result.preview.action is PreviewAction.REMOVE
    assert result.event_time is not None
    assert result.event_time.isoformat().startswith("2026-11-01T10:00:00")


@pytest.mark.parametrize("host", HOSTS)
def test_another_target_takes_the_preview_away(host: str) -> None:
    result = event(host, to_next(PULLS[host][1]("moved", False, "ada")))
    assert result.pull_request is not None
    assert result.pull_request.previous_target == ("main" if host in TELLING_PREVIOUS_TARGETS else None)
    request = requested(host, result)
    assert request.preview is not None
    assert request.preview.action is PreviewAction.REMOVE


def test_every_host_but_codecommit_is_here() -> None:
    assert {*HOSTS, "codecommit"} == TITLES.keys()
