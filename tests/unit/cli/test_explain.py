"""Explaining a recorded event: every form is understood, and what is said is what the functions do."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import DeliveryRefusedError
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.intake import accept
from amplify_jobs.intake.accept import Intake
from amplify_jobs.intake.message import Origin
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.matching import Ignored
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.explaining.explain import as_json, explain, lines
from amplify_jobs_cli.explaining.recorded_events import RecordedEvent, read_content
from amplify_jobs_cli.routes_file.load import check_routes
from tests.support.intake_fakes import KeptRecords
from tests.support.recorded_webhooks import corpus_body, recorded
from tests.support.routes_and_events import EVENTS, ROUTES

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "events" / "receive_webhook.push.json"


def read_recorded(raw: object, routes: Routes) -> RecordedEvent:
    """The one delivery that a file of JSON holds."""
    (recording,) = read_content(json.dumps(raw).encode(), routes)
    return recording


def route(when: dict[str, Any], branch: str = "main") -> dict[str, Any]:
    parameters = {"appId": "d1a2b3c4d5e6", "branchName": branch, "jobType": "RELEASE"}
    return {"when": when, "request": {"operation": "start_job", "parameters": parameters}}


SHOP_ROUTES = Routes.model_validate(
    {
        "sources": {"github": {"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]}},
        "routes": {
            "web": route({"push": {"repository": "acme/web"}}, "{branch}"),
            "docs": route({"push": {"repository": "acme/web", "paths": ["docs/**"]}}),
            "nightly": route({"schedule": {"expression": "rate(1 day)"}}),
            "zip": route({"object": {"bucket": "artifacts"}}),
            "commit": route({"push": {"repository": "web"}}),
        },
    }
)
S3_EVENT = {
    "version": "0",
    "id": "e-1",
    "source": "aws.s3",
    "detail-type": "Object Created",
    "time": "2026-01-31T11:00:00Z",
    "detail": {"bucket": {"name": "artifacts"}, "object": {"key": "a b.zip", "sequencer": "0A"}},
}


def matched(raw: object) -> list[str | None]:
    recording = read_recorded(raw, SHOP_ROUTES)
    return [one.request.route for one in explain(SHOP_ROUTES, recording, NOW) if one.request]


FORMS = [
    pytest.param(json.loads(EXAMPLE.read_text()), ["web"], id="a delivery, whatever its signature"),
    pytest.param(S3_EVENT, ["zip"], id="an event of EventBridge's"),
    pytest.param({"schedule": {"route": "nightly", "scheduledTime": "t"}}, ["nightly"], id="a schedule"),
    pytest.param({"route": "nightly"}, ["nightly"], id="a request that names a route"),
    pytest.param({"operation": "start_job", "parameters": {}}, [None], id="a job asked for outright"),
    pytest.param({"kind": "push", "repository": "acme/web", "branch": "main"}, ["web", "docs"], id="an answer's event"),
    pytest.param({"source": "github", "kind": "ping"}, [], id="an answer's event with its source"),
]


@pytest.mark.parametrize(("raw", "routes"), FORMS)
def test_every_form_of_an_event_is_understood(raw: object, routes: list[str | None]) -> None:
    assert matched(raw) == routes


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ([], "must be a JSON object"),
        ({"pathParameters": {}, "headers": {}}, "pathParameters.source must name the source"),
        ({"pathParameters": {"source": "gitlab"}, "headers": {}}, "there is no source of this name"),
        ({"pathParameters": {"source": "github"}, "headers": {"a": 1}}, "headers must be an object of texts"),
        ({"pathParameters": {"source": "github"}, "headers": {}, "body": 1}, "body must be a text"),
        ({"kind": "psuh"}, "unknown kind 'psuh' of an event; use push"),
        ({"source": 1, "kind": "push"}, "source must name the sender of the event"),
        ({"source": "aws.s3", "detail-type": "Object Created"}, "detail.bucket.name"),
        ({}, "neither an event"),
    ],
)
def test_what_can_not_be_read_is_named(raw: object, fault: str) -> None:
    with pytest.raises(DeliveryRefusedError, match=fault):
        read_recorded(raw, SHOP_ROUTES)


def test_each_route_is_told_with_the_condition_that_decided_and_the_request() -> None:
    recording = read_recorded(json.loads(EXAMPLE.read_text()), SHOP_ROUTES)
    text = "\n".join(lines(recording, explain(SHOP_ROUTES, recording, NOW)))
    assert "push of acme/web refs/heads/main, from github" in text
    assert "  web: matched, all conditions are met\n    the route waits for pushes to branches\n" in text
    assert '"branchName": "main"' in text
    assert "  docs: not matched, decided by push.paths\n    none of" in text
    assert "  nightly: not matched, decided by when\n" in text


def test_what_is_ignored_as_a_whole_is_told() -> None:
    recording = read_recorded({**S3_EVENT, "detail-type": "Object Deleted"}, SHOP_ROUTES)
    assert "".join(lines(recording, explain(SHOP_ROUTES, recording, NOW))).startswith("Ignored: event 'Object Deleted'")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
WORDS = st.sampled_from(["kind", "source", "headers", "pathParameters", "body", "detail", "detail-type", "schedule"])


@given(JSON | st.dictionaries(WORDS, JSON | st.sampled_from(["github", "push", "aws.s3", "Object Created"])))
def test_any_file_is_explained_or_refused(raw: object) -> None:
    try:
        recording = read_recorded(raw, SHOP_ROUTES)
    except DeliveryRefusedError:
        return
    assert list(lines(recording, explain(SHOP_ROUTES, recording, NOW)))


@pytest.fixture(autouse=True)
def _no_metrics_left() -> Iterator[None]:
    """What the intake counts here is nobody else's."""
    yield
    accept.metrics.clear_metrics()


class FixedRoutes:
    """Routes that need no bucket."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def current(self, *, fresh: bool = False) -> Routes:
        return self._routes


class KeptExecutions:
    """Executions that were asked for."""

    def __init__(self) -> None:
        self.requests: list[JobRequest] = []

    def start(self, request: JobRequest) -> bool:
        self.requests.append(request)
        return True


class NoQueue:
    """A queue that nothing may go to."""

    def put(self, message: str, group: Sequence[str | None], identity: str) -> None:
        raise AssertionError((message, group, identity))

    def read(self, body: str) -> str:
        raise AssertionError(body)

    def hide(self, receipt_handle: str, receive_count: int) -> None:
        raise AssertionError((receipt_handle, receive_count))


def served(routes: Routes, recording: RecordedEvent) -> tuple[list[JobRequest], list[dict[str, Any]]]:
    """What the functions make of a delivery: the executions that they start, and their answer's `ignored`."""
    executions = KeptExecutions()
    intake = Intake(EventProcessor(FixedRoutes(routes), executions), NoQueue(), KeptRecords().log())
    result = intake.accept(recording.delivery, Origin(recording.source, recording.delivery_id, NOW))
    return executions.requests, result.ignored


def agree(routes: Routes, recording: RecordedEvent) -> None:
    explained = explain(routes, recording, NOW)
    requests, ignored = served(routes, recording)
    wishes = [one.request for one in explained if one.request]
    # Who asks outright for what can't be done is told so by a request that is rejected.
    assert [request for request in requests if request.fault is None] == wishes
    reasons = [asdict(one.decision) for one in explained if isinstance(one.decision, Ignored)]
    assert [one for one in ignored if one["reason"] != recording.delivery.ignored] == reasons


@given(ROUTES, EVENTS)
def test_explain_and_the_service_agree(routes: Routes, event: Event) -> None:
    agree(routes, RecordedEvent("github", "d-1", Delivery((event,))))


EVERYTHING = Routes.model_validate(
    {
        "routes": {
            "branches": route({"push": {"repository": "**", "paths": ["**.md", "src/**"]}}, "{branch}"),
            "tags": route({"push": {"repository": "**", "tags": ["v*"]}}),
            "previews": route({"pull_request": {"repository": "**"}}, "pr-{pullRequest.number}"),
            "releases": route({"release": {"repository": "**"}}),
        }
    }
)


@pytest.mark.parametrize("row", recorded())
def test_explain_and_the_service_agree_on_every_recording(row: dict[str, Any]) -> None:
    if row["provider"] == "codecommit":
        recording = read_recorded(json.loads(corpus_body(row["file"])), EVERYTHING)
    else:
        source = {"provider": row["provider"], "secrets": ["/amplify-jobs/secrets/s"]}
        routes = Routes.model_validate({**EVERYTHING.model_dump(), "sources": {"host": source}})
        body = corpus_body(row["file"]).decode()
        raw = {"pathParameters": {"source": "host"}, "headers": row["headers"], "body": body}
        recording = read_recorded(raw, routes)
    agree(EVERYTHING, recording)


# ---------------------------------------------------------------- forms that people have

ROWS = [row for row in (getattr(row, "values", (row,))[0] for row in recorded()) if row["provider"] != "codecommit"]
# Bitbucket's body of a new pull request may look like that of an updated one; what was assumed is told.
UNTOLD = {"bitbucket_cloud/pull_request/woodpecker-ci__HookPull.json"}


def of_host(row: dict[str, Any]) -> Routes:
    source = {"provider": row["provider"], "secrets": ["/amplify-jobs/secrets/s"]}
    return Routes.model_validate({**EVERYTHING.model_dump(), "sources": {"host": source}})


def understood(recording: RecordedEvent) -> object:
    """What is decided of a delivery: by headers alone its identity may differ."""
    events = [event.for_answer() for event in recording.delivery.events]
    return recording.source, events, recording.delivery.ignored if not events else None


@pytest.mark.skipif(not ROWS, reason="the recorded deliveries are not here")
@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_body_without_its_headers_is_understood_as_with_them(row: dict[str, Any]) -> None:
    body, routes = corpus_body(row["file"]), of_host(row)
    (whole,) = read_content(body, routes, headers=row["headers"])
    bare = None
    with contextlib.suppress(DeliveryRefusedError):
        (bare,) = read_content(body, routes)
    if bare is None:
        # Only of a delivery that is ignored anyway the body may not tell what it is.
        assert whole.delivery.events == ()
        return
    if row["file"] in UNTOLD or (whole.delivery.ignored and not whole.delivery.events):
        assert bare.notes
    else:
        assert understood(bare) == understood(whole)


@pytest.mark.skipif(not ROWS, reason="the recorded deliveries are not here")
@pytest.mark.parametrize("row", ROWS[::10], ids=[row["file"] for row in ROWS[::10]])
def test_every_record_of_a_delivery_is_understood(row: dict[str, Any]) -> None:
    body, headers, routes = corpus_body(row["file"]).decode(), row["headers"], of_host(row)
    (whole,) = read_content(body.encode(), routes, headers=headers)
    payload: Any = body
    with contextlib.suppress(ValueError):
        payload = json.loads(body)
    records = [
        {"pathParameters": {"source": "host"}, "headers": headers, "body": body},
        {"headers": headers, "body": body},
        {"headers": headers, "body": base64.b64encode(body.encode()).decode(), "isBase64Encoded": True},
        {"headers": headers, "body": payload},
        {"request": {"headers": headers, "payload": payload}, "response": {}},
        {"request_headers": headers, "request_data": payload},
    ]
    for record in records:
        (recording,) = read_content(json.dumps(record).encode(), routes)
        assert understood(recording) == understood(whole)
    (several,) = [read_content(json.dumps(records).encode(), routes)]
    assert [understood(recording) for recording in several] == [understood(whole)] * len(records)


@given(ROUTES, st.lists(EVENTS, max_size=3))
def test_an_answer_is_explained_as_its_events_are(routes: Routes, events: list[Event]) -> None:
    intake_answer = {
        "events": [event.for_answer() for event in events],
        "requests": [],
        "ignored": [{"route": None, "reason": "nothing", "condition": None}],
        "deferred": [],
    }
    whole = {"statusCode": 202, "headers": {}, "body": json.dumps(intake_answer)}
    for raw in (intake_answer, whole):
        (recording,) = read_content(json.dumps(raw).encode(), routes, source="github")
        assert [event.for_answer() for event in recording.delivery.events] == intake_answer["events"]
        assert recording.delivery.ignored == (None if events else "nothing")
        assert list(lines(recording, explain(routes, recording, NOW)))
    if events:
        alone = read_content(json.dumps(intake_answer["events"]).encode(), routes, source="github")
        assert [event.for_answer() for one in alone for event in one.delivery.events] == intake_answer["events"]


@given(ROUTES, EVENTS)
def test_the_json_says_what_the_lines_say(routes: Routes, event: Event) -> None:
    recording = RecordedEvent("github", "d-1", Delivery((event,)), ("assumed",))
    explained = explain(routes, recording, NOW)
    document = json.loads(json.dumps(as_json(recording, explained)))
    text = "\n".join(lines(recording, explained))
    (entry,) = document["events"]
    assert (document["source"], document["deliveryId"], document["notes"]) == ("github", "d-1", ["assumed"])
    for decision in entry["decisions"]:
        assert set(decision) == {"route", "matched", "condition", "reason", "found", "request"}
        assert f"  {decision['route'] or 'no route'}: {'' if decision['matched'] else 'not '}matched" in text
        for line in [decision["reason"], *decision["found"]]:
            assert line is None or line in text
    matched_routes = [decision["route"] for decision in entry["decisions"] if decision["matched"]]
    assert matched_routes == [one.decision.name for one in explained if not isinstance(one.decision, Ignored)]


EVENT_FILES = sorted((Path(__file__).parents[3] / "events").glob("*.json"))
EVENT_FILES = [file for file in EVENT_FILES if file.name.startswith(("receive_", "drain_"))]


@pytest.mark.parametrize("file", EVENT_FILES, ids=[file.name for file in EVENT_FILES])
def test_every_example_is_explained(file: Path) -> None:
    content = (file.parent / "routes.yaml").read_bytes()
    routes = check_routes(content, "amplify-jobs").routes
    assert routes is not None
    (recording,) = read_content(file.read_bytes(), routes)
    assert recording.delivery.events
    assert {one.event.kind for one in explain(routes, recording, NOW)} == {
        event.kind for event in recording.delivery.events
    }


PUSH = json.loads(EXAMPLE.read_text())["body"].encode()
TWO = Routes.model_validate(
    {
        **SHOP_ROUTES.model_dump(),
        "sources": {
            "github": {"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]},
            "cms": {"provider": "standard", "secrets": ["/amplify-jobs/secrets/cms"]},
        },
    }
)


@pytest.mark.parametrize(
    ("content", "options", "fault"),
    [
        (PUSH, {}, "does not say which source sent it; use one of github, cms with --source"),
        (PUSH, {"source": "gitub"}, "there is no source of this name, gitub; use github"),
        (
            b'{"events": [{"kind": "push"}], "ignored": []}',
            {},
            "the source of the event is unknown; use one of github, cms",
        ),
        (b'{"events": [1], "ignored": []}', {"source": "github"}, "an event of the answer must be an object"),
        (b'{"kind": "push", "forced": {}}', {"source": "github"}, "forced: not in the form of an answer to a delivery"),
        (b'{"a": 1}', {"source": "github"}, "does not tell the kind of its event; add --header 'X-GitHub-Event"),
        (b"{", {}, "the event is not JSON; use the body that the git host sent"),
        (b"7", {}, "must be a JSON object; use the body that the git host sent"),
        (b'{"request": {"operation": "start_job"}}', {}, "an input of the state machine's functions"),
        (b'{"Records": [{"eventSource": "aws:sqs", "body": "x"}]}', {}, "no event of the intake queue"),
    ],
)
def test_what_is_missing_is_asked_for(content: bytes, options: dict[str, Any], fault: str) -> None:
    with pytest.raises(DeliveryRefusedError, match=re.escape(fault)):
        read_content(content, TWO, **options)


def test_source_and_headers_say_what_a_body_does_not() -> None:
    (recording,) = read_content(PUSH, TWO, source="github")
    assert recording.notes == ("No header tells the kind of the event; it is read as X-GitHub-Event: push.",)
    (recording,) = read_content(PUSH, TWO, source="github", headers={"x-github-event": "ping"})
    assert [event.kind for event in recording.delivery.events] == ["ping"]
    assert recording.notes == ()
    (recording,) = read_content(b'{"route": "nightly"}', TWO, source="cms")
    assert recording.source == "cms"
    form = b"payload=" + urllib.parse.quote(PUSH).encode()
    (recording,) = read_content(form, TWO, source="github")
    assert [event.kind for event in recording.delivery.events] == ["push"]


def test_without_routes_that_is_told() -> None:
    recording = RecordedEvent("github", None, Delivery((Event(kind=EventKind.PUSH, branch="main"),)))
    none = Routes(routes={})
    assert list(lines(recording, explain(none, recording, NOW)))[-1] == "    there are no routes"


@pytest.mark.parametrize(
    ("follow", "verdict"),
    [
        (True, "followed, unless a request started it."),
        (False, "not followed: follow is not switched on in routes.yaml."),
        ([{"apps": "d1a2b3c4d5e6"}], "followed, unless a request started it."),
        (
            [{"apps": "d1"}, {"branches": "release/*"}],
            "not followed: app d1a2b3c4d5e6 is not among d1; branch main does not match release/*.",
        ),
    ],
)
def test_it_says_whether_a_job_that_somebody_else_started_is_followed(follow: Any, verdict: str) -> None:
    recording = read_content(
        (EXAMPLE.parent / "on_status_change.started.json").read_bytes(),
        Routes.model_validate({"routes": {}, "follow": follow}),
    )
    assert [note for event in recording for note in event.notes] == [
        f"Job 2 of app d1a2b3c4d5e6, branch main (STARTED): {verdict}"
    ]


def test_an_event_of_amplify_without_a_job_is_refused() -> None:
    with pytest.raises(DeliveryRefusedError, match=r"detail\.jobId"):
        read_recorded({"detail-type": "Amplify Deployment Status Change", "detail": {}}, SHOP_ROUTES)
