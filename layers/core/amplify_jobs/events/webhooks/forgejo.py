"""Forgejo: Gitea's payloads under its own headers; it sends Gitea's, Gogs' and GitHub's headers besides.

Source: Forgejo's documentation, "Webhooks".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from amplify_jobs.events.deliveries import Delivery, Headers
from amplify_jobs.events.webhooks import gitea

SIGNATURE_HEADER = "X-Forgejo-Signature"
EVENT_HEADER = "X-Forgejo-Event"

EVIDENCE = gitea.EVIDENCE
OMISSIONS = gitea.OMISSIONS
APPROVAL = gitea.APPROVAL
WEBHOOK_EVENTS = gitea.WEBHOOK_EVENTS

sign = gitea.sign


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG001 -- no time is signed
    """Raise InvalidSignatureError unless one of the secrets signed the payload."""
    gitea.verify_payload(headers, body, secrets, SIGNATURE_HEADER)


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery. Raises UnreadableDeliveryError."""
    return gitea.parse_payload(headers, body, EVENT_HEADER)
