"""Mirrors of routes: which addresses and events they take, and what a request then asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from amplify_jobs.events.event import Event, EventKind, RequestedJob
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Matched
from amplify_jobs.routing.mirrors import Git, Mirror
from amplify_jobs.routing.routes import Routes

COMMIT, BEFORE = "8" * 40, "7" * 40


def routes(when: dict[str, Any] | None = None, operation: str = "start_job", **more: Any) -> Routes:
    parameters = {"appId": "d1", "branchName": "{branch}", "jobType": "RELEASE"}
    route = {
        "source": "gitea",
        "when": when or {"push": {"repository": "acme/web", "branches": ["main"]}},
        "request": {"operation": operation, "parameters": parameters},
        "mirror": {"to": "codecommit::web"},
    }
    git = {"url": "https://git.example.com/{repository}.git"}
    sources = {
        "gitea": {"provider": "gitea", "secrets": ["/a/secrets/b"], "git": git},
        "bare": {"provider": "gitea", "secrets": ["/a/secrets/b"]},
    }
    return Routes.model_validate({"sources": sources, "routes": {"web": {**route, **more}}})


def make_request(routes: Routes, event: Event) -> Any:
    match = Matched("web", routes.routes["web"], ())
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return make_job_request(match, event, source="gitea", delivery_id=None, received_at=now)


PUSH = Event(
    kind=EventKind.PUSH, repository="acme/web", ref="refs/heads/main", branch="main", before=BEFORE, commit=COMMIT
)
TAG = Event(kind=EventKind.TAG, repository="acme/web", ref="refs/tags/v1", tag="v1", before=BEFORE, commit=COMMIT)


def test_a_push_is_mirrored_to_the_branch_that_is_built() -> None:
    order = make_request(routes(), PUSH).mirror
    assert order.model_dump() == {
        "source": "gitea",
        "repository": "acme/web",
        "ref": "refs/heads/main",
        "commit": COMMIT,
        "before": BEFORE,
        "branch": "main",
        "may_go_back": False,
        "remove": False,
        "result": None,
    }


def test_a_tag_deploys_itself_on_the_branch_that_the_mirror_names() -> None:
    when = {"push": {"repository": "acme/web", "tags": ["v*"]}}
    order = make_request(routes(when, mirror={"to": "codecommit::web", "branch": "production"}), TAG).mirror
    assert (order.ref, order.commit, order.branch) == ("refs/tags/v1", COMMIT, "production")
    # The tag may be new: nothing comes before it.
    assert order.before is None


def test_the_newest_commit_is_left_to_the_time_of_the_mirror() -> None:
    order = make_request(routes(mirror={"to": "codecommit::web", "commit": "newest"}), PUSH).mirror
    assert (order.commit, order.before) == (None, None)


def test_a_request_that_names_the_route_builds_the_branch_as_it_is() -> None:
    named = Event(kind=EventKind.REQUEST, request=RequestedJob(route="web"), key="1")
    order = make_request(routes(), named).mirror
    assert (order.repository, order.ref, order.commit) == ("acme/web", "refs/heads/main", None)
    # Which of several branches is meant, nobody knows.
    several = routes({"push": {"repository": "acme/web", "branches": ["main", "dev"]}})
    assert "does not say which repository and ref" in make_request(several, named).fault


def test_a_request_that_names_a_branch_too_builds_that_branch() -> None:
    named = Event(kind=EventKind.REQUEST, request=RequestedJob(route="web"), branch="hotfix", commit=COMMIT, key="1")
    for branches in (["main"], ["main", "dev"]):
        request = make_request(routes({"push": {"repository": "acme/web", "branches": branches}}), named)
        assert request.fault is None
        order = request.mirror
        assert (order.ref, order.commit, order.branch) == ("refs/heads/hotfix", COMMIT, "hotfix")
        assert order.may_go_back


def test_a_commit_that_is_asked_for_by_name_is_built_whatever_the_route_builds_otherwise() -> None:
    named = Event(kind=EventKind.REQUEST, request=RequestedJob(route="web"), commit=COMMIT, key="1")
    order = make_request(routes(mirror={"to": "codecommit::web", "commit": "newest"}), named).mirror
    assert (order.commit, order.may_go_back) == (COMMIT, True)


def test_a_route_without_a_mirror_asks_for_none() -> None:
    request = make_request(routes(mirror=None), PUSH)
    assert (request.mirror, request.fault) == (None, None)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"operation": "start_deployment"}, "start_deployment builds nothing from a repository"),
        ({"when": {"request": {}}}, "the route's event has no commit"),
        ({"source": None}, "the route needs a source with git"),
        ({"source": "bare"}, "the source bare has no git"),
    ],
)
def test_a_mirror_needs_code_and_a_build(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=f"routes.web.mirror: {fault}"):
        routes(**change)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://git.example.com/{repository}.git", "https://git.example.com/group/sub/web.git"),
        ("https://dev.azure.com/acme/{owner}/_git/{name}", "https://dev.azure.com/acme/group/sub/_git/web"),
        ("https://git.example.com:8443/web", "https://git.example.com:8443/web"),
    ],
)
def test_the_address_of_a_repository_is_made_of_its_name(url: str, address: str) -> None:
    assert Git(url=url).address("group/sub/web") == address


def test_a_name_can_not_lead_elsewhere() -> None:
    git = Git(url="https://git.example.com/{repository}.git")
    assert git.address("a?b#c d/..%2f") == "https://git.example.com/a%3Fb%23c%20d/..%252f.git"


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example.com/a",
        "https://user:pass@git.example.com/a",
        "https://git.example.com/{branch}",
        "git@x:a/b",
    ],
)
def test_an_address_is_https_without_credentials(url: str) -> None:
    with pytest.raises(ValidationError):
        Git(url=url)


@pytest.mark.parametrize("to", ["codecommit::", "codecommit::a/b", "codecommit::eu-west-1://web", "web", "ssh://a/b"])
def test_a_mirror_is_a_repository_of_codecommit_or_an_https_address(to: str) -> None:
    with pytest.raises(ValidationError):
        Mirror(to=to)
    assert Mirror(to="codecommit::web").codecommit_name == "web"
    assert Mirror(to="https://github.com/acme/web.git").codecommit_name is None
