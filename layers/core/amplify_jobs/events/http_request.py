"""HTTP API payloads, format 2.0: a request whose body is bytes again, and answers in JSON.

Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from amplify_jobs.errors import DeliveryTooLargeError, UnreadableDeliveryError
from amplify_jobs.model.base import GrowingModel

# API Gateway takes 10 MB, but a function's input, with the body as a JSON text or as base64, may have 6 MB: AWS itself
# refuses about 5.6 MB of JSON and 4.4 MB of a form, without a line in our log. docs/git-hosts.md says so too.
LARGEST_BODY = 5 * 1024 * 1024


class PathParameters(GrowingModel):
    """The variable parts of the route /webhooks/{source}."""

    source: str


class RequestContext(GrowingModel):
    """What API Gateway knows of a request: its id in the access log, and when it came, in milliseconds since 1970."""

    request_id: str | None = None
    time_epoch: float = 0


class HttpApiRequest(GrowingModel):
    """A request to the webhook route, as API Gateway hands it to the function."""

    path_parameters: PathParameters
    headers: dict[str, str]
    body: str | None = None
    is_base64_encoded: bool = False
    request_context: RequestContext = Field(default_factory=RequestContext)

    def decoded_body(self) -> bytes:
        """The body's bytes as the sender wrote them. Raises DeliveryTooLargeError, UnreadableDeliveryError."""
        content = self.body or ""
        try:
            body = base64.b64decode(content, validate=True) if self.is_base64_encoded else content.encode()
        except (binascii.Error, ValueError):
            raise UnreadableDeliveryError("the body can't be decoded") from None
        if len(body) > LARGEST_BODY:
            raise DeliveryTooLargeError(f"the body has {len(body)} bytes; at most {LARGEST_BODY} (5 MiB) are accepted")
        return body

    def waiting_seconds(self, now: float) -> float:
        """How long the sender has been waiting for its answer at `now`, in seconds since 1970."""
        return max(now - self.request_context.time_epoch / 1000, 0)


def answer(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An answer with a JSON body."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": json.dumps(content, ensure_ascii=False),
    }
