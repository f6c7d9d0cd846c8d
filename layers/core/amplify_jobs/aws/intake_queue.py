"""The intake queue: what came in while a service failed that its processing needs. A FIFO queue of SQS.

Messages of one group, that is of one repository, come out in the order in which they went in. What is too large for a
message lies in the bucket, and the message says where.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from amplify_jobs.aws.fifo_queue import FifoQueue
from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.events.event import digest
from amplify_jobs.events.payload import Payload

# How long a message that could not be processed is hidden, by the number of times that it was received: an outage of
# seconds costs seconds, and one of hours not a call every second.
FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 300
# What is larger lies in the bucket; SQS bills each 64 KiB as a request, and takes 1 MiB.
MESSAGE_LIMIT = 200_000
LARGEST_MESSAGE = 1_048_576


class IntakeQueue:
    """Puts messages into the queue, reads what lies beside it, and hides messages that have to wait longer."""

    def __init__(self, aws: AwsHttp, url: str, bucket: str) -> None:
        self._aws = aws
        self._queue = FifoQueue(aws, url, "the intake queue")
        self._bucket = bucket

    def put(self, message: str, group: Sequence[str | None], identity: str) -> None:
        """Store a message; one of the same identity within five minutes is stored once.

        Messages of one group keep their order. Raises ServiceTrouble.
        """
        body = message if len(message.encode()) <= MESSAGE_LIMIT else self._with_stored_message(message, identity)
        self._queue.send(body, group=digest(list(group)), identity=identity)

    def read(self, body: str) -> str:
        """The message that was put, of an SQS message's body: the body itself, or the object that it names.

        Raises ServiceTrouble.
        """
        try:
            key = Payload(json.loads(body)).member("storedAt")
        except ValueError:
            return body
        if not isinstance(key, str):
            return body
        try:
            stored = self._aws.get_object(self._bucket, key, None)
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"the object of a message in the intake queue can't be read: {refusal}") from None
        if stored is None:
            raise ServiceTrouble(f"s3://{self._bucket}/{key} was not read")
        return stored[0].decode()

    def hide(self, receipt_handle: str, receive_count: int) -> None:
        """Hide a message: the more often it was received, the longer. Raises ServiceTrouble."""
        seconds = min(FIRST_WAIT_SECONDS * 2 ** min(receive_count - 1, 10), LONGEST_WAIT_SECONDS)
        self._queue.hide(receipt_handle, seconds)

    def _with_stored_message(self, message: str, identity: str) -> str:
        key = f"requests/intake/{hashlib.sha256(identity.encode()).hexdigest()}.json"
        try:
            self._aws.put_object(self._bucket, key, message.encode())
        except (AwsRefusalError, ServiceTrouble) as trouble:
            if len(message.encode()) > LARGEST_MESSAGE:
                raise ServiceTrouble(f"a large message can't be stored: {trouble}") from None
            return message
        return json.dumps({"version": "1", "storedAt": key})
