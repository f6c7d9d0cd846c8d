"""The queue of reports: a FIFO queue of SQS, in which the reports about one subject keep their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from amplify_jobs.aws.signed_http import LAST_RESORT_SECONDS, AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.planning import Plan
from amplify_jobs.reporting.report import Report

_SEND_MESSAGE = JsonOperation("sqs", "AmazonSQS.SendMessage", "1.0", proof="MessageId", patience=LAST_RESORT_SECONDS)
# It answers nothing: a message that was not hidden is only tried again sooner.
_CHANGE_VISIBILITY = JsonOperation(
    "sqs", "AmazonSQS.ChangeMessageVisibility", "1.0", proof=None, patience=LAST_RESORT_SECONDS
)


class ReportQueue:
    """Puts reports into the queue, and hides those that have to wait."""

    def __init__(self, aws: AwsHttp, url: str) -> None:
        self._aws = aws
        self._url = url

    def put(self, plan: Plan, report: Report) -> None:
        """Store a report; the same one within five minutes is stored once. Raises ServiceTrouble."""
        body = {
            "version": "1",
            "target": plan.target,
            "subject": plan.subject,
            "detailType": report.detail_type.value,
            "detail": report.detail.model_dump(mode="json", by_alias=True),
        }
        identity = f"{plan.group} {report.request_id} {report.version.sequence} {report.outcome}"
        parameters = {
            "QueueUrl": self._url,
            "MessageBody": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
            "MessageGroupId": plan.group,
            "MessageDeduplicationId": hashlib.sha256(identity.encode()).hexdigest(),
        }
        self._call(_SEND_MESSAGE, parameters)

    def hide(self, receipt: str, seconds: int) -> None:
        """Hide a message until it is to be tried again. Raises ServiceTrouble."""
        parameters = {"QueueUrl": self._url, "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        self._call(_CHANGE_VISIBILITY, parameters)

    def _call(self, operation: JsonOperation, parameters: Mapping[str, Any]) -> None:
        try:
            self._aws.call(operation, parameters)
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"SQS refused {operation.target} on the queue of reports: {refusal}") from None
