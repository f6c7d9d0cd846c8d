"""What routes name of an account, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.push.lookup import Account, Reach, uses, warnings
from tests.support.routes_and_events import ROUTES

PARAMETERS = {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}
PUSH = {"push": {"repository": "acme/web"}}
APP = {"d1": {"main": True, "release/1": True, "dev": False}}

REACH = Reach("eu-west-1", "own", frozenset(["onn", "off", "noo", "unknown"]))


def warnings_of(
    when: dict[str, Any], parameters: dict[str, Any], operation: str = "start_job", **members: Any
) -> list[str]:
    route = {"when": when, "request": {"operation": operation, "parameters": parameters}, **members}
    result = uses(Routes.model_validate({"routes": {"web": route}}))
    account = Account(
        apps={**APP, "d2": None}, event_buckets={"onn": True, "off": False}, missing_buckets=frozenset(["noo"])
    )
    return [text for _, text in warnings(result, account, REACH)]


@pytest.mark.parametrize(
    ("when", "parameters", "expected"),
    [
        (PUSH, {}, ["auto-build of the branch main of d1 is on"]),
        ({"push": {"repository": "acme/web", "tags": ["v*"]}}, {}, ["auto-build of the branch main of d1 is on"]),
        ({"pull_request": {"repository": "acme/web"}}, {}, ["auto-build of the branch main of d1 is on"]),
        ({"schedule": {"expression": "rate(1 day)"}}, {}, []),
        ({"request": {}}, {}, []),
        (PUSH, {"branchName": "dev"}, []),
        (PUSH, {"branchName": "gone"}, ["the app d1 has no branch gone"]),
        (PUSH, {"appId": "d2"}, ["Amplify has no app d2 in this account and Region eu-west-1"]),
        # What could not be looked up, or what an event decides, is not spoken of.
        (PUSH, {"appId": "d3"}, []),
        (PUSH, {"appId": "{branch}"}, []),
        (PUSH, {"branchName": "x-{branch}"}, []),
        (
            PUSH,
            {"branchName": "{branch}"},
            ["auto-build of the branch main of d1 is on", "auto-build of the branch release/1 of d1 is on"],
        ),
        (
            {"push": {"repository": "acme/web", "branches": ["release/*", "dev", "mian"]}},
            {"branchName": "{branch}"},
            ["the app d1 has no branch mian", "auto-build of the branch release/1 of d1 is on"],
        ),
        (
            {"push": {"repository": "acme/web", "branches": ["**", "!main", "!release/**"]}},
            {"branchName": "{branch}"},
            [],
        ),
    ],
)
def test_apps_and_branches(when: dict[str, Any], parameters: dict[str, Any], expected: list[str]) -> None:
    result = warnings_of(when, {**PARAMETERS, **parameters})
    assert len(result) == len(expected)
    assert all(text.startswith(start) for text, start in zip(result, expected, strict=True)), result


@pytest.mark.parametrize(
    ("bucket", "artifact", "expected"),
    [
        ("onn", "s3://onn/{key}", []),
        ("off", "s3://{bucket}/{key}", ["the bucket off sends no events to EventBridge"]),
        ("noo", "s3://noo/{key}", ["there is no bucket noo;"]),
        ("unknown", "s3://noo/site.zip", ["there is no bucket noo;"]),
        ("onn", "s3://own/site.zip", []),
        ("onn", "s3://far/site.zip", ["the stack gets no events of the bucket far and may not read it;"]),
        ("far", "s3://own/site.zip", ["the stack gets no events of the bucket far and may not read it;"]),
        # Of its own bucket the stack gets no events.
        ("own", "s3://own/site.zip", ["the stack gets no events of the bucket own and may not read it;"]),
    ],
)
def test_buckets(bucket: str, artifact: str, expected: list[str]) -> None:
    parameters = {"appId": "d1", "branchName": "main", "artifact": artifact}
    result = warnings_of({"object": {"bucket": bucket}}, parameters, "start_deployment")
    assert len(result) == len(expected)
    assert all(text.startswith(start) for text, start in zip(result, expected, strict=True)), result


def test_operations_without_branches_name_their_app() -> None:
    models = {"AppId": "d2", "BackendEnvironmentName": "dev", "ResourceName": "blog"}
    assert warnings_of(PUSH, models, "generate_backend_api_models")[0].startswith("Amplify has no app d2")


def test_a_route_that_is_switched_off_is_not_looked_at() -> None:
    assert warnings_of(PUSH, {**PARAMETERS, "appId": "d2"}, enabled=False) == []


def test_an_app_of_follow_that_is_not_there_is_named() -> None:
    result = uses(Routes.model_validate({"routes": {}, "follow": [{"branches": "main"}, {"apps": ["d1", "d2"]}]}))
    ((place, text),) = warnings(result, Account({**APP, "d2": None}, {}, frozenset()), REACH)
    assert (place, text.partition(" in ")[0]) == ("follow.1", "Amplify has no app d2")


@given(ROUTES)
def test_any_routes_can_be_looked_up(routes: Routes) -> None:
    account = Account({"d1": {"main": True}}, {}, frozenset())
    assert all(place.removeprefix("routes.") in routes.routes for place, _ in warnings(uses(routes), account, REACH))
