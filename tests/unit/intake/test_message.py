"""Messages of the intake queue: those of earlier versions are read, and events of one group stay in order."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amplify_jobs.events import aws_events
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Event, EventKind, Schedule, StoredObject
from amplify_jobs.intake.message import Origin, QueuedEvent, UnverifiedDelivery, parse_message, queued_events
from tests.support.routes_and_events import EVENTS

NOW = datetime(2026, 11, 22, 9, 30, 1, tzinfo=UTC)
# As the version before wrote them, and as a later one may.
EVENT = {
    "version": "1",
    "source": "github",
    "deliveryId": "d-1",
    "receivedAt": "2026-11-22T09:30:01Z",
    "event": {"kind": "push", "repository": "acme/web", "branch": "main", "after": "1" * 40},
}
UNVERIFIED = {
    "version": "1",
    "kind": "unverified",
    "source": "github",
    "headers": {"X-GitHub-Event": "push"},
    "body": base64.urlsafe_b64encode(b"\xff\x00{}").decode(),
    "receivedAt": "2026-11-22T09:30:01Z",
}


@pytest.mark.parametrize("more", [{}, {"addedLater": 1}])
def test_an_event_of_another_version_is_read(more: dict[str, int]) -> None:
    message = parse_message(json.dumps({**EVENT, **more}))
    assert isinstance(message, QueuedEvent)
    assert (message.source, message.delivery_id, message.received_at) == ("github", "d-1", NOW)
    assert (message.event.repository, message.event.after) == ("acme/web", "1" * 40)


@pytest.mark.parametrize("more", [{}, {"addedLater": 1}])
def test_an_unverified_delivery_of_another_version_is_read(more: dict[str, int]) -> None:
    message = parse_message(json.dumps({**UNVERIFIED, **more}))
    assert message == UnverifiedDelivery(
        source="github", headers={"X-GitHub-Event": "push"}, body=b"\xff\x00{}", received_at=NOW
    )


EXAMPLES = sorted((Path(__file__).parents[3] / "events").glob("receive_event.*.json"))


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.name for file in EXAMPLES])
def test_every_event_of_aws_comes_out_of_the_queue_as_it_went_in(file: Path) -> None:
    (event,) = aws_events.parse(json.loads(file.read_text()), "i-1").events
    queued = QueuedEvent(source="aws.lambda", received_at=NOW, event=event)
    assert parse_message(queued.model_dump_json(by_alias=True)) == queued


@given(EVENTS)
def test_every_event_comes_out_of_the_queue_as_it_went_in(event: Event) -> None:
    # Compared as it is written: offsets of seconds, which the strategy draws too, are not in ISO 8601.
    message = QueuedEvent(source="github", received_at=NOW, event=event).model_dump_json(by_alias=True)
    assert parse_message(message).model_dump_json(by_alias=True) == message


def test_what_is_written_keeps_its_form() -> None:
    for written in (EVENT, UNVERIFIED):
        dumped = json.loads(parse_message(json.dumps(written)).model_dump_json(by_alias=True, exclude_unset=True))
        assert dumped == written


@given(st.binary())
def test_a_body_of_any_bytes_comes_out_as_it_went_in(body: bytes) -> None:
    delivery = UnverifiedDelivery(source="github", headers={}, body=body, received_at=NOW)
    assert parse_message(delivery.model_dump_json(by_alias=True)) == delivery


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_other_text_is_a_validation_error(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_message(text)


def test_a_delivery_s_identity_is_of_its_source_time_and_body() -> None:
    first = UnverifiedDelivery(source="github", headers={}, body=b"{}", received_at=NOW)
    same = first.model_copy(update={"headers": {"X-GitHub-Delivery": "d-2"}})
    assert first.identity == same.identity
    changes: list[dict[str, object]] = [{"source": "gitlab"}, {"body": b"[]"}, {"received_at": NOW.replace(second=2)}]
    others = {first.model_copy(update=change).identity for change in changes}
    assert len({first.identity, *others}) == 4


@pytest.mark.parametrize(
    ("event", "group"),
    [
        (Event(kind=EventKind.PUSH, host="github.com", repository="acme/web"), ["github.com", "acme/web", None, None]),
        (Event(kind=EventKind.OBJECT, object=StoredObject(bucket="a", key="k")), [None, None, "a", None]),
        (
            Event(kind=EventKind.SCHEDULE, schedule=Schedule(route="nightly", scheduled_time="t")),
            [None, None, None, "nightly"],
        ),
    ],
)
def test_the_group_is_the_repository_the_bucket_or_the_schedule(event: Event, group: list[str | None]) -> None:
    assert QueuedEvent(source="s", received_at=NOW, event=event).group == group


def test_a_ping_asks_for_nothing_and_is_not_queued() -> None:
    push, ping = Event(kind=EventKind.PUSH, branch="main"), Event(kind=EventKind.PING)
    (queued,) = queued_events(Delivery((ping, push)), Origin("github", "d-1", NOW))
    assert (queued.event, queued.source, queued.delivery_id, queued.received_at) == (push, "github", "d-1", NOW)
