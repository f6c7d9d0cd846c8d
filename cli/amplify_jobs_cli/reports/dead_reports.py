"""Reports that wait or were given up: the queue of reports, and its dead-letter queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from pydantic import ValidationError

from amplify_jobs.aws.clients import client_config
from amplify_jobs.reporting.batch import ReportMessage
from amplify_jobs_cli.aws_calls import aws_call

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_CONFIG = client_config(attempts=3, connect_timeout=3, read_timeout=25)
_HIDDEN_SECONDS = 60
_COUNTS: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


@dataclass(frozen=True)
class DeadReport:
    """A report that was given up; `message` is None for what is no report."""

    receipt: str
    message_id: str
    group: str
    sent_at: datetime
    body: str
    message: ReportMessage | None

    @property
    def target(self) -> str | None:
        return self.message.target if self.message else None

    def text(self) -> str:
        """One line for people."""
        if self.message is None:
            return f"{self.sent_at:%Y-%m-%d %H:%M:%S}  unknown message"
        request = self.message.detail.get("requestId", "")
        return f"{self.sent_at:%Y-%m-%d %H:%M:%S}  {self.message.target}: {self.message.detail_type} of {request}"

    def as_json(self) -> dict[str, Any]:
        """The members of a report in `reports list --json`."""
        message = self.message
        return {
            "sentAt": self.sent_at.isoformat(),
            "target": message and message.target,
            "detailType": message and message.detail_type,
            "requestId": message and message.detail.get("requestId"),
        }


class ReportQueues:
    """The queue of reports and its dead-letter queue. Every method raises ServiceTrouble naming what did not work."""

    def __init__(self, session: boto3.Session, *, queue_url: str, dead_letter_queue_url: str) -> None:
        self._sqs = session.client("sqs", config=_CONFIG)
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    def waiting(self) -> int:
        """How many reports are on their way, or wait to be tried again."""
        with aws_call("the queue of reports can't be read"):
            attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=_COUNTS)["Attributes"]
            return sum(int(attributes[name]) for name in _COUNTS)

    def dead_reports(self) -> list[DeadReport]:
        """Those that were given up, at most ten about one subject; they stay, and others see them at once."""
        reports = list(self._take())
        with aws_call("the dead-letter queue of reports can't be read"):
            for report in reports:
                self._sqs.change_message_visibility(
                    QueueUrl=self._dead_letter_queue_url, ReceiptHandle=report.receipt, VisibilityTimeout=0
                )
        return reports

    def send_again(self, target: str | None) -> Iterator[DeadReport]:
        """Put reports, all or those to a target, back into the queue in their order, and give each that was."""
        left = []
        for report in self._take():
            if report.message is None or target not in (None, report.message.target):
                left.append(report)
                continue
            with aws_call("a report can't be put back into its queue"):
                self._sqs.send_message(
                    QueueUrl=self._queue_url,
                    MessageBody=report.body,
                    MessageGroupId=report.group,
                    # The same report again, if it can't be deleted below, counts once.
                    MessageDeduplicationId=report.message_id,
                )
            with aws_call("a report that was put back can't be taken out of the dead-letter queue"):
                self._sqs.delete_message(QueueUrl=self._dead_letter_queue_url, ReceiptHandle=report.receipt)
            yield report
        with aws_call("the dead-letter queue of reports can't be read"):
            for report in left:
                self._sqs.change_message_visibility(
                    QueueUrl=self._dead_letter_queue_url, ReceiptHandle=report.receipt, VisibilityTimeout=0
                )

    def _take(self) -> Iterator[DeadReport]:
        """Read and hide what there is. Further reports about a subject come once those before it are deleted."""
        seen: set[str] = set()
        while True:
            with aws_call("the dead-letter queue of reports can't be read"):
                answer = self._sqs.receive_message(
                    QueueUrl=self._dead_letter_queue_url,
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    # A long poll asks all of SQS's servers, a short one only some of them.
                    WaitTimeSeconds=1,
                    MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId"],
                )
                new = [
                    _dead_report(message) for message in answer.get("Messages", ()) if message["MessageId"] not in seen
                ]
            if not new:
                return
            seen.update(report.message_id for report in new)
            yield from new


def _dead_report(message: MessageTypeDef) -> DeadReport:
    try:
        read = ReportMessage.model_validate_json(message["Body"])
    except ValidationError:
        read = None
    attributes = message["Attributes"]
    sent_at = datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC)
    group = attributes["MessageGroupId"]
    return DeadReport(message["ReceiptHandle"], message["MessageId"], group, sent_at, message["Body"], read)
