"""Signatures over bodies, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence


def hmac_sha256_hex(secret: str, body: bytes) -> str:
    """Sign a body: HMAC-SHA256 in lower-case hexadecimal digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed_by_any(secrets: Sequence[str], body: bytes, signature: str) -> bool:
    """Say whether one of the secrets made this hexadecimal HMAC-SHA256; an empty secret made none."""
    given = signature.encode()
    return any(hmac.compare_digest(hmac_sha256_hex(secret, body).encode(), given) for secret in secrets if secret)
