"""Names that a host limits: a longer one keeps its beginning, and a digest tells it from others."""

from __future__ import annotations

import hashlib

_DIGEST_LENGTH = 32


def distinct_name(name: str, limit: int) -> str:
    """A name of at most `limit` characters, at least 33; different names stay different."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{name[: limit - _DIGEST_LENGTH - 1]}-{digest}"
