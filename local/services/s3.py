"""Amazon S3: moto keeps the objects, this raises the event "Object Created" where a bucket sends its events on.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html. Of S3's events it is the only one here. moto would
deliver inside itself, and does not get to know that a bucket sends events to EventBridge.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from moto.s3.models import s3_backends
from werkzeug.wrappers import Request, Response

from local.server.protocol.match import operation_name, raw_path
from local.services.moto import ACCOUNT, MotoBackend, with_body

CREATING = ("PutObject", "CopyObject", "CompleteMultipartUpload")
"""The operations that end in an object; the event names them as its reason."""

TO_EVENTBRIDGE = re.compile(rb"<EventBridgeConfiguration\s*(?:/>|>\s*</EventBridgeConfiguration>)")
END = b"</NotificationConfiguration>"


class S3Service:
    """The buckets of one account; `emit` puts events on the default bus."""

    def __init__(self, moto: MotoBackend, emit: Callable[[Mapping[str, Any]], object]) -> None:
        self._moto = moto
        self._emit = emit
        self._lock = threading.Lock()
        self._notifying_buckets: set[str] = set()
        self._last = 0

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call, signed or not; raises ServiceError."""
        operation = operation_name(service, request)
        # In the path style, the only one that the endpoint knows.
        bucket, _, key = unquote(raw_path(request)).removeprefix("/").partition("/")
        match operation:
            # Their older names share their addresses.
            case "PutBucketNotificationConfiguration" | "PutBucketNotification":
                return self._configure(service, request, bucket)
            case "GetBucketNotificationConfiguration" | "GetBucketNotification":
                return self._configuration(service, request, bucket)
        response = self._moto.handle(service, request)
        if operation in CREATING and response.status_code == 200 and bucket in self._notifying_buckets:
            self._created(bucket, key, operation, request, response)
        if operation == "DeleteBucket" and response.status_code < 300:
            self._notifying_buckets.discard(bucket)
        return response

    def _configure(self, service: str, request: Request, bucket: str) -> Response:
        body = request.get_data()
        without = with_body(request, TO_EVENTBRIDGE.sub(b"", body))
        response = self._moto.handle(service, without)
        if response.status_code == 200:
            sends = TO_EVENTBRIDGE.search(body) is not None
            (self._notifying_buckets.add if sends else self._notifying_buckets.discard)(bucket)
        return response

    def _configuration(self, service: str, request: Request, bucket: str) -> Response:
        response = self._moto.handle(service, request)
        if response.status_code == 200 and bucket in self._notifying_buckets:
            body = response.get_data()
            completed = body.replace(END, b"<EventBridgeConfiguration/>" + END)
            # moto answers nothing at all for a bucket without a configuration of its own.
            response.set_data(
                completed if END in body else b"<NotificationConfiguration><EventBridgeConfiguration/>" + END
            )
        return response

    def _created(self, bucket: str, key: str, reason: str, request: Request, response: Response) -> None:
        stored: Any = s3_backends[ACCOUNT]["aws"].get_object(bucket, key)
        if stored is None:
            return
        described = {"key": key, "size": stored.size, "etag": stored.etag.strip('"'), "sequencer": self._sequencer()}
        if stored.version_id not in {None, "null"}:
            described["version-id"] = response.headers.get("x-amz-version-id", stored.version_id)
        detail = {
            "version": "0",
            "bucket": {"name": bucket},
            "object": described,
            "request-id": uuid4().hex[:16].upper(),
            "requester": ACCOUNT,
            "source-ip-address": request.remote_addr or "127.0.0.1",
            "reason": reason,
        }
        event = {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "resources": [f"arn:aws:s3:::{bucket}"],
            "detail": detail,
        }
        self._emit(event)

    def _sequencer(self) -> str:
        """Text that grows with every write; moto has no such thing."""
        with self._lock:
            self._last = max(time.time_ns(), self._last + 1)
            return f"{self._last:018X}"
