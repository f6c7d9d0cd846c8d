"""Messages signed as Standard Webhooks has it, with id and time: webhook-id, webhook-timestamp, webhook-signature.

Source: the Standard Webhooks specification, "Signature scheme". GitLab's signing tokens follow it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from amplify_jobs.errors import InvalidSignatureError
from amplify_jobs.events.deliveries import Headers, header
from amplify_jobs.events.webhooks.signatures import strict_base64

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SECRET_PREFIX = "whsec_"  # noqa: S105 -- what secrets open with, not one
TOLERANCE_SECONDS = 300

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
# No comma but the one after the version: two headers joined into one are refused with this.
_SIGNATURES = re.compile(r"[A-Za-z0-9]+,[A-Za-z0-9+/=_-]+( [A-Za-z0-9]+,[A-Za-z0-9+/=_-]+)*", re.ASCII)


@dataclass(frozen=True)
class SignedMessage:
    """The signed content, and its signatures as pairs of version and base64."""

    content: bytes
    signatures: tuple[tuple[str, str], ...]

    def signatures_of(self, version: str) -> list[bytes]:
        """The signatures of a version, decoded; those that are no base64 prove nothing."""
        decoded = (strict_base64(text) for name, text in self.signatures if name == version)
        return [signature for signature in decoded if signature is not None]

    def is_signed_with(self, keys: Sequence[bytes]) -> bool:
        """Say whether one of the v1 signatures was made with one of the keys."""
        expected = [hmac.digest(key, self.content, hashlib.sha256) for key in keys]
        return any(hmac.compare_digest(signature, own) for signature in self.signatures_of("v1") for own in expected)


def signed_message(headers: Headers, body: bytes, now: datetime) -> SignedMessage:
    """Read the three headers.

    Raises InvalidSignatureError on malformed ones and on a time more than five minutes from now.
    """
    message_id, timestamp = header(headers, ID_HEADER), header(headers, TIMESTAMP_HEADER)
    signatures = header(headers, SIGNATURE_HEADER)
    if not message_id or timestamp is None or signatures is None:
        raise InvalidSignatureError(f"{ID_HEADER}, {TIMESTAMP_HEADER} and {SIGNATURE_HEADER} are needed, each once")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise InvalidSignatureError(f"{TIMESTAMP_HEADER} must be seconds since 1970, once")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise InvalidSignatureError(f"{TIMESTAMP_HEADER} is more than {TOLERANCE_SECONDS} seconds from now")
    if not _SIGNATURES.fullmatch(signatures):
        raise InvalidSignatureError(f"{SIGNATURE_HEADER} must be like 'v1,<base64>', several separated by one space")
    pairs = (signature.partition(",") for signature in signatures.split(" "))
    return SignedMessage(
        content=f"{message_id}.{timestamp}.".encode() + body,
        signatures=tuple((version, text) for version, _, text in pairs),
    )


def keys_of(secrets: Sequence[str], prefix: str = SECRET_PREFIX) -> list[bytes]:
    """The keys in secrets that are base64, with or without their prefix; an empty or malformed secret is none."""
    decoded = (strict_base64(secret.removeprefix(prefix)) for secret in secrets)
    return [key for key in decoded if key]


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of webhook-signature for a message, as a sender makes it. The secret is base64, as in keys_of."""
    (key,) = keys_of([secret])
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
