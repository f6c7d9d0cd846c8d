"""Batches of the queue of reports: each subject's reports are sent in their order, by Powertools' batch processor."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.observability import function_metrics
from amplify_jobs.reporting.destination import Destination, current_destinations
from amplify_jobs.reporting.outcome import Queue as IndexQueue
from amplify_jobs.reporting.outcome import ReportOutcome, write_outcome
from amplify_jobs.reporting.planning import Plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.sending import ReportRetryError, Result, Sender, pause_seconds
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.text import presentable

logger = Logger(child=True)
metrics = function_metrics()


class ReportMessage(GrowingModel):
    """A message of the queue of reports."""

    version: Literal["1"] = "1"
    target: str
    subject: str
    lane: str | None = None
    detail_type: str
    detail: dict[str, Any]


class Queue(Protocol):
    """The queue of reports; aws.report_queue.ReportQueue."""

    def hide(self, receipt_handle: str, seconds: int) -> None: ...


class ReportBatch:
    """Sends the reports of a batch. One that has to wait holds up its own subject alone."""

    def __init__(self, routes: CurrentRoutes, sender: Sender, queue: Queue, index: IndexQueue) -> None:
        self._routes = routes
        self._sender = sender
        self._queue = queue
        self._index = index

    def process(self, batch: dict[str, Any]) -> PartialItemFailureResponse:
        """Send a batch, and name the messages that are to come again; each is hidden for its own pause."""
        records = SqsFifoPartialProcessor(skip_group_on_error=True)
        records.raise_on_entire_batch_failure = False
        return process_partial_response(event=batch, record_handler=self._process_record, processor=records)

    def _process_record(self, record: SQSRecord) -> None:
        try:
            self._send(ReportMessage.model_validate_json(record.body))
        except (ReportRetryError, ServiceTrouble) as trouble:
            after_seconds = trouble.after_seconds if isinstance(trouble, ReportRetryError) else None
            self._hide(record, after_seconds)
            metrics.add_metric("ReportsDelayed", MetricUnit.Count, 1)
            logger.warning("A report has to wait", extra={"id": record.message_id, "reason": str(trouble)})
            raise
        except Exception as error:
            # pydantic's text would repeat the message.
            self._hide(record, None)
            logger.error("A report can't be sent", extra={"id": record.message_id, "error": type(error).__name__})  # noqa: TRY400
            raise

    def _send(self, message: ReportMessage) -> None:
        destinations = {destination.name: destination for destination in current_destinations(self._routes)}
        destination = destinations.get(message.target)
        logger.append_keys(target=message.target)
        if destination is None:
            logger.info("The target is no longer in the routes")
            return
        report = Report.from_event(message.detail_type, message.detail)
        logger.append_keys(**report.log_keys())
        plan = Plan(message.target, message.subject, message.lane)
        try:
            outcome = self._sender.send(destination, plan, report)
        except (ReportRetryError, ServiceTrouble) as trouble:
            self._write_outcome(destination, plan, report, state="waiting", text=str(trouble))
            raise
        state = outcome.result.value
        self._write_outcome(destination, plan, report, state=state, text=outcome.reason or report.state.value)
        metrics.add_metric(f"Reports{state.capitalize()}", MetricUnit.Count, 1)
        logger.info("Report handled", extra={"result": state})
        if outcome.result is Result.REFUSED:
            logger.warning("A target refused a report", extra={"reason": presentable(outcome.reason or "")})

    def _write_outcome(self, destination: Destination, plan: Plan, report: Report, *, state: str, text: str) -> None:
        outcome = ReportOutcome(
            request_id=report.request_id,
            target=plan.target,
            kind=destination.target.kind,
            subject=plan.subject,
            state=state,
            at=datetime.now(UTC),
            text=presentable(text),
        )
        write_outcome(self._index, outcome)

    def _hide(self, record: SQSRecord, after_seconds: float | None) -> None:
        attempt = int(record.attributes.approximate_receive_count)
        try:
            self._queue.hide(record.receipt_handle, pause_seconds(attempt, after_seconds, random.random()))  # noqa: S311 -- jitter
        except ServiceTrouble as trouble:
            logger.warning("The visibility timeout of the queue is used", extra={"reason": str(trouble)})
