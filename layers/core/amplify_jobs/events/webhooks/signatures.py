"""Signatures and secrets that prove where a body comes from, compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

from amplify_jobs.errors import InvalidSignatureError
from amplify_jobs.events.deliveries import Headers, header

_HEXADECIMAL = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BASIC = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})", re.ASCII | re.IGNORECASE)


def hmac_sha256_hex(secret: str, body: bytes) -> str:
    """Sign a body: HMAC-SHA256 in lower-case hexadecimal digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed_by_any(secrets: Sequence[str], body: bytes, signature: str) -> bool:
    """Say whether one of the secrets made this hexadecimal HMAC-SHA256; an empty secret made none."""
    content = signature.encode()
    return any(hmac.compare_digest(hmac_sha256_hex(secret, body).encode(), content) for secret in secrets if secret)


def verify_hex_signature(headers: Headers, name: str, prefix: str, body: bytes, secrets: Sequence[str]) -> None:
    """Raise InvalidSignatureError unless a header holds, after a prefix, the body's HMAC-SHA256 with a secret."""
    value = header(headers, name)
    if value is None:
        raise InvalidSignatureError(f"there is no {name} header; set this source's secret at the git host's webhook")
    signature = value.removeprefix(prefix)
    if not value.startswith(prefix) or not _HEXADECIMAL.fullmatch(signature):
        expected = f"{prefix} and 64 lower-case hexadecimal digits" if prefix else "64 lower-case hexadecimal digits"
        raise InvalidSignatureError(f"{name} must be {expected}, once")
    if not is_signed_by_any(secrets, body, signature):
        raise InvalidSignatureError(f"{name} was not made with a secret of this source")


def verify_token(headers: Headers, name: str, secrets: Sequence[str]) -> None:
    """Raise InvalidSignatureError unless a header holds one of the secrets itself; an empty secret is none."""
    token = header(headers, name)
    if token is None:
        raise InvalidSignatureError(f"there is no {name} header; set this source's secret at the git host's webhook")
    if not _is_any(secrets, token.encode()):
        raise InvalidSignatureError(f"{name} is not a secret of this source")


def verify_basic(headers: Headers, secrets: Sequence[str]) -> None:
    """Raise InvalidSignatureError unless the Authorization header gives, as Basic, one of the secrets `user:password`.

    Source: RFC 7617. A secret without a password is none.
    """
    authorization = header(headers, "Authorization")
    if authorization is None:
        raise InvalidSignatureError("there is no Authorization header; set user and password at the git host's webhook")
    credentials = _BASIC.fullmatch(authorization)
    decoded = strict_base64(credentials[1]) if credentials else None
    if decoded is None:
        raise InvalidSignatureError("Authorization must be Basic and base64 of user:password, once")
    if not _is_any([secret for secret in secrets if all(secret.partition(":"))], decoded):
        raise InvalidSignatureError("Authorization gives no user:password of this source")


def strict_base64(text: str) -> bytes | None:
    """Decode base64 of RFC 4648 with its padding; None for anything else, white space included."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_any(secrets: Sequence[str], proof: bytes) -> bool:
    return any(hmac.compare_digest(secret.encode(), proof) for secret in secrets if secret)
