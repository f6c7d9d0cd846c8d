"""Verifying deliveries of git hosts: at once, or later where the secret or the source can't be read now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import AwareDatetime, ConfigDict

from amplify_jobs.errors import NotSetUpError, ServiceTrouble
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import digest
from amplify_jobs.events.evidence import add_delivery_evidence
from amplify_jobs.events.payload import Payload
from amplify_jobs.events.webhooks import delivery_id, provider
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.routing.routes import Routes, Source


class RawDelivery(GrowingModel):
    """A delivery as it came, which waits in the intake queue if it can't be verified yet.

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


def is_raw(message: str) -> bool:
    """Whether a message of the intake queue is a raw delivery."""
    try:
        return bool(Payload(json.loads(message)).member("kind") == "unverified")
    except ValueError:
        return False


@dataclass(frozen=True)
class Verified:
    """A delivery that is who it says; `trouble` is what hinders to read the routes, if anything does."""

    delivery: Delivery
    delivery_id: str | None
    trouble: ServiceTrouble | None = None


class CurrentRoutes(Protocol):
    """Where the routes come from; aws.stored_routes.StoredRoutes does it."""

    def current(self) -> Routes: ...


class SourceCopies(Protocol):
    """Where a source is looked up without the routes; aws.stored_routes.StoredSources does it."""

    def source(self, name: str) -> Source: ...


class Secrets(Protocol):
    """What verifies with the values of secrets; aws.secrets.Secrets does it."""

    def verify(self, names: tuple[str, ...], verify: Callable[[Sequence[str]], None]) -> None: ...


class Verifier:
    """Verifies deliveries with the secrets of their sources; a source's copy serves while the routes can't be read."""

    def __init__(self, routes: CurrentRoutes, sources: SourceCopies, secrets: Secrets) -> None:
        self._routes = routes
        self._sources = sources
        self._secrets = secrets

    def verify(self, raw: RawDelivery) -> Verified:
        """Verify a delivery as of when it came, and read it.

        Raises DeliveryRefusedError, NotSetUpError, and ServiceTrouble where it can't be told yet who sent it.
        """
        source, trouble = self._source(raw.source)
        host = provider(source.provider)
        self._secrets.verify(source.secrets, lambda values: host.verify(raw.headers, raw.body, values, raw.received_at))
        delivery = add_delivery_evidence(host.parse(raw.headers, raw.body), raw.identity)
        return Verified(delivery, delivery.delivery_id or delivery_id(source.provider, raw.headers), trouble)

    def _source(self, name: str) -> tuple[Source, ServiceTrouble | None]:
        try:
            return self._routes.current().source(name), None
        except ServiceTrouble as trouble:
            try:
                return self._sources.source(name), trouble
            except ServiceTrouble:
                # Deliveries from before the first push of routes would wait for a day, strangers' too.
                if isinstance(trouble, NotSetUpError):
                    raise trouble from None
                raise
