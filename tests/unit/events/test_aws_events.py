"""What AWS hands to receive_event: read as events, or refused by name; an unreadable one becomes a rejection."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import RequestRejected, UnreadableDeliveryError
from amplify_jobs.events import aws_events
from amplify_jobs.events.event import Event, EventKind, request_id
from amplify_jobs.model.parameters import validated_parameters
from amplify_jobs.model.request import JobRequest

EVENTS = Path(__file__).parents[3] / "events"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
JOB = {"operation": "start_job", "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}}


def example(name: str) -> Any:
    return json.loads((EVENTS / f"receive_event.{name}.json").read_text())


def changed(name: str, *path: str, to: Any) -> Any:
    """An example with one member replaced, or removed if it is to be None."""
    raw = example(name)
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return raw


def the_event(raw: Any, invocation_id: str = "i-1") -> Event:
    (event,) = aws_events.parse(raw, invocation_id).events
    return event


class TestExamples:
    @pytest.mark.parametrize(
        ("name", "source", "kind"),
        [
            ("schedule", "aws.scheduler", EventKind.SCHEDULE),
            ("object", "aws.s3", EventKind.OBJECT),
            ("codecommit_push", "aws.codecommit", EventKind.PUSH),
            ("codecommit_pull_request", "aws.codecommit", EventKind.PULL_REQUEST),
            ("job_requested", "com.acme.cms", EventKind.REQUEST),
            ("job_request", "aws.lambda", EventKind.REQUEST),
            ("named_route", "aws.lambda", EventKind.REQUEST),
        ],
    )
    def test_each_is_understood(self, name: str, source: str, kind: EventKind) -> None:
        delivery = aws_events.parse(example(name), "i-1")
        assert (delivery.source, [event.kind for event in delivery.events]) == (source, [kind])
        assert delivery.ignored is None
        assert delivery.delivery_id

    def test_there_is_no_other_example(self) -> None:
        tested = {"schedule", "object", "codecommit_push", "codecommit_pull_request"}
        tested |= {"job_requested", "job_request", "named_route"}
        assert {file.name.split(".")[1] for file in EVENTS.glob("receive_event.*.json")} == tested

    def test_an_object_is_named_as_it_is_called(self) -> None:
        stored = the_event(example("object")).object
        assert stored is not None
        assert (stored.bucket, stored.key, stored.size) == ("acme-artifacts", "web/site 1.4.zip", 184320)
        # EventBridge does not encode keys, so a plus or a percent sign is one.
        plus = the_event(changed("object", "detail", "object", "key", to="a+b%20c.zip")).object
        assert plus is not None
        assert plus.key == "a+b%20c.zip"

    def test_the_input_of_a_schedule_is_read_once_scheduler_has_filled_it_in(self) -> None:
        text = aws_events.schedule_input("nightly").replace("<aws.scheduler.scheduled-time>", "2026-11-22T02:00:00Z")
        assert json.loads(text) == example("schedule")


class TestIdentity:
    """The same thing told twice is one request, and another thing is another."""

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            (example("schedule"), example("schedule"), True),
            (example("schedule"), changed("schedule", "schedule", "scheduledTime", to="2026-11-23T02:00:00Z"), False),
            (example("schedule"), changed("schedule", "schedule", "route", to="weekly"), False),
            (example("object"), changed("object", "id", to="another"), True),
            (example("object"), changed("object", "detail", "object", "sequencer", to="0"), True),
            (example("object"), changed("object", "detail", "object", "version-id", to="another"), False),
            (example("object"), changed("object", "detail", "object", "key", to="another"), False),
            (example("object"), changed("object", "detail", "bucket", "name", to="another"), False),
            (example("job_requested"), changed("job_requested", "id", to="another"), True),
            (example("job_requested"), changed("job_requested", "detail", "requestId", to="another"), False),
            (example("codecommit_push"), changed("codecommit_push", "id", to="another"), True),
            (example("codecommit_push"), changed("codecommit_push", "time", to="2026-11-22T09:31:00Z"), False),
        ],
    )
    def test_of_two(self, one: Any, other: Any, same: bool) -> None:
        ids = [request_id("route", the_event(raw, invocation_id=str(n))) for n, raw in enumerate((one, other))]
        assert (ids[0] == ids[1]) is same

    def test_unversioned_objects_are_told_apart_by_sequencer(self) -> None:
        one = changed("object", "detail", "object", "version-id", to=None)
        other = json.loads(json.dumps(one))
        other["detail"]["object"]["sequencer"] = "00617F08299329D190"
        assert request_id("r", the_event(one)) != request_id("r", the_event(other))

    def test_without_a_request_id_the_event_or_the_invocation_names_it(self) -> None:
        event = changed("job_requested", "detail", "requestId", to=None)
        assert the_event(event).key == event["id"]
        assert the_event(JOB, "i-7").key == "i-7"


UNREADABLE = [
    pytest.param(None, "not an object", id="null"),
    pytest.param([], "not an object", id="a list"),
    pytest.param("text", "not an object", id="a text"),
    pytest.param({}, "neither an event", id="empty"),
    pytest.param({"Records": [{"eventSource": "aws:s3"}]}, "neither an event", id="a notification of S3's own"),
    pytest.param({"schedule": {}}, "schedule.route: ", id="a schedule without a route"),
    pytest.param({"schedule": "nightly"}, "schedule: ", id="a schedule that is a text"),
    pytest.param({"schedule": {"route": "nightly"}}, "schedule.scheduledTime", id="a schedule without a time"),
    pytest.param(changed("object", "detail", "bucket", to=None), "detail.bucket.name", id="no bucket"),
    pytest.param(changed("object", "detail", "object", "key", to=7), "detail.object.key", id="a key that is a number"),
    pytest.param(changed("object", "detail", to="x"), "detail.bucket.name", id="a detail that is a text"),
    pytest.param(
        changed("object", "detail", "object", to={"key": "k"}), "version-id or sequencer", id="no version, no sequencer"
    ),
    pytest.param(changed("codecommit_push", "resources", to=[]), "ARN", id="no repository ARN"),
    pytest.param(changed("codecommit_push", "account", to="999999999999"), "ARN", id="another account's repository"),
    pytest.param(changed("job_requested", "detail", to=None), "neither an event", id="no detail"),
    pytest.param(changed("job_requested", "detail", "parameters", to=None), "parameters", id="no parameters"),
    pytest.param(changed("job_requested", "detail", "colour", to="red"), "colour", id="an unknown member"),
    pytest.param(changed("job_requested", "detail", "requestId", to="A B"), "requestId", id="a bad request id"),
    pytest.param(
        {"detail-type": "Job Requested", "detail": JOB}, "neither the event has an id", id="nothing to name it by"
    ),
    pytest.param({**JOB, "route": "web"}, "leave them out", id="a route and an operation"),
    pytest.param({**JOB, "parameters": {"appId": "x" * 6_000_000}}, "5120 KiB", id="too large"),
    pytest.param({**JOB, "parameters": {"n": float("nan")}}, "NaN", id="NaN"),
    pytest.param({**JOB, "parameters": {"s": "\ud800"}}, "invalid character", id="half a character"),
    pytest.param({"detail-type": None, "source": "x"}, "no detail-type", id="no detail-type"),
]


class TestUnreadable:
    @pytest.mark.parametrize(("raw", "fault"), UNREADABLE)
    def test_the_fault_is_named(self, raw: Any, fault: str) -> None:
        with pytest.raises(UnreadableDeliveryError, match=fault):
            aws_events.parse(raw, "i-1")

    @pytest.mark.parametrize(("raw", "fault"), UNREADABLE)
    def test_it_becomes_a_request_that_is_rejected_for_it(self, raw: Any, fault: str) -> None:
        request = aws_events.rejection(raw, f"because of {fault}", "i-1", NOW)
        assert JobRequest.model_validate_json(request.model_dump_json(by_alias=True)) == request
        with pytest.raises(RequestRejected, match=f"because of {fault}"):
            validated_parameters(request)

    def test_the_rejection_says_which_event_it_was(self) -> None:
        raw = changed("job_requested", "detail", "colour", to="red")
        request = aws_events.rejection(raw, "colour", "i-1", NOW)
        assert (request.cause.source, request.cause.kind) == ("com.acme.cms", "Job Requested")
        assert request.cause.delivery_id == raw["id"]
        assert request.parameters == {"appId": "d1a2b3c4d5e6", "branchName": "main"}

    def test_it_is_rejected_once_for_an_event_and_again_for_the_next(self) -> None:
        first, again = (aws_events.rejection({"x": 1}, "f", "i-1", NOW).request_id for _ in range(2))
        assert first == again != aws_events.rejection({"x": 1}, "f", "i-2", NOW).request_id

    def test_nothing_of_the_event_is_repeated_that_was_not_asked_for(self) -> None:
        raw = {"operation": "start_job", "parameters": {"token": "s3cret", "appId": "d1"}, "password": "s3cret"}
        assert "s3cret" not in aws_events.rejection(raw, "f", "i-1", NOW).model_dump_json()

    def test_an_event_of_no_concern_is_ignored_by_name(self) -> None:
        delivery = aws_events.parse({"detail-type": "Object Deleted", "source": "aws.s3", "detail": {}}, "i-1")
        assert delivery.events == ()
        assert delivery.ignored is not None
        assert "Object Deleted" in delivery.ignored


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.sampled_from([*aws_events.HANDLED, "aws.s3", "aws.codecommit", "start_job", "nightly", "7", 7])
NAMES = st.sampled_from(
    [
        "detail-type",
        "source",
        "detail",
        "id",
        "schedule",
        "route",
        "operation",
        "parameters",
        "resources",
        "time",
        "scheduledTime",
        "bucket",
        "object",
        "key",
        "name",
        "version-id",
        "sequencer",
        "size",
        "requestId",
        "event",
    ]
)
LIKELY = st.recursive(
    PARTS | JSON, lambda inner: st.dictionaries(NAMES, inner, max_size=6) | st.lists(inner, max_size=2), max_leaves=20
)


@given(JSON | LIKELY)
def test_anything_is_read_or_refused_and_what_is_refused_can_be_announced(raw: Any) -> None:
    try:
        delivery = aws_events.parse(raw, "i-1")
    except UnreadableDeliveryError as unreadable:
        request = aws_events.rejection(raw, str(unreadable), "i-1", NOW)
        JobRequest.model_validate_json(request.model_dump_json(by_alias=True))
    else:
        for event in delivery.events:
            assert Event.model_validate_json(event.model_dump_json(by_alias=True)) == event


@given(st.sampled_from(sorted(EVENTS.glob("receive_event.*.json"))), st.data())
def test_a_damaged_example_is_read_or_refused(file: Path, data: st.DataObject) -> None:
    raw = json.loads(file.read_text())
    inner = raw
    while isinstance(inner, dict) and inner:
        key = data.draw(st.sampled_from(sorted(inner)))
        if data.draw(st.booleans()) or not isinstance(inner[key], dict):
            inner[key] = data.draw(JSON | LIKELY)
            break
        inner = inner[key]
    try:
        aws_events.parse(raw, "i-1")
    except UnreadableDeliveryError as unreadable:
        aws_events.rejection(raw, str(unreadable), "i-1", NOW)
