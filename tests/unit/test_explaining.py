"""Explaining a recorded event: every form is understood, and what is said is what the functions do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs import intake
from amplify_jobs.errors import DeliveryRefused
from amplify_jobs.events import Event
from amplify_jobs.explaining import Recorded, explain, lines, read_recorded
from amplify_jobs.intake import Intake
from amplify_jobs.matching import Ignored
from amplify_jobs.requests import JobRequest
from amplify_jobs.routes import Routes
from amplify_jobs.webhooks.deliveries import Delivery
from tests.unit.recorded_webhooks import corpus_body, recorded
from tests.unit.routes_and_events import EVENTS, ROUTES

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[2] / "events" / "receive_webhook.push.json"


def route(when: dict[str, Any], branch: str = "main") -> dict[str, Any]:
    parameters = {"appId": "d1a2b3c4d5e6", "branchName": branch, "jobType": "RELEASE"}
    return {"when": when, "request": {"operation": "start_job", "parameters": parameters}}


FOUND = Routes.model_validate(
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
    found = read_recorded(raw, FOUND)
    return [one.request.route for one in explain(FOUND, found, NOW) if one.request]


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
        ({"kind": "psuh"}, "kind: Input should be 'push'"),
        ({"source": 1, "kind": "push"}, "source must say where the event came from"),
        ({"source": "aws.s3", "detail-type": "Object Created"}, "detail.bucket.name"),
        ({}, "neither an event"),
    ],
)
def test_what_can_not_be_read_is_named(raw: object, fault: str) -> None:
    with pytest.raises(DeliveryRefused, match=fault):
        read_recorded(raw, FOUND)


def test_each_route_is_told_with_the_condition_that_decided_and_the_request() -> None:
    found = read_recorded(json.loads(EXAMPLE.read_text()), FOUND)
    text = "\n".join(lines(found, explain(FOUND, found, NOW)))
    assert "push of acme/web refs/heads/main, from github" in text
    assert "  web: matched, all conditions are met\n    the route waits for pushes to branches\n" in text
    assert '"branchName": "main"' in text
    assert "  docs: not matched, decided by push.paths\n    none of" in text
    assert "  nightly: not matched, decided by when\n" in text


def test_what_is_ignored_as_a_whole_is_told() -> None:
    found = read_recorded({**S3_EVENT, "detail-type": "Object Deleted"}, FOUND)
    assert "".join(lines(found, explain(FOUND, found, NOW))).startswith("Ignored: event 'Object Deleted'")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
WORDS = st.sampled_from(["kind", "source", "headers", "pathParameters", "body", "detail", "detail-type", "schedule"])


@given(JSON | st.dictionaries(WORDS, JSON | st.sampled_from(["github", "push", "aws.s3", "Object Created"])))
def test_any_file_is_explained_or_refused(raw: object) -> None:
    try:
        found = read_recorded(raw, FOUND)
    except DeliveryRefused:
        return
    assert list(lines(found, explain(FOUND, found, NOW)))


@pytest.fixture(autouse=True)
def _no_metrics_left() -> Iterator[None]:
    """What the door counts here is nobody else's."""
    yield
    intake.metrics.clear_metrics()


class FixedRoutes:
    """Routes that need no bucket."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def current(self, *, anew: bool = False) -> Routes:
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

    def put(self, body: str, group: Sequence[str | None], identity: str) -> None:
        raise AssertionError((body, group, identity))

    def hide(self, receipt: str, received: int) -> None:
        raise AssertionError((receipt, received))


def served(routes: Routes, found: Recorded) -> tuple[list[JobRequest], list[dict[str, Any]]]:
    """What the functions' door makes of a delivery: the executions it starts, and its answer's `ignored`."""
    executions = KeptExecutions()
    # Nothing is verified here.
    parts: tuple[Any, Any, Any, Any] = (FixedRoutes(routes), executions, NoQueue(), None)
    taken = Intake(*parts).take(found.delivery, source=found.source, delivery_id=found.delivery_id, received_at=NOW)
    return executions.requests, taken.ignored


def agree(routes: Routes, found: Recorded) -> None:
    explained = explain(routes, found, NOW)
    requests, ignored = served(routes, found)
    asked = [one.request for one in explained if one.request]
    # Who asks outright for what can't be done is told so by a request that is rejected.
    assert [request for request in requests if request.fault is None] == asked
    reasons = [asdict(one.decision) for one in explained if isinstance(one.decision, Ignored)]
    assert [one for one in ignored if one["reason"] != found.delivery.ignored] == reasons


@given(ROUTES, EVENTS)
def test_explain_and_the_service_agree(routes: Routes, event: Event) -> None:
    agree(routes, Recorded("github", "d-1", Delivery((event,))))


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
        found = read_recorded(json.loads(corpus_body(row["file"])), EVERYTHING)
    else:
        source = {"provider": row["provider"], "secrets": ["/amplify-jobs/secrets/s"]}
        routes = Routes.model_validate({**EVERYTHING.model_dump(), "sources": {"host": source}})
        body = corpus_body(row["file"]).decode()
        raw = {"pathParameters": {"source": "host"}, "headers": row["headers"], "body": body}
        found = read_recorded(raw, routes)
    agree(EVERYTHING, found)
