"""Verifying deliveries of git hosts: at once, or later where the secret or the source can't be read now."""

from __future__ import annotations

from dataclasses import dataclass

from amplify_jobs.errors import InvalidSignatureError, NotSetUpError, ServiceTrouble
from amplify_jobs.events.deliveries import Delivery, Provider, first_id
from amplify_jobs.events.evidence import add_delivery_evidence
from amplify_jobs.events.webhooks import PROVIDERS, provider
from amplify_jobs.intake.message import Origin, UnverifiedDelivery
from amplify_jobs.intake.protocols import Secrets, SourceCopies
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.routes import Source


@dataclass(frozen=True)
class VerifiedDelivery:
    """An authentic delivery, parsed; `trouble` is why the routes can't be read, if they can't."""

    delivery: Delivery
    origin: Origin
    trouble: ServiceTrouble | None = None


class Verifier:
    """Verifies deliveries with the secrets of their sources; a source's copy serves while the routes can't be read."""

    def __init__(self, routes: CurrentRoutes, sources: SourceCopies, secrets: Secrets) -> None:
        self._routes = routes
        self._sources = sources
        self._secrets = secrets

    def verify(self, unverified: UnverifiedDelivery) -> VerifiedDelivery:
        """Verify a delivery as of when it came, and parse it.

        Raises DeliveryRefusedError, NotSetUpError, and ServiceTrouble where it can't be told yet who sent it.
        """
        source, trouble = self._source(unverified.source)
        host = provider(source.provider)
        self._check_signature(host, source, unverified)
        delivery = add_delivery_evidence(host.parse(unverified.headers, unverified.body), unverified.identity)
        host_id = delivery.delivery_id or first_id(unverified.headers, PROVIDERS[source.provider].id_headers)
        return VerifiedDelivery(
            delivery, Origin(unverified.source, host_id, unverified.received_at, source.provider), trouble
        )

    def _check_signature(self, host: Provider, source: Source, unverified: UnverifiedDelivery) -> None:
        """A signature that does not match may be one of a secret that was rotated: newer secrets are tried too."""
        headers, body, received_at = unverified.headers, unverified.body, unverified.received_at
        try:
            return host.verify(headers, body, self._secrets.values(source.secrets), received_at)
        except InvalidSignatureError:
            newer_values = self._secrets.newer_values(source.secrets)
            if newer_values is None:
                raise
        return host.verify(headers, body, newer_values, received_at)

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
