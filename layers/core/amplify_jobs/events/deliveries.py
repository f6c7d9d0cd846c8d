"""What every provider takes and gives: a delivery's headers and body in, its events out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amplify_jobs.events.event import Event

Headers = Mapping[str, str]

LONGEST_DELIVERY_ID = 128


@dataclass(frozen=True)
class Delivery:
    """An understood delivery: its events or, where it has none for us, the reason why it is ignored.

    `delivery_id` is the host's id of the delivery where it stands in the body.
    """

    events: tuple[Event, ...] = ()
    ignored: str | None = None
    delivery_id: str | None = None


class Provider(Protocol):
    """A sender's way of signing and of writing; each module of events/webhooks that PROVIDERS names has this form."""

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
        """Raise InvalidSignatureError unless a secret signed the body, and lately if the time is signed too."""

    def parse(self, headers: Headers, body: bytes) -> Delivery:
        """Read an authentic delivery. Raises UnreadableDeliveryError."""


def header(headers: Headers, name: str) -> str | None:
    """Find a header whatever its case; one that occurs twice is joined by a comma, as API Gateway does."""
    values = [value for key, value in headers.items() if key.lower() == name.lower()]
    return ",".join(values).encode(errors="replace").decode() if values else None


def first_id(headers: Headers, names: Sequence[str]) -> str | None:
    """The id of a delivery in the first of these headers that it has, cut to 128 characters."""
    ids = ((header(headers, name) or "")[:LONGEST_DELIVERY_ID] for name in names)
    return next(filter(None, ids), None)
