"""What a push of routes is said to change."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.push.route_changes import StoredRoutes, route_changes
from tests.support.routes_and_events import ROUTES

REQUEST: dict[str, Any] = {"operation": "start_job", "parameters": {"appId": "d1"}}


def routes(**members: dict[str, Any]) -> Routes:
    return Routes.model_validate({"routes": {name: {"request": REQUEST, **route} for name, route in members.items()}})


def lines(before: Routes | None, after: Routes) -> list[str]:
    content = before.model_dump_json(by_alias=True).encode() if before else None
    return [line for change in route_changes(StoredRoutes.read(content), after) for line in change.lines()]


def test_follow_is_one_thing_that_changes() -> None:
    def follows(follow: Any) -> Routes:
        return routes().model_copy(update={"follow": Routes.model_validate({"routes": {}, "follow": follow}).follow})

    some = [{"apps": ["d1"], "branches": ["main"]}]
    assert lines(None, follows(True)) == ["+ follow of jobs"]
    assert lines(follows(True), follows(False)) == ["- follow of jobs"]
    assert lines(follows(True), follows(True)) == lines(None, routes()) == []
    assert lines(follows(True), follows(some))[0] == "~ follow of jobs"


def test_new_changed_and_gone_are_told_apart() -> None:
    push = {"repository": "acme/web", "branches": ["main"]}
    before = routes(web={"when": {"push": push}}, old={"when": {"push": push}}, same={"when": {"push": push}})
    members = {"push": {**push, "branches": ["main", "dev"], "paths": ["a/**"]}}
    after = routes(web={"when": members, "retry": 1}, new={"when": {"push": push}}, same={"when": {"push": push}})
    assert lines(before, after) == [
        "~ route web",
        '    when.push.paths: ["a/**"] (added)',
        '    when.push.branches: ["main"] -> ["main", "dev"]',
        "    retry: 0 -> 1",
        "+ route new",
        "- route old",
    ]


def test_a_retry_after_each_failure_is_pushed_as_a_number() -> None:
    """Older versions of a stack read nothing else."""
    request: dict[str, Any] = {"when": {"request": {}}}
    plain, transient = ({"times": 2, "when": when} for when in ("failed", "transient"))
    after = routes(web={**request, "retry": plain})
    assert json.loads(after.model_dump_json(by_alias=True))["routes"]["web"]["retry"] == 2
    assert lines(routes(web={**request, "retry": 2}), after) == []
    assert lines(after, routes(web={**request, "retry": transient})) == [
        "~ route web",
        "    retry.times: 2 (added)",
        '    retry.when: "transient" (added)',
        "    retry: 2 (removed)",
    ]


def test_another_condition_is_told_member_by_member() -> None:
    before, after = routes(web={"when": {"push": {"repository": "acme/web"}}}), routes(web={"when": {"request": {}}})
    assert lines(before, after) == [
        "~ route web",
        "    when.request: {} (added)",
        '    when.push.repository: "acme/web" (removed)',
    ]


def test_without_routes_before_all_are_new() -> None:
    result = Routes.model_validate(
        {
            "sources": {"github": {"provider": "github", "secrets": ["/s"]}},
            **routes(web={"when": {"request": {}}}).model_dump(),
        }
        | {"sources": {"github": {"provider": "github", "secrets": ["/s"]}}}
    )
    assert lines(None, result) == ["+ source github", "+ route web"]


@given(ROUTES, ROUTES)
def test_the_same_routes_differ_in_nothing_and_others_in_something(one: Routes, other: Routes) -> None:
    assert lines(one, one) == []
    assert (lines(one, other) == []) is (one == other)


def test_routes_of_another_version_of_the_program_are_known_by_name() -> None:
    result = routes(web={"when": {"request": {}}}, new={"when": {"request": {}}})
    stored = b'{"sources": {"old": {"provider": "nosuch"}}, "routes": {"web": {"unknown": 1}, "gone": 2}, "more": 3}'
    changes = [(change.kind, change.what, change.name) for change in route_changes(StoredRoutes.read(stored), result)]
    assert changes == [
        ("removed", "source", "old"),
        ("changed", "route", "web"),
        ("added", "route", "new"),
        ("removed", "route", "gone"),
    ]


@given(
    st.binary()
    | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(
        lambda value: json.dumps({"sources": value, "routes": value}).encode()
    )
)
def test_any_object_of_the_bucket_can_be_compared(content: bytes) -> None:
    assert "+ route web" in [
        line
        for change in route_changes(StoredRoutes.read(content), routes(web={"when": {"request": {}}}))
        for line in change.lines()
    ]
