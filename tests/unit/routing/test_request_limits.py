"""Limits of requests: what `allow` lets a source and the bus request, in the file, in decisions and in a push."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import PushRefusedError
from amplify_jobs.events import aws_events
from amplify_jobs.events.event import Channel, Event, EventKind, RequestedJob
from amplify_jobs.routing.matching import Ignored, Matched, decide
from amplify_jobs.routing.request_limits import has_limits, refusal
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.push.plan import LONGEST_COPY, plan_push
from amplify_jobs_cli.push.route_changes import StoredRoutes
from amplify_jobs_cli.push.schedules import ScheduleChanges
from amplify_jobs_cli.routes_file.load import check_routes

JOB: dict[str, Any] = {
    "operation": "start_job",
    "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"},
}
SECRETS = ["/amplify-jobs/secrets/ci"]
NAMES = ("web", "docs-api", "docs-old")
WEB, START = {"routes": ["web"]}, {"operations": ["start_job"]}
APPS = {**START, "apps": ["d1a2b3c4d5e6"]}


def routes(allow: Any = None, bus: Any = None) -> Routes:
    source = {"provider": "standard", "secrets": SECRETS} | ({} if allow is None else {"allow": allow})
    named = {name: {"when": {"request": {}}, "request": JOB} for name in NAMES}
    whole: dict[str, Any] = {"sources": {"ci": source}, "routes": named}
    return Routes.model_validate(whole if bus is None else {**whole, "bus": {"allow": bus}})


def event(request: dict[str, Any], channel: Channel | None = Channel.WEBHOOK) -> Event:
    return Event(kind=EventKind.REQUEST, request=RequestedJob.model_validate(request), key="k", channel=channel)


def of(**parameters: Any) -> dict[str, Any]:
    return {"operation": "start_job", "parameters": parameters}


@pytest.mark.parametrize(
    ("allow", "request_", "forbidden"),
    [
        (None, {"route": "web"}, None),
        (None, JOB, None),
        ({}, {"route": "web"}, "route web"),
        ({}, JOB, "operation start_job"),
        (WEB, {"route": "web"}, None),
        (WEB, {"route": "docs-api"}, "route docs-api"),
        (WEB, {"route": "not-there"}, "route not-there"),
        (WEB, JOB, "operation start_job"),
        ({"routes": "*"}, {"route": "docs-api"}, None),
        ({"routes": ["docs-*", "!docs-old"]}, {"route": "docs-api"}, None),
        ({"routes": ["docs-*", "!docs-old"]}, {"route": "docs-old"}, "route docs-old"),
        (START, JOB, None),
        (START, {"route": "web"}, "route web"),
        (START, {**JOB, "operation": "start_deployment"}, "operation start_deployment"),
        (START, {**JOB, "operation": "START_JOB"}, "operation START_JOB"),
        (START, {**JOB, "operation": "x" * 200}, f"operation {'x' * 59}…"),
        (APPS, JOB, None),
        (APPS, of(AppId="d1a2b3c4d5e6"), None),
        (APPS, of(appId="d9"), "start_job of app d9"),
        (APPS, of(appId="d1a2b3c4d5e6", AppId="d9"), "start_job of app d9"),
        (APPS, of(AppId="d1a2b3c4d5e6", appId="d9"), "start_job of app d9"),
        (APPS, of(app_id="d1a2b3c4d5e6"), "start_job without appId in parameters"),
        (APPS, of(appId=["d1a2b3c4d5e6"]), "start_job of an app whose id is not a text"),
        (APPS, {**of(), "parametersUri": "s3://bucket/key"}, "start_job without appId in parameters"),
        (APPS, {**JOB, "parametersUri": "s3://bucket/key"}, None),
    ],
)
def test_allow_decides_what_may_be_requested(allow: Any, request_: dict[str, Any], forbidden: str | None) -> None:
    ci, bus = event(request_), event(request_, Channel.BUS)
    text = forbidden and f"may not request {forbidden}; allow it under"
    assert refusal(routes(allow), "ci", ci) == (text and f"source ci {text} sources.ci.allow in routes.yaml")
    # The bus has its own limits, also where an event bears the name of a source.
    for source in ("com.acme", "ci"):
        assert refusal(routes(bus=allow), source, bus) == (text and f"the bus {text} bus.allow in routes.yaml")
        assert refusal(routes(allow), source, bus) is None
    assert refusal(routes(bus=allow), "ci", ci) is None
    # IAM limits invocations.
    invoked = event(request_, Channel.INVOCATION)
    assert not has_limits(invoked)
    assert refusal(routes(allow, allow), aws_events.INVOCATION, invoked) is None


@pytest.mark.parametrize("channel", [Channel.WEBHOOK, Channel.BUS])
@pytest.mark.parametrize("request_", [JOB, {"route": "web"}])
def test_what_is_not_allowed_is_ignored_and_what_is_allowed_matches(request_: dict[str, Any], channel: Channel) -> None:
    (ignored,) = decide(routes({}, {}), "ci", event(request_, channel))
    assert isinstance(ignored, Ignored)
    assert (ignored.route, ignored.condition) == (request_.get("route"), "allow")
    both = WEB | START
    decisions = decide(routes(both, both), "ci", event(request_, channel))
    assert len([decision for decision in decisions if isinstance(decision, Matched)]) == 1


def test_a_message_of_an_earlier_version_is_limited_by_the_name_of_its_source() -> None:
    old = event(JOB, None)
    assert refusal(routes({}), "ci", old) is not None
    assert refusal(routes(bus={}), "com.acme", old) is not None


@given(st.dictionaries(st.sampled_from(["appId", "AppId", "app_id"]), st.sampled_from(["d1a2b3c4d5e6", "d9", 1, None])))
def test_no_app_but_a_listed_one_is_ever_allowed(parameters: dict[str, Any]) -> None:
    if refusal(routes(APPS), "ci", event(of(**parameters))) is None:
        apps = [value for name, value in parameters.items() if name != "app_id"]
        assert apps
        assert set(apps) == {"d1a2b3c4d5e6"}


def test_the_channel_is_not_for_the_sender_to_choose() -> None:
    raw = {"id": "e", "detail-type": "Job Requested", "source": "ci", "detail": {**JOB}}
    assert aws_events.parse(raw, "i").events[0].channel is Channel.BUS
    assert aws_events.parse(JOB, "i").events[0].channel is Channel.INVOCATION
    assert "channel" not in aws_events.parse(raw, "i").events[0].for_answer()


FILE = """\
sources:
  ci: {{provider: {provider}, secrets: [/amplify-jobs/secrets/ci]{allow}}}
{bus}routes:
  web:
    when: {{request: {{}}}}
    request: {{operation: start_job, parameters: {{appId: d1a2b3c4d5e6, branchName: main, jobType: RELEASE}}}}
"""
ROUTES = 'names or patterns of the routes that a request may name, like [web, "docs-*"]'
APP_ID = "the app's id as Amplify shows it: d, then small letters and digits, at most 20, like d1a2b3c4d5e6"
FAULTS = [
    ("{routes: [wbe]}", ".routes.0", "there is no route 'wbe'; use web"),
    ("{routes: wbe}", ".routes", "there is no route 'wbe'; use web"),
    ('{routes: [web, "docs-*"]}', ".routes.1", "there is no route 'docs-*'; use web"),
    ("{routes: []}", ".routes", f"is not a list of routes; use {ROUTES}"),
    ("{routes: [1]}", ".routes.0", f"is not the name of a route; use {ROUTES}"),
    ("{operations: [strat_job]}", ".operations.0", "unknown value 'strat_job'; use start_job"),
    ("{operations: }", ".operations", "is empty; use a list, like [start_job]"),
    ("{operations: [start_job], apps: }", ".apps", "is empty; use a list, like [d1a2b3c4d5e6]"),
    ("{operations: [start_job], apps: [web]}", ".apps.0", f"'web' has the wrong form; use {APP_ID}"),
    ("{apps: [d1]}", ".apps", "apps limits operations; use operations too, like [start_job]"),
    ("{route: [web]}", ".route", "unknown member route; use routes"),
    ("", "", "is empty; use {routes: [web]}, or {} to allow nothing"),
]  # fmt: skip


def faults(text: str) -> list[tuple[str, str]]:
    return [(fault.path, fault.message) for fault in check_routes(text.encode(), "amplify-jobs").faults]


@pytest.mark.parametrize(("allow", "member", "message"), FAULTS)
def test_a_fault_of_a_limit_is_told_with_what_to_write_instead(allow: str, member: str, message: str) -> None:
    of_source = FILE.format(provider="standard", allow=f", allow: {allow}", bus="")
    of_bus = FILE.format(provider="standard", allow="", bus=f"bus: {{allow: {allow}}}\n")
    # One text is a list of one, whose place is the list's.
    path = member.removesuffix(".0") if "[" not in allow else member
    assert faults(of_source) == [(f"sources.ci.allow{path}", message)]
    assert faults(of_bus) == [(f"bus.allow{path}", message)]


def test_limits_that_are_right_have_no_faults() -> None:
    for allow in ("{}", "{routes: web}", '{routes: ["*", "!web"]}', "{operations: [start_job], apps: d1}"):
        bus = f"bus: {{allow: {allow}}}\n"
        assert faults(FILE.format(provider="standard", allow=f", allow: {allow}", bus=bus)) == []


def test_a_git_host_makes_no_requests_and_an_empty_bus_limits_nothing() -> None:
    message = "limits requests, and a source of provider github makes none; leave it out"
    assert faults(FILE.format(provider="github", allow=", allow: {routes: [web]}", bus="")) == [
        ("sources.ci.allow", message)
    ]
    empty = FILE.format(provider="standard", allow="", bus="bus:\n")
    assert faults(empty) == [("bus", "is empty; use {allow: {routes: [web]}}, or leave it out")]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.sampled_from(["web", "!web", "[z-a]", "", "start_job", "d1", "standard"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["allow", "routes", "operations", "apps", "provider", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_value_in_place_of_a_limit_is_accepted_or_a_fault(value: Any) -> None:
    for whole in (
        {"bus": value, "routes": {}},
        {"bus": {"allow": value}, "routes": {}},
        {"sources": {"ci": value}, "routes": {}},
        {"sources": {"ci": {"provider": value, "secrets": SECRETS, "allow": value}}, "routes": {}},
    ):
        checked = check_routes(json.dumps(whole).encode(), "amplify-jobs")
        assert (checked.routes is None) == bool(checked.faults)


def plan(before: Routes, after: Routes) -> Any:
    content = before.model_dump_json(by_alias=True, exclude_none=True).encode()
    copies = plan_push(StoredRoutes.read(None), {}, ScheduleChanges({}, {}, ()), before).sources_written
    return plan_push(StoredRoutes.read(content), copies, ScheduleChanges({}, {}, ()), after)


def test_a_push_tells_of_limits_and_keeps_them_out_of_the_copies_in_ssm() -> None:
    result = plan(routes(), routes(WEB, START))
    lines = [line for change in result.changes for line in change.lines()]
    assert lines == ["~ source ci", '    allow.routes: ["web"] (added)', "+ bus allow"]
    assert result.content is not None
    assert result.sources_written == {}
    assert Routes.model_validate_json(result.content) == routes(WEB, START)


def test_a_copy_that_ssm_does_not_take_is_refused_before_anything_is_written() -> None:
    long = [f"/amplify-jobs/secrets/{'x' * 900}{number}" for number in range(5)]
    new_routes = Routes.model_validate({"sources": {"ci": {"provider": "standard", "secrets": long}}, "routes": {}})
    with pytest.raises(
        PushRefusedError, match=rf"sources\.ci: its copy in SSM would have \d+ bytes.*at most {LONGEST_COPY}"
    ):
        plan(routes(), new_routes)
