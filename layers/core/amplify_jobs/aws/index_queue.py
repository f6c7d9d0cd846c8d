"""The queue of the index (SQS): what is written there is for lists that people read, and nothing waits for it."""

from __future__ import annotations

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import ServiceTrouble

_SEND_MESSAGE = JsonOperation("sqs", "AmazonSQS.SendMessage", "1.0", proof="MessageId", expendable=True)


class IndexQueue:
    """Puts messages into the queue."""

    def __init__(self, aws: AwsHttp, url: str) -> None:
        self._aws = aws
        self._url = url

    def put(self, message: str) -> None:
        """Store a message, with one attempt. Raises ServiceTrouble."""
        try:
            self._aws.call(_SEND_MESSAGE, {"QueueUrl": self._url, "MessageBody": message})
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"SQS refused SendMessage on the queue of the index: {refusal}") from None
