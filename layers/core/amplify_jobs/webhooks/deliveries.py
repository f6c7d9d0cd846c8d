"""What every provider takes and gives: a delivery's headers and body in, what it tells us out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from amplify_jobs.events import Event

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Delivery:
    """An understood delivery: its events or, where it has none for us, the reason why it is ignored."""

    events: tuple[Event, ...] = ()
    ignored: str | None = None


class Provider(Protocol):
    """A git host's way of signing and of telling; modules of this package have this form."""

    def delivery_id(self, headers: Headers) -> str | None:
        """The host's id of the delivery, for people to find it by: most hosts do not sign it."""

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str]) -> None:
        """Raise NotAuthentic unless one of the secrets signed the body."""

    def parse(self, headers: Headers, body: bytes) -> Delivery:
        """Read an authentic delivery. Raises DeliveryUnreadable."""


def header(headers: Headers, name: str) -> str | None:
    """Find a header whatever its case; one that occurs twice is joined by a comma, as API Gateway does."""
    values = [value for key, value in headers.items() if key.lower() == name.lower()]
    return ",".join(values).encode(errors="replace").decode() if values else None
