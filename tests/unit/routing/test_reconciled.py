"""Which repositories are reconciled, and which of their refs."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.routing.reconciled import is_reconciled, reasons_against, reconciled_repositories
from amplify_jobs.routing.routes import Routes

JOB = {"operation": "start_job", "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}}
GIT = {"url": "https://git.example.com/{repository}.git"}


def routes(*pushes: dict[str, Any], sources: tuple[str, ...] = ("gitea",), **more: Any) -> Routes:
    """Routes of pushes; a source whose name begins with `no` has no git."""
    result = {
        name: {
            "provider": "gitea",
            "secrets": ["/amplify-jobs/secrets/gitea"],
            **({} if name.startswith("no") else {"git": GIT}),
        }
        for name in sources
    }
    named = {f"route-{number}": {"when": {"push": push}, "request": JOB, **more} for number, push in enumerate(pushes)}
    return Routes.model_validate({"sources": result, "routes": named})


def waiting(kind: str) -> Routes:
    """A route of a source with git that waits for something else than pushes."""
    source = {"provider": "gitea", "secrets": ["/amplify-jobs/secrets/gitea"], "git": GIT}
    when = {kind: {} if kind == "request" else {"repository": "acme/web"}}
    return Routes.model_validate(
        {"sources": {"gitea": source}, "routes": {"route": {"source": "gitea", "when": when, "request": JOB}}}
    )


def prefixes_of(route_set: Routes) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(each.source, each.repository): each.prefixes for each in reconciled_repositories(route_set)}


def test_refs_are_listed_by_the_beginnings_that_routes_may_wait_for() -> None:
    result = routes(
        {"repository": "acme/web", "branches": ["main", "release/*", "!release/old"]},
        {"repository": "Acme/Web", "branches": ["release/1.*"], "tags": ["v[0-9]*"]},
        {"repository": "acme/docs"},
    )
    assert prefixes_of(result) == {
        ("gitea", "acme/web"): ("refs/heads/main", "refs/heads/release/", "refs/tags/v"),
        ("gitea", "acme/docs"): ("refs/heads/",),
    }


@pytest.mark.parametrize(
    ("route_set", "reconciled"),
    [
        (routes({"repository": "acme/*"}), []),
        (routes({"repository": "acme/web"}, sources=("no-git",)), []),
        (routes({"repository": "acme/web"}, enabled=False), []),
        # Which of them has it is not known.
        (routes({"repository": "acme/web"}, sources=("a", "b")), []),
        (routes({"repository": "acme/web"}, sources=("a", "b"), source="b"), ["b"]),
        (routes({"repository": "acme/web"}, sources=("a", "no-git")), ["a"]),
        (routes({"repository": "acme/web"}, sources=("a", "no-git"), source="no-git"), []),
    ],
)
def test_a_repository_needs_a_name_and_a_source_with_git(route_set: Routes, reconciled: list[str]) -> None:
    assert [each.source for each in reconciled_repositories(route_set)] == reconciled


def test_repositories_of_codecommit_are_listed_if_the_stack_may_read_them() -> None:
    route_set = routes(
        {"repository": "web", "tags": ["v*"]}, {"repository": "docs"}, source="aws.codecommit", sources=()
    )
    assert reconciled_repositories(route_set) == ()
    (web,) = reconciled_repositories(route_set, ["web", "other"])
    assert (web.source, web.repository, web.git, web.prefixes) == ("aws.codecommit", "web", None, ("refs/tags/v",))
    event = Event(kind=EventKind.TAG, repository="web", ref="refs/tags/v1")
    assert is_reconciled(route_set, "aws.codecommit", event)
    assert not is_reconciled(route_set, "gitea", event)


@pytest.mark.parametrize(
    ("route_set", "reasons"),
    [
        (routes({"repository": "acme/web"}), {}),
        (
            routes({"repository": "acme/*"}),
            {"route-0": "acme/* is a pattern, and git does not list a host's repositories; name each one"},
        ),
        (routes({"repository": "acme/web"}, sources=("a", "b")), {"route-0": "it has no source, and a, b have git"}),
        (routes({"repository": "acme/*"}, sources=("no-git",)), {"route-0": "it has no source, and no source has git"}),
        (
            routes({"repository": "acme/web"}, sources=("a", "no-git"), source="no-git"),
            {"route-0": "source no-git has no git, by which its repositories can be read"},
        ),
        (
            routes({"repository": "web"}, source="aws.codecommit"),
            {"route-0": "the parameter ReconcileRepositories of the stack does not name web"},
        ),
        (routes({"repository": "docs"}, source="aws.codecommit"), {}),
        (
            routes({"repository": "w*"}, source="aws.codecommit"),
            {"route-0": "w* is a pattern, and git does not list a host's repositories; name each one"},
        ),
        (waiting("pull_request"), {"route": "refs do not tell what happens to pull requests"}),
        (
            waiting("release"),
            {"route": "refs do not tell which releases were published; a route for their tags is looked at"},
        ),
        (waiting("request"), {}),
        (routes({"repository": "acme/*"}, enabled=False), {}),
    ],
)
def test_what_is_left_out_has_a_reason(route_set: Routes, reasons: dict[str, str]) -> None:
    assert reasons_against(route_set, ["docs"]) == reasons


@pytest.mark.parametrize(
    ("source", "repository", "kind", "expected"),
    [
        ("gitea", "ACME/web", EventKind.PUSH, True),
        ("gitea", "acme/web", EventKind.TAG, True),
        ("gitea", "acme/web", EventKind.PULL_REQUEST, False),
        ("gitea", "acme/other", EventKind.PUSH, False),
        ("other", "acme/web", EventKind.PUSH, False),
    ],
)
def test_changes_of_refs_of_such_a_repository_are_claimed(
    source: str, repository: str, kind: EventKind, expected: bool
) -> None:
    event = Event(kind=kind, repository=repository, ref="refs/heads/main")
    assert is_reconciled(routes({"repository": "acme/web"}), source, event) is expected
