"""The messages of the intake queue: events to be processed, and deliveries that could not be verified yet.

Each version of amplify-jobs reads what the one before it has put into the queue.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict

from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Event, digest
from amplify_jobs.events.payload import Payload
from amplify_jobs.model.base import GrowingModel


@dataclass(frozen=True)
class Origin:
    """The source that a delivery came from, the host's id of it, when it came, and the source's kind of host."""

    source: str
    delivery_id: str | None
    received_at: datetime
    provider: str | None = None


class QueuedEvent(GrowingModel):
    """An event of a verified delivery, with the delivery's origin."""

    version: Literal["1"] = "1"
    source: str
    delivery_id: str | None = None
    received_at: AwareDatetime
    event: Event

    @property
    def group(self) -> Sequence[str | None]:
        """Events of one group stay in order: those of one repository, one bucket or one schedule."""
        event = self.event
        bucket = event.object.bucket if event.object else None
        route = event.schedule.route if event.schedule else None
        return [event.host, event.repository, bucket, route]


class UnverifiedDelivery(GrowingModel):
    """A webhook's delivery as it came.

    Its headers hold what proves who sent it, a token of the host's user at some hosts: no line of a log shows one.
    """

    # Most deliveries never become a message: their bodies stay bytes.
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    version: Literal["1"] = "1"
    kind: Literal["unverified"] = "unverified"
    source: str
    headers: dict[str, str]
    body: bytes
    received_at: AwareDatetime

    @property
    def identity(self) -> str:
        """What tells this delivery from every other, in 64 hexadecimal digits; a host's retry is another delivery."""
        return digest([self.source, self.received_at.isoformat(), hashlib.sha256(self.body).hexdigest()])


def parse_message(message: str) -> QueuedEvent | UnverifiedDelivery:
    """Read a message. Raises pydantic's ValidationError."""
    if _is_unverified(message):
        return UnverifiedDelivery.model_validate_json(message)
    return QueuedEvent.model_validate_json(message)


def queued_events(delivery: Delivery, origin: Origin) -> list[QueuedEvent]:
    """The events that ask for something: a ping need not be signed, and reaches neither the routes nor the queue."""
    return [
        QueuedEvent(source=origin.source, delivery_id=origin.delivery_id, received_at=origin.received_at, event=event)
        for event in delivery.events
        if event.reason_to_ignore is None
    ]


def reasons_to_ignore(delivery: Delivery) -> list[str]:
    """Why a delivery, or events of it, ask for nothing."""
    reasons = (delivery.ignored, *(event.reason_to_ignore for event in delivery.events))
    return [reason for reason in reasons if reason]


def _is_unverified(message: str) -> bool:
    try:
        return bool(Payload(json.loads(message)).member("kind") == "unverified")
    except ValueError:
        return False
