"""HTTP API payloads, format 2.0: the request's body as it was sent, and answers in JSON.

Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from typing import Any

from amplify_jobs.errors import DeliveryTooLargeError, UnreadableDeliveryError

# API Gateway takes 10 MB, but a function's input, with the body as a JSON text or as base64, may have 6 MB: AWS itself
# refuses about 5.6 MB of JSON and 4.4 MB of a form, without a line in our log. docs/git-hosts.md says so too.
LARGEST_BODY = 5 * 1024 * 1024


def body_of(event: Mapping[str, Any]) -> bytes:
    """The body's bytes as the sender wrote them. Raises DeliveryTooLargeError, UnreadableDeliveryError."""
    content = event.get("body") or ""
    try:
        body = base64.b64decode(content, validate=True) if event.get("isBase64Encoded") else content.encode()
    except (binascii.Error, ValueError):
        raise UnreadableDeliveryError("the body can't be decoded") from None
    if len(body) > LARGEST_BODY:
        raise DeliveryTooLargeError(f"the body has {len(body)} bytes; at most {LARGEST_BODY} (5 MiB) are taken")
    return body


def waiting_seconds(event: Mapping[str, Any], now: float) -> float:
    """How long a sender has been waiting for its answer at `now`, in seconds since 1970; forever if nobody knows."""
    arrived = event.get("requestContext", {}).get("timeEpoch")
    return max(now - arrived / 1000, 0) if isinstance(arrived, int | float) else math.inf


def answer(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An answer with a JSON body."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": json.dumps(content, ensure_ascii=False),
    }
