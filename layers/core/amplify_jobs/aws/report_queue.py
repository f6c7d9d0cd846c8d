"""The queue of reports: a FIFO queue of SQS, in which the reports about one subject keep their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.planning import Plan
from amplify_jobs.reporting.report import Report


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
        self._call("SendMessage", parameters, proof="MessageId")

    def hide(self, receipt: str, seconds: int) -> None:
        """Hide a message until it is to be tried again. Raises ServiceTrouble."""
        parameters = {"QueueUrl": self._url, "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        # It answers nothing: a message that was not hidden is only tried again sooner.
        self._call("ChangeMessageVisibility", parameters, proof=None)

    def _call(self, operation: str, parameters: Mapping[str, Any], *, proof: str | None) -> None:
        try:
            self._aws.call("sqs", f"AmazonSQS.{operation}", "1.0", parameters, proof=proof, last_resort=True)
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"SQS refused {operation} on the queue of reports: {refusal}") from None
