"""Draining the intake queue: batches of a FIFO queue are processed in their order, by Powertools' batch processor.

An event source mapping hands them over with ReportBatchItemFailures (Lambda Developer Guide, "Implementing partial
batch responses").
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from amplify_jobs.errors import DeliveryRefusedError, RetryableError, ServiceTrouble, UnreadableMessageError
from amplify_jobs.intake.message import Origin, QueuedEvent, parse_message, queued_events, reasons_to_ignore
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.intake.protocols import Queue
from amplify_jobs.intake.record import DecidedEvent, DeliveryLog, delivery_record
from amplify_jobs.intake.result import IntakeResult
from amplify_jobs.intake.verify import Verifier
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_metrics

logger = Logger(child=True)
metrics = function_metrics()


class IntakeDrain:
    """Processes batches: a message that fails holds up its own group, and a service that fails holds up the batch."""

    def __init__(self, queue: Queue, verifier: Verifier, processor: EventProcessor, log: DeliveryLog) -> None:
        self._queue = queue
        self._log = log
        self._verifier = verifier
        self._processor = processor
        self._outage: RetryableError | None = None

    def process(self, batch: dict[str, Any]) -> PartialItemFailureResponse:
        """Process a batch and name the messages that failed. These are hidden, for longer after each failure."""
        self._outage = None
        # By group, or a message that can't be read would hold up the messages of all other repositories.
        processor = SqsFifoPartialProcessor(skip_group_on_error=True)
        # While a service fails, the whole batch fails; that is no error of this function.
        processor.raise_on_entire_batch_failure = False
        response = process_partial_response(event=batch, record_handler=self._process_record, processor=processor)
        self._hide([record for record in processor.fail_messages if isinstance(record, SQSRecord)])
        metrics.add_metric("EventsDrained", MetricUnit.Count, len(processor.success_messages))
        return response

    def _process_record(self, record: SQSRecord) -> None:
        if self._outage is not None:
            # This message would wait for the same service, and so would the next, until the function's time is over.
            raise self._outage
        try:
            with invalid_input_is(UnreadableMessageError):
                self._process_message(self._queue.read(record.body))
        except DeliveryRefusedError as refusal:
            metrics.add_metric("DeliveriesRejected", MetricUnit.Count, 1)
            logger.warning("Delivery refused", extra={"id": record.message_id, "reason": str(refusal)})
        except RetryableError as outage:
            self._outage = outage
            logger.warning("The intake queue has to wait", extra={"reason": str(outage)})
            raise
        except UnreadableMessageError as error:
            logger.error("A message is not an event", extra={"id": record.message_id, "reason": str(error)})  # noqa: TRY400 -- the reason says it all
            raise
        except Exception:
            # Powertools counts the message as failed, without a line in the log.
            logger.exception("A message can't be processed", extra={"id": record.message_id})
            raise

    def _process_message(self, text: str) -> None:
        message, reasons = parse_message(text), list[str]()
        if isinstance(message, QueuedEvent):
            origin, events = Origin(message.source, message.delivery_id, message.received_at), [message]
        else:
            verified = self._verifier.verify(message)
            if verified.trouble is not None:
                raise verified.trouble
            origin, events = verified.origin, queued_events(verified.delivery, verified.origin)
            reasons = reasons_to_ignore(verified.delivery)
        decided = [DecidedEvent(each.event, self._processor.process(each, IntakeResult())) for each in events]
        self._log.write(delivery_record(origin, decided, reasons))

    def _hide(self, records: list[SQSRecord]) -> None:
        receive_count = max((int(record.attributes.approximate_receive_count) for record in records), default=0)
        for record in records:
            try:
                self._queue.hide(record.receipt_handle, receive_count)
            except ServiceTrouble as trouble:
                logger.warning("The visibility timeout of the queue is used", extra={"reason": str(trouble)})
