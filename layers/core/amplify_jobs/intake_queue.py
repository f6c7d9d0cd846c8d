"""The intake queue: events that were let in while routes or Step Functions failed. A FIFO queue of SQS.

Messages of one group, that is of one repository, come out in the order in which they went in.
"""

from __future__ import annotations

from collections.abc import Mapping

from amplify_jobs.aws_http import AwsHttp, AwsRefusal
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.events import Event, digest

# How long a message that could not be processed is hidden, by the number of times that it was received: an outage of
# seconds costs seconds, and one of hours not a call every second.
FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 300


class IntakeQueue:
    """Puts events into the queue, and hides those that have to wait longer."""

    def __init__(self, aws: AwsHttp, url: str) -> None:
        self._aws = aws
        self._url = url

    def put(self, event: Event, body: str) -> None:
        """Store an event; the same event again within five minutes is stored once. Raises ServiceTrouble."""
        parameters = {
            "QueueUrl": self._url,
            "MessageBody": body,
            "MessageGroupId": digest(_line(event)),
            "MessageDeduplicationId": event.digest,
        }
        self._call("SendMessage", parameters, proof="MessageId")

    def hide(self, receipt: str, received: int) -> None:
        """Hide a message that was received so many times until it is to be tried again. Raises ServiceTrouble."""
        seconds = min(FIRST_WAIT_SECONDS * 2 ** min(received - 1, 10), LONGEST_WAIT_SECONDS)
        parameters = {"QueueUrl": self._url, "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        # It answers nothing: a message that was not hidden is only tried again sooner.
        self._call("ChangeMessageVisibility", parameters, proof=None)

    def _call(self, operation: str, parameters: Mapping[str, object], *, proof: str | None) -> None:
        try:
            self._aws.call("sqs", f"AmazonSQS.{operation}", "1.0", parameters, proof=proof)
        except AwsRefusal as refusal:
            raise ServiceTrouble(f"SQS refused {operation} on the intake queue: {refusal}") from None


def _line(event: Event) -> list[str | None]:
    """What must stay in order: what comes of one repository, or into one bucket, or of one schedule."""
    bucket = event.object.bucket if event.object else None
    route = event.schedule.route if event.schedule else None
    return [event.host, event.repository, bucket, route]
