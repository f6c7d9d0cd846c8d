"""What a delivery led to, with the decision of every route: written down for people, beside the way of the delivery."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import AwareDatetime

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.events.event import Event, digest
from amplify_jobs.intake.message import Origin
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.observability import function_metrics

# A larger event can't be replayed; what it led to is kept all the same.
LARGEST_EVENT = 100_000
MOST_DECISIONS = 200
SECONDS_SILENT = 30.0

logger = Logger(child=True)
metrics = function_metrics()


class Decision(GrowingModel):
    """What a route decided, on which condition, and the request that it made; without a route, why none was asked."""

    route: str | None = None
    matched: bool
    reason: str
    condition: str | None = None
    request_id: str | None = None


class EventRecord(GrowingModel):
    """An event of a delivery and what was decided on it; no decisions while it waits in the intake queue.

    `event` is None if it is too large to be kept.
    """

    identity: str
    received_at: AwareDatetime
    kind: str
    repository: str | None = None
    ref: str | None = None
    commit: str | None = None
    deferred: bool = False
    decisions: tuple[Decision, ...] = ()
    event: dict[str, Any] | None = None


class DeliveryRecord(GrowingModel):
    """What is known of a delivery; `ignored` says why something in it is no event."""

    version: Literal["1"] = "1"
    record: Literal["delivery"] = "delivery"
    delivery_id: str
    source: str
    provider: str | None = None
    received_at: AwareDatetime
    ignored: tuple[str, ...] = ()
    events: tuple[EventRecord, ...] = ()


@dataclass(frozen=True)
class DecidedEvent:
    """An event with the decisions on it; None if it waits in the intake queue."""

    event: Event
    decisions: tuple[Decision, ...] | None


def delivery_record(origin: Origin, events: Iterable[DecidedEvent], ignored: Iterable[str] = ()) -> DeliveryRecord:
    """Make the record of a delivery; one without an id is named by its source and time."""
    received_at = origin.received_at
    name = origin.delivery_id or f"{origin.source}-{digest([origin.source, received_at.isoformat()])[:32]}"
    return DeliveryRecord(
        delivery_id=name,
        source=origin.source,
        provider=origin.provider,
        received_at=received_at,
        ignored=tuple(ignored),
        events=tuple(_event_record(each, received_at) for each in events),
    )


def _event_record(decided: DecidedEvent, received_at: datetime) -> EventRecord:
    event = decided.event
    return EventRecord(
        identity=event.digest[:32],
        received_at=received_at,
        kind=event.kind,
        repository=event.repository,
        ref=event.ref,
        commit=event.commit,
        deferred=decided.decisions is None,
        decisions=(decided.decisions or ())[:MOST_DECISIONS],
        event=_stored_members(event),
    )


def _stored_members(event: Event) -> dict[str, Any] | None:
    """The event for a replay: without its files, routes with paths build."""
    small = event.model_copy(update={"changed_files": None})
    content = small.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return content if len(json.dumps(content)) <= LARGEST_EVENT else None


class Queue(Protocol):
    """The queue of the index; aws.index_queue.IndexQueue."""

    def put(self, message: str) -> None: ...


class DeliveryLog:
    """Writes records of deliveries. A record that can't be written is lost: no delivery waits for it or fails with it.

    After a failure nothing is tried for SECONDS_SILENT, so that an outage delays few answers.
    """

    def __init__(self, queue: Queue, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue = queue
        self._clock = clock
        self._silent_until = 0.0

    def write(self, record: DeliveryRecord) -> None:
        """Write a record, if that can be done now."""
        if self._clock() >= self._silent_until:
            try:
                self._queue.put(record.model_dump_json(by_alias=True, exclude_none=True))
            except ServiceTrouble as trouble:
                self._silent_until = self._clock() + SECONDS_SILENT
                logger.warning("The record of a delivery is lost", extra={"reason": str(trouble)})
            else:
                return
        metrics.add_metric("DeliveriesUnrecorded", MetricUnit.Count, 1)
