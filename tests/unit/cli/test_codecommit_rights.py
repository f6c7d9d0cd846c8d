"""What routes do in CodeCommit, and what is said where no parameter of the stack names the repository."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.push.codecommit_rights import CodeCommitRights, missing_rights, unreconciled
from tests.support.routes_and_events import ROUTES

SOURCES = {
    "gitea": {
        "provider": "gitea",
        "secrets": ["/amplify-jobs/secrets/gitea"],
        "git": {"url": "https://git.example.com/{repository}.git"},
    }
}
REQUEST = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}}
OUTPUTS = {
    "mirrorRepositories": "web,Docs",
    "commentRepositories": "web",
    "reconcileRepositories": "web",
    "reconcileMinutes": "10",
}
COMMENTS = {"comments": {"kind": "codecommit_comment"}}


def mirror(to: str, **members: Any) -> dict[str, Any]:
    when = {"push": {"repository": "acme/web"}}
    return {"source": "gitea", "when": when, "request": REQUEST, "mirror": {"to": to}, **members}


def codecommit(repository: str, event: str = "push", **members: Any) -> dict[str, Any]:
    return {"source": "aws.codecommit", "when": {event: {"repository": repository}}, "request": REQUEST, **members}


def texts(routes: dict[str, Any], outputs: dict[str, str] | None = None, **members: Any) -> tuple[list[str], list[str]]:
    """What is said of rights, and of reconcile."""
    model = Routes.model_validate({"sources": SOURCES, "routes": routes, **members})
    rights = CodeCommitRights.of(OUTPUTS if outputs is None else outputs)
    return tuple(  # type: ignore[return-value]  # two
        [f"{place}: {text}" for place, text in find(model, rights)] for find in (missing_rights, unreconciled)
    )


@pytest.mark.parametrize(
    ("route", "is_named"),
    [
        (mirror("codecommit::web"), True),
        (mirror("codecommit::shop"), False),
        # IAM tells upper and lower case apart.
        (mirror("codecommit::docs"), False),
        (mirror("https://github.com/acme/shop.git"), True),
        (mirror("codecommit::shop", enabled=False), True),
    ],
)
def test_a_mirror_needs_its_repository_in_the_parameter(route: dict[str, Any], is_named: bool) -> None:
    rights, reconcile = texts({"shop": route})
    assert (rights, reconcile) == ([] if is_named else rights, [])
    assert len(rights) == (not is_named)
    for text in rights:
        assert text.startswith("routes.shop: the stack may not write the repository ")
        assert "; deploy the stack with the parameter MirrorRepositories=" in text


def test_one_value_of_the_parameter_mends_all_mirrors() -> None:
    rights, _ = texts({name: mirror(f"codecommit::{name}") for name in ("shop", "blog", "web")})
    assert [text.partition("; ")[2] for text in rights] == [
        "deploy the stack with the parameter MirrorRepositories=Docs,blog,shop,web"
    ] * 2


@pytest.mark.parametrize(
    ("repository", "advice"),
    [
        ("web", None),
        ("w*", None),
        ("shop", "deploy the stack with the parameter CommentRepositories=shop,web"),
        ("shop-*", "deploy the stack with their names in the parameter CommentRepositories"),
    ],
)
@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_a_comment_needs_the_repository_of_the_route(repository: str, advice: str | None, event: str) -> None:
    rights, _ = texts({"shop": codecommit(repository, event)}, reports=COMMENTS)
    assert [text.partition("; ")[2] for text in rights] == ([] if advice is None else [advice])
    assert all(text.startswith("reports.comments: the stack may not comment in ") for text in rights)


@pytest.mark.parametrize(
    ("members", "is_named"),
    [
        ({"reports": {"comments": {**COMMENTS["comments"], "when": {"routes": ["web"]}}}}, True),
        ({"reports": {"team": {"kind": "amazon_q"}}}, True),
        ({}, True),
        ({"reports": COMMENTS}, False),
    ],
)
def test_only_routes_that_a_target_reports_count(members: dict[str, Any], is_named: bool) -> None:
    rights, _ = texts({"web": codecommit("web"), "shop": codecommit("shop")}, **members)
    assert bool(rights) == (not is_named)


def test_comments_on_jobs_that_are_followed_need_any_repository() -> None:
    assert texts({}, reports=COMMENTS, follow=True) == ([], [])
    rights, _ = texts({}, {**OUTPUTS, "commentRepositories": ""}, reports=COMMENTS, follow=True)
    assert len(rights) == 1


@pytest.mark.parametrize(
    ("route", "is_named"),
    [
        (codecommit("web"), True),
        (codecommit("shop"), False),
        # Neither can be looked at.
        (codecommit("sho*"), True),
        (codecommit("shop", "pull_request"), True),
        (codecommit("shop", enabled=False), True),
    ],
)
def test_reconcile_needs_the_repository_of_a_push(route: dict[str, Any], is_named: bool) -> None:
    rights, reconcile = texts({"shop": route})
    assert rights == []
    assert [text.partition("; ")[2] for text in reconcile] == (
        [] if is_named else ["deploy the stack with the parameter ReconcileRepositories=shop,web"]
    )
    assert texts({"shop": route}, {**OUTPUTS, "reconcileMinutes": "0"}) == ([], [])


def test_a_stack_of_an_earlier_version_is_not_spoken_of() -> None:
    routes = {"shop": codecommit("shop"), "blog": mirror("codecommit::blog")}
    assert texts(routes, {}, reports=COMMENTS) == ([], [])


@given(ROUTES)
def test_any_routes_can_be_looked_at(routes: Routes) -> None:
    rights = CodeCommitRights(frozenset(), frozenset(), frozenset())
    for place, text in (*missing_rights(routes, rights), *unreconciled(routes, rights)):
        kind, _, name = place.partition(".")
        assert name in (routes.routes if kind == "routes" else routes.reports)
        # doctor shows what to do after the semicolon.
        assert text.count("; ") == 1
