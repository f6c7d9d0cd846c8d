"""A FIFO queue of SQS: messages of one group come out in the order in which they went in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amplify_jobs.aws.signed_http import LAST_RESORT_SECONDS, AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import ServiceTrouble

_SEND_MESSAGE = JsonOperation("sqs", "AmazonSQS.SendMessage", "1.0", proof="MessageId", patience=LAST_RESORT_SECONDS)
# It answers nothing: a message that was not hidden is only tried again sooner.
_CHANGE_VISIBILITY = JsonOperation(
    "sqs", "AmazonSQS.ChangeMessageVisibility", "1.0", proof=None, patience=LAST_RESORT_SECONDS
)


@dataclass(frozen=True)
class FifoQueue:
    """Sends messages and hides them; `name` is what errors call the queue. Both methods raise ServiceTrouble."""

    aws: AwsHttp
    url: str
    name: str

    def send(self, body: str, *, group: str, identity: str) -> None:
        """Store a message; one of the same identity within five minutes is stored once."""
        message = {"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": identity}
        self._call(_SEND_MESSAGE, message)

    def hide(self, receipt_handle: str, seconds: int) -> None:
        """Hide a message until it is to be tried again."""
        self._call(_CHANGE_VISIBILITY, {"ReceiptHandle": receipt_handle, "VisibilityTimeout": seconds})

    def _call(self, operation: JsonOperation, parameters: Mapping[str, Any]) -> None:
        try:
            self.aws.call(operation, {"QueueUrl": self.url, **parameters})
        except AwsRefusalError as refusal:
            name = operation.target.rpartition(".")[2]
            raise ServiceTrouble(f"SQS refused {name} on {self.name}: {refusal}") from None
