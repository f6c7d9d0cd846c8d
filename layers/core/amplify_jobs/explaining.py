"""Explaining: what the routes make of a recorded event, decided by the very code that decides in the functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from amplify_jobs import aws_events
from amplify_jobs.errors import DeliveryUnreadable
from amplify_jobs.events import Event, EventKind
from amplify_jobs.http_api import body_of
from amplify_jobs.matching import Ignored, Matched, decide, requested_job
from amplify_jobs.requests import JobRequest, faults
from amplify_jobs.routes import Routes
from amplify_jobs.webhooks import provider
from amplify_jobs.webhooks.deliveries import Delivery
from amplify_jobs.webhooks.identity import delivery_told_apart

# Stands for the id that Lambda would give to the invocation, and for the name of a delivery without one.
EXAMPLE_ID = "example"
_AWS_SOURCES = {
    EventKind.SCHEDULE: aws_events.SCHEDULER,
    EventKind.OBJECT: aws_events.S3,
    EventKind.REQUEST: aws_events.INVOCATION,
}


@dataclass(frozen=True)
class Recorded:
    """A recorded event as it was understood."""

    source: str
    delivery_id: str | None
    delivery: Delivery


@dataclass(frozen=True)
class Explained:
    """What one route, or all of them at once, makes of an event, and the request that follows."""

    event: Event
    decision: Matched | Ignored
    request: JobRequest | None


def read_recorded(raw: object, routes: Routes) -> Recorded:
    """Read what receive_webhook or receive_event takes, or an event as answers to webhooks show it (with `source`).

    Signatures are not looked at. Raises DeliveryRefused.
    """
    if not isinstance(raw, dict):
        raise DeliveryUnreadable("the event must be a JSON object")
    if "pathParameters" in raw and "headers" in raw:
        return _webhook(raw, routes)
    if "kind" in raw:
        return _normalised(raw, routes)
    delivery = aws_events.parse(raw, EXAMPLE_ID)
    return Recorded(delivery.source, delivery.delivery_id, delivery)


def explain(routes: Routes, recorded: Recorded, now: datetime) -> list[Explained]:
    """Decide for each event and each route, as the functions would if it came now."""
    explained = []
    for event in recorded.delivery.events:
        for decision in decide(routes, recorded.source, event):
            request = None
            if isinstance(decision, Matched):
                request = requested_job(
                    decision, event, source=recorded.source, delivery_id=recorded.delivery_id, received_at=now
                )
            explained.append(Explained(event, decision, request))
    return explained


def lines(recorded: Recorded, explained: list[Explained]) -> Iterator[str]:
    """The explanation in lines for people."""
    if recorded.delivery.ignored:
        yield f"Ignored: {recorded.delivery.ignored}"
    shown: Event | None = None
    for one in explained:
        if one.event is not shown:
            shown = one.event
            yield f"{_described(shown)}, from {recorded.source}"
        yield from _decision(one)


def _decision(one: Explained) -> Iterator[str]:
    decision = one.decision
    if isinstance(decision, Ignored):
        decided = f", decided by {decision.condition}" if decision.condition else ""
        yield f"  {decision.route or 'no route'}: not matched{decided}"
        yield f"    {decision.reason}"
        return
    yield f"  {decision.name or 'no route'}: matched, all conditions are met"
    yield from (f"    {found}" for found in decision.found)
    if one.request is not None:
        request = json.loads(one.request.model_dump_json(by_alias=True, exclude_none=True))
        yield from (
            f"    {line}" for line in f"request: {json.dumps(request, indent=2, ensure_ascii=False)}".split("\n")
        )


def _described(event: Event) -> str:
    pull, stored = event.pull_request, event.object
    parts = [
        f"{event.kind}",
        f"{pull.number} {pull.action}" if pull else None,
        event.release.action if event.release else None,
        f"of {event.repository}" if event.repository else None,
        f"s3://{stored.bucket}/{stored.key}" if stored else None,
        f"of {event.schedule.route} at {event.schedule.scheduled_time}" if event.schedule else None,
        event.ref,
    ]
    return " ".join(part for part in parts if part)


def _webhook(raw: dict[str, Any], routes: Routes) -> Recorded:
    headers, parameters = raw["headers"], raw["pathParameters"]
    name = parameters.get("source") if isinstance(parameters, dict) else None
    if not isinstance(name, str):
        raise DeliveryUnreadable("pathParameters.source must name the source")
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise DeliveryUnreadable("headers must be an object of texts")
    if not isinstance(raw.get("body") or "", str):
        raise DeliveryUnreadable("body must be a text")
    host = provider(routes.source(name).provider)
    delivery = delivery_told_apart(host.parse(headers, body_of(raw)), EXAMPLE_ID)
    return Recorded(name, delivery.delivery_id or host.delivery_id(headers), delivery)


def _normalised(raw: dict[str, Any], routes: Routes) -> Recorded:
    members = {name: value for name, value in raw.items() if name != "source"}
    try:
        event = Event.model_validate(members)
    except ValidationError as error:
        raise DeliveryUnreadable("; ".join(faults(error))) from None
    source = raw.get("source") or _AWS_SOURCES.get(event.kind)
    if source is None and len(routes.sources) == 1:
        (source,) = routes.sources
    if not isinstance(source, str):
        known = ", ".join(routes.sources) or "none"
        raise DeliveryUnreadable(
            f'source must say where the event came from, like "source": "github"; there are {known}'
        )
    return Recorded(source, None, Delivery((event,)))
