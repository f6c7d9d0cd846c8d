"""What a push of routes is said to change."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from amplify_jobs.route_changes import route_changes
from amplify_jobs.routes import Routes
from tests.unit.routes_and_events import ROUTES

REQUEST: dict[str, Any] = {"operation": "start_job", "parameters": {"appId": "d1"}}


def routes(**found: dict[str, Any]) -> Routes:
    return Routes.model_validate({"routes": {name: {"request": REQUEST, **route} for name, route in found.items()}})


def test_new_changed_and_gone_are_told_apart() -> None:
    push = {"repository": "acme/web", "branches": ["main"]}
    before = routes(web={"when": {"push": push}}, old={"when": {"push": push}}, same={"when": {"push": push}})
    wanted = {"push": {**push, "branches": ["main", "dev"], "paths": ["a/**"]}}
    after = routes(web={"when": wanted, "retry": 1}, new={"when": {"push": push}}, same={"when": {"push": push}})
    assert route_changes(before, after) == [
        "~ route web",
        '    when.push.paths: ["a/**"] (new)',
        '    when.push.branches: ["main"] -> ["main", "dev"]',
        "    retry: 0 -> 1",
        "+ route new",
        "- route old",
    ]


def test_another_condition_is_told_member_by_member() -> None:
    before, after = routes(web={"when": {"push": {"repository": "acme/web"}}}), routes(web={"when": {"request": {}}})
    assert route_changes(before, after) == [
        "~ route web",
        "    when.request: {} (new)",
        '    when.push.repository: "acme/web" (gone)',
    ]


def test_without_routes_before_all_are_new() -> None:
    found = Routes.model_validate(
        {
            "sources": {"github": {"provider": "github", "secrets": ["/s"]}},
            **routes(web={"when": {"request": {}}}).model_dump(),
        }
        | {"sources": {"github": {"provider": "github", "secrets": ["/s"]}}}
    )
    assert route_changes(None, found) == ["+ source github", "+ route web"]


@given(ROUTES, ROUTES)
def test_the_same_routes_differ_in_nothing_and_others_in_something(one: Routes, other: Routes) -> None:
    assert route_changes(one, one) == []
    assert (route_changes(one, other) == []) is (one == other)
