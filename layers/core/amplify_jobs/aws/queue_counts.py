"""How many messages wait in queues (API: SQS GetQueueAttributes)."""

from __future__ import annotations

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import ServiceTrouble

_GET_ATTRIBUTES = JsonOperation("sqs", "AmazonSQS.GetQueueAttributes", "1.0", proof="Attributes")
_COUNT = "ApproximateNumberOfMessages"


def count_messages(aws: AwsHttp, url: str) -> int | None:
    """Count the messages that nobody works on; None if SQS does not tell."""
    try:
        answer = aws.call(_GET_ATTRIBUTES, {"QueueUrl": url, "AttributeNames": [_COUNT]})
        return int(answer["Attributes"][_COUNT])
    except (AwsRefusalError, ServiceTrouble, KeyError, TypeError, ValueError):
        return None
