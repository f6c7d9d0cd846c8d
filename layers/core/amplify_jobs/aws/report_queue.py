"""The queue of reports: a FIFO queue of SQS, in which the reports about one subject keep their order."""

from __future__ import annotations

import hashlib
import json

from amplify_jobs.aws.fifo_queue import FifoQueue
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.reporting.planning import Plan
from amplify_jobs.reporting.report import Report


class ReportQueue:
    """Puts reports into the queue, and hides those that have to wait."""

    def __init__(self, aws: AwsHttp, url: str) -> None:
        self._queue = FifoQueue(aws, url, "the queue of reports")

    def put(self, plan: Plan, report: Report) -> None:
        """Store a report; the same one within five minutes is stored once. Raises ServiceTrouble."""
        body = {
            "version": "1",
            "target": plan.target,
            "subject": plan.subject,
            "lane": plan.lane,
            "detailType": report.detail_type.value,
            "detail": report.detail.model_dump(mode="json", by_alias=True),
        }
        identity = f"{plan.group} {report.request_id} {report.version.sequence} {report.outcome}"
        self._queue.send(
            json.dumps(body, ensure_ascii=False, separators=(",", ":")),
            group=plan.whole_lane.group,
            identity=hashlib.sha256(identity.encode()).hexdigest(),
        )

    def hide(self, receipt_handle: str, seconds: int) -> None:
        """Hide a message until it is to be tried again. Raises ServiceTrouble."""
        self._queue.hide(receipt_handle, seconds)
