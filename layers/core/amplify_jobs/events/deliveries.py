"""What every provider takes and gives: a delivery's headers and body in, what it tells us out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amplify_jobs.events.event import Event

Headers = Mapping[str, str]

LONGEST_DELIVERY_ID = 128
# Of every host that has one; Forgejo sends Gitea's too.
DELIVERY_ID_HEADERS = (
    "X-GitHub-Delivery",
    "Idempotency-Key",
    "X-Gitlab-Event-UUID",
    "X-Request-UUID",
    "X-Forgejo-Delivery",
    "X-Gitea-Delivery",
    "webhook-id",
    "X-Request-Id",
)


@dataclass(frozen=True)
class Delivery:
    """An understood delivery: its events or, where it has none for us, the reason why it is ignored.

    `delivery_id` is the host's id of the delivery where it stands in the body.
    """

    events: tuple[Event, ...] = ()
    ignored: str | None = None
    delivery_id: str | None = None


class Provider(Protocol):
    """A git host's way of signing and of telling; modules of this package have this form."""

    def delivery_id(self, headers: Headers) -> str | None:
        """The host's id of the delivery, for people to find it by: most hosts do not sign it."""

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
        """Raise InvalidSignatureError unless a secret signed the body, and lately if the time is signed too."""

    def parse(self, headers: Headers, body: bytes) -> Delivery:
        """Read an authentic delivery. Raises UnreadableDeliveryError."""


def header(headers: Headers, name: str) -> str | None:
    """Find a header whatever its case; one that occurs twice is joined by a comma, as API Gateway does."""
    values = [value for key, value in headers.items() if key.lower() == name.lower()]
    return ",".join(values).encode(errors="replace").decode() if values else None


def any_delivery_id(headers: Headers) -> str | None:
    """The id of a delivery of a host that is not known: the first header that hosts put it into."""
    return next((found for name in DELIVERY_ID_HEADERS if (found := delivery_id(headers, name))), None)


def delivery_id(headers: Headers, name: str) -> str | None:
    """A header that holds the delivery's id, cut to 128 characters."""
    return (header(headers, name) or "")[:LONGEST_DELIVERY_ID] or None
