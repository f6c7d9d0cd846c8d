"""The intake queue: what came in while a service failed that its processing needs. A FIFO queue of SQS.

Messages of one group, that is of one repository, come out in the order in which they went in. What is too large for a
message lies in the bucket, and the message says where.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

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
        self._url = url
        self._bucket = bucket

    def put(self, body: str, group: Sequence[str | None], identity: str) -> None:
        """Store a message; one of the same identity within five minutes is stored once.

        Messages of one group keep their order. Raises ServiceTrouble.
        """
        message = body if len(body.encode()) <= MESSAGE_LIMIT else self._kept(body, identity)
        parameters = {
            "QueueUrl": self._url,
            "MessageBody": message,
            "MessageGroupId": digest(list(group)),
            "MessageDeduplicationId": identity,
        }
        self._call("SendMessage", parameters, proof="MessageId")

    def body_of(self, message: str) -> str:
        """What was put: the message itself, or the object that it names. Raises ServiceTrouble."""
        try:
            key = Payload(json.loads(message)).member("storedAt")
        except ValueError:
            return message
        if not isinstance(key, str):
            return message
        try:
            found = self._aws.get_object(self._bucket, key, None)
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"what a message of the intake queue names can't be read: {refusal}") from None
        if found is None:
            raise ServiceTrouble(f"s3://{self._bucket}/{key} was not read")
        return found[0].decode()

    def hide(self, receipt: str, received: int) -> None:
        """Hide a message that was received so many times until it is to be tried again. Raises ServiceTrouble."""
        seconds = min(FIRST_WAIT_SECONDS * 2 ** min(received - 1, 10), LONGEST_WAIT_SECONDS)
        parameters = {"QueueUrl": self._url, "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        # It answers nothing: a message that was not hidden is only tried again sooner.
        self._call("ChangeMessageVisibility", parameters, proof=None)

    def _kept(self, body: str, identity: str) -> str:
        key = f"requests/intake/{hashlib.sha256(identity.encode()).hexdigest()}.json"
        try:
            self._aws.put_object(self._bucket, key, body.encode())
        except (AwsRefusalError, ServiceTrouble) as trouble:
            if len(body.encode()) > LARGEST_MESSAGE:
                raise ServiceTrouble(f"a large message can't be kept: {trouble}") from None
            return body
        return json.dumps({"version": "1", "storedAt": key})

    def _call(self, operation: str, parameters: Mapping[str, object], *, proof: str | None) -> None:
        try:
            self._aws.call("sqs", f"AmazonSQS.{operation}", "1.0", parameters, proof=proof, last_resort=True)
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"SQS refused {operation} on the intake queue: {refusal}") from None
