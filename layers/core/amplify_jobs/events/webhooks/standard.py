"""Standard Webhooks: anyone's system that asks for a job, or for a route by its name, and signs it.

A secret that opens with whpk_ is an Ed25519 public key (v1a); any other, whsec_ or not, is base64 of a shared one (v1).
Source: the Standard Webhooks specification.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from amplify_jobs.errors import InvalidSignatureError, RequestRejected, UnreadableDeliveryError
from amplify_jobs.events.deliveries import Delivery, Headers, first_id
from amplify_jobs.events.event import Channel, Event, EventKind, parse_requested_job
from amplify_jobs.events.payload import LONGEST_NAME
from amplify_jobs.events.strict_json import json_body
from amplify_jobs.events.webhooks.standard_signature import (
    ID_HEADER,
    SIGNATURE_HEADER,
    SignedMessage,
    keys_of,
    signed_message,
)

PUBLIC_KEY_PREFIX = "whpk_"


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Raise InvalidSignatureError unless one of the secrets signed id, time and body, at most five minutes from now."""
    message = signed_message(headers, body, now)
    public_keys = [secret for secret in secrets if secret.startswith(PUBLIC_KEY_PREFIX)]
    shared_secrets = [secret for secret in secrets if not secret.startswith(PUBLIC_KEY_PREFIX)]
    if message.is_signed_with(keys_of(shared_secrets)):
        return
    if not _signed_by(keys_of(public_keys, PUBLIC_KEY_PREFIX), message):
        raise InvalidSignatureError(f"{SIGNATURE_HEADER} was not made with a secret of this source")


def _signed_by(public_keys: Sequence[bytes], message: SignedMessage) -> bool:
    signatures = message.signatures_of("v1a")
    return any(_verifies(key, signature, message.content) for key in public_keys for signature in signatures)


def _verifies(public_key: bytes, signature: bytes, content: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def parse(headers: Headers, body: bytes) -> Delivery:
    """Read an authentic delivery, a job request or {"route": name}. Raises UnreadableDeliveryError."""
    raw = json_body(body)
    try:
        json.dumps(raw, ensure_ascii=False).encode()
        request = parse_requested_job(raw)
    except UnicodeEncodeError:
        raise UnreadableDeliveryError("the body has an invalid character (a lone surrogate)") from None
    except RequestRejected as rejection:
        raise UnreadableDeliveryError(str(rejection)[:LONGEST_NAME]) from None
    key = request.request_id or first_id(headers, [ID_HEADER])
    if key is None:
        raise UnreadableDeliveryError(f"there is no {ID_HEADER} header")
    return Delivery((Event(kind=EventKind.REQUEST, request=request, key=key, channel=Channel.WEBHOOK),))
