"""Accepting deliveries: their events are processed at once, or wait in the intake queue while a service fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from amplify_jobs.errors import NotSetUpError, RetryableError, ServiceTrouble
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.intake.message import Origin, QueuedEvent, UnverifiedDelivery, queued_events, reasons_to_ignore
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.intake.protocols import Queue
from amplify_jobs.intake.record import DecidedEvent, DeliveryLog, delivery_record
from amplify_jobs.intake.result import IntakeResult
from amplify_jobs.intake.verify import Verifier
from amplify_jobs.observability import function_metrics
from amplify_jobs.routing.matching import Ignored

logger = Logger(child=True)
metrics = function_metrics()


class Intake:
    """Accepts deliveries whose sender is known; the queue takes the events that can't be processed now."""

    def __init__(self, processor: EventProcessor, queue: Queue, log: DeliveryLog) -> None:
        self._processor = processor
        self._queue = queue
        self._log = log

    def accept(self, delivery: Delivery, origin: Origin, trouble: RetryableError | None = None) -> IntakeResult:
        """Process a delivery's events, or defer them: from the first that fails on, or all if there is trouble already.

        Raises ServiceTrouble if the queue fails too.
        """
        result = IntakeResult(events=[event.for_answer() for event in delivery.events])
        reasons = reasons_to_ignore(delivery)
        result.ignored += [asdict(Ignored(None, reason)) for reason in reasons]
        events = queued_events(delivery, origin)
        decided: list[DecidedEvent] = []
        try:
            if trouble is not None and events:
                raise trouble
            for event in events:
                decisions = self._processor.process(event, result)
                decided.append(DecidedEvent(event.event, decisions))
        except RetryableError as error:
            # The rest would meet the same trouble, only later than the sender waits for its answer.
            waiting = events[len(decided) :]
            self._defer(waiting, error, result)
            decided += [DecidedEvent(each.event, None) for each in waiting]
        logger.info(
            "Delivery accepted",
            extra={
                # The one by which the source's host knows it.
                "delivery_id": origin.delivery_id,
                "requests": len(result.requests),
                "ignored": len(result.ignored),
                "deferred": len(result.deferred),
                # An event of EventBridge's has no sender who reads the answer.
                **({"reason": delivery.ignored} if delivery.ignored else {}),
            },
        )
        self._log.write(delivery_record(origin, decided, reasons))
        return result

    def _defer(self, events: Sequence[QueuedEvent], trouble: RetryableError, result: IntakeResult) -> None:
        logger.error("Deferred to the intake queue", extra={"reason": str(trouble), "events": len(events)})
        for queued in events:
            event = queued.event
            self._put(queued)
            result.deferred.append({"kind": event.kind, "repository": event.repository, "ref": event.ref})
        metrics.add_metric("EventsDeferred", MetricUnit.Count, len(events))

    def _put(self, queued: QueuedEvent) -> None:
        event = queued.event
        try:
            self._queue.put(queued.model_dump_json(by_alias=True), queued.group, event.digest)
        except ServiceTrouble:
            if event.changed_files is None:
                raise
            # Nothing else can be large. Without them, its files are unknown, and routes with paths build.
            small = queued.model_copy(update={"event": event.model_copy(update={"changed_files": None})})
            self._queue.put(small.model_dump_json(by_alias=True), queued.group, event.digest)


class WebhookIntake:
    """Accepts deliveries of git hosts; one that can't be verified now waits in the queue as it came."""

    def __init__(self, verifier: Verifier, intake: Intake, queue: Queue) -> None:
        self._verifier = verifier
        self._intake = intake
        self._queue = queue

    def accept(self, unverified: UnverifiedDelivery) -> IntakeResult:
        """Verify and process a delivery.

        Raises DeliveryRefusedError, NotSetUpError, and ServiceTrouble if the queue fails too.
        """
        try:
            verified = self._verifier.verify(unverified)
        except NotSetUpError:
            raise
        except ServiceTrouble as trouble:
            return self._defer(unverified, trouble)
        return self._intake.accept(verified.delivery, verified.origin, verified.trouble)

    def _defer(self, unverified: UnverifiedDelivery, trouble: ServiceTrouble) -> IntakeResult:
        logger.error("Deferred to the intake queue, unverified", extra={"reason": str(trouble)})
        message = unverified.model_dump_json(by_alias=True)
        self._queue.put(message, ["unverified", unverified.source], unverified.identity)
        metrics.add_metric("DeliveriesUnverified", MetricUnit.Count, 1)
        return IntakeResult(deferred=[{"kind": "delivery", "repository": None, "ref": None}])
