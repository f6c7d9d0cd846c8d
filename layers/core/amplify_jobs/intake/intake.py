"""The door: decides by the routes what an event asks for, and starts it; nothing that came in is lost on the way.

receive_webhook and receive_event come through here alike, and so does what waits in the intake queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import AwareDatetime, ValidationError

from amplify_jobs.errors import DeliveryRefusedError, NotSetUpError, RetryableError, ServiceTrouble
from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Event, EventKind, request_id
from amplify_jobs.events.payload import Payload
from amplify_jobs.intake.verify import RawDelivery, Verifier, is_raw
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.model.validation import faults
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Ignored, Matched, asks_for_nothing, decide
from amplify_jobs.routing.request_limits import has_limits
from amplify_jobs.routing.routes import Routes

NO_ROUTES = Routes(routes={})
_EVENTS_OF_AWS = (EventKind.OBJECT, EventKind.SCHEDULE, EventKind.REQUEST)

logger = Logger(child=True)
metrics = Metrics()


class CurrentRoutes(Protocol):
    """Where the routes come from; aws.stored_routes.StoredRoutes does it."""

    def current(self, *, anew: bool = False) -> Routes: ...


class Executions(Protocol):
    """What starts an execution for a request; aws.executions.Executions does it."""

    def start(self, request: JobRequest) -> bool: ...


class Queue(Protocol):
    """The intake queue; aws.intake_queue.IntakeQueue does it."""

    def put(self, message: str, line: Sequence[str | None], identity: str) -> None: ...

    def body_of(self, body: str) -> str: ...

    def hide(self, receipt_handle: str, receive_count: int) -> None: ...


class QueuedEvent(GrowingModel):
    """An event that was let in, with what its requests say of where it came from; what waits in the intake queue."""

    version: Literal["1"] = "1"
    source: str
    delivery_id: str | None = None
    received_at: AwareDatetime
    event: Event


@dataclass
class IntakeResult:
    """What became of a delivery, in the words of the answer to it."""

    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    ignored: list[dict[str, Any]] = field(default_factory=list)
    deferred: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether anything is to come of it."""
        return bool(self.requests or self.deferred)


def is_batch(event: object) -> bool:
    """Whether a function's input is a batch of SQS messages (Lambda Developer Guide: Using Lambda with Amazon SQS)."""
    records = event.get("Records") if isinstance(event, dict) else None
    return isinstance(records, list) and all(Payload(record).member("eventSource") == "aws:sqs" for record in records)


class Intake:
    """Makes executions of events; `queue` takes those that can't become any now."""

    def __init__(self, routes: CurrentRoutes, executions: Executions, queue: Queue, verifier: Verifier) -> None:
        self._routes = routes
        self._executions = executions
        self._queue = queue
        self._verifier = verifier

    def receive(self, raw: RawDelivery) -> IntakeResult:
        """Verify a webhook's delivery and process it; while it can't be verified, it waits in the queue as it came.

        Raises DeliveryRefusedError, NotSetUpError, and ServiceTrouble if the queue fails too.
        """
        try:
            verified = self._verifier.verify(raw)
        except NotSetUpError:
            raise
        except ServiceTrouble as met:
            return self._defer_unverified(raw, met)
        return self.take(
            verified.delivery,
            source=raw.source,
            delivery_id=verified.delivery_id,
            received_at=raw.received_at,
            trouble=verified.trouble,
        )

    def take(
        self,
        delivery: Delivery,
        *,
        source: str,
        delivery_id: str | None,
        received_at: datetime,
        trouble: RetryableError | None = None,
    ) -> IntakeResult:
        """Process a delivery's events, or defer them: from the first on that fails, or all if there is trouble already.

        Raises ServiceTrouble if the queue fails too.
        """
        taken = IntakeResult(events=[happened.for_answer() for happened in delivery.events])
        if delivery.ignored:
            taken.ignored.append(asdict(Ignored(None, delivery.ignored)))
        reasons = filter(None, map(asks_for_nothing, delivery.events))
        taken.ignored += [asdict(Ignored(None, reason)) for reason in reasons]
        arrivals = _arrivals(delivery, source, delivery_id, received_at)
        done = 0
        try:
            if trouble is not None and arrivals:
                raise trouble
            for done, arrival in enumerate(arrivals):  # noqa: B007 -- how far it came
                self.process(arrival, taken)
        except RetryableError as met:
            # The rest would meet the same trouble, only later than the sender waits for its answer.
            self._defer(arrivals[done:], met, taken)
        logger.info(
            "Delivery taken",
            extra={
                # The one by which the source's host knows it.
                "delivery_id": delivery_id,
                "requests": len(taken.requests),
                "ignored": len(taken.ignored),
                "deferred": len(taken.deferred),
                # An event of EventBridge's has no sender who reads the answer.
                **({"reason": delivery.ignored} if delivery.ignored else {}),
            },
        )
        return taken

    def drain(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Process a batch of the queue in its order, and answer what is to come again (Lambda: partial batch response).

        After a failure everything behind it waits too: messages of one group must not overtake each other.
        """
        failed: list[Mapping[str, Any]] = []
        trouble = False
        for record in records:
            groups = {failure["attributes"]["MessageGroupId"] for failure in failed}
            if not trouble and record["attributes"]["MessageGroupId"] not in groups:
                try:
                    self._process_again(self._queue.body_of(record["body"]))
                    continue
                except DeliveryRefusedError as refusal:
                    metrics.add_metric("DeliveriesRejected", MetricUnit.Count, 1)
                    logger.warning("Delivery refused", extra={"id": record["messageId"], "reason": str(refusal)})
                    continue
                except RetryableError as met:
                    trouble = True
                    logger.warning("The intake queue has to wait", extra={"reason": str(met)})
                except ValidationError as error:
                    reason = "; ".join(faults(error))
                    logger.error("A message is no event", extra={"id": record["messageId"], "reason": reason})  # noqa: TRY400 -- the reason says it all
            failed.append(record)
        self._let_wait(failed)
        metrics.add_metric("EventsDrained", MetricUnit.Count, len(records) - len(failed))
        return {"batchItemFailures": [{"itemIdentifier": failure["messageId"]} for failure in failed]}

    def _process_again(self, message: str) -> None:
        if not is_raw(message):
            self.process(QueuedEvent.model_validate_json(message), IntakeResult())
            return
        raw = RawDelivery.model_validate_json(message)
        verified = self._verifier.verify(raw)
        if verified.trouble is not None:
            raise verified.trouble
        for arrival in _arrivals(verified.delivery, raw.source, verified.delivery_id, raw.received_at):
            self.process(arrival, IntakeResult())

    def process(self, arrival: QueuedEvent, taken: IntakeResult) -> None:
        """Decide on an event and start what it asks for. Raises ServiceTrouble; done twice, it starts nothing twice."""
        happened = arrival.event
        decisions = decide(self._routes_for(arrival), arrival.source, happened)
        matched = [decision for decision in decisions if isinstance(decision, Matched)]
        ignored = [decision for decision in decisions if isinstance(decision, Ignored)]
        for decision in matched:
            request = make_job_request(
                decision,
                happened,
                source=arrival.source,
                delivery_id=arrival.delivery_id,
                received_at=arrival.received_at,
            )
            taken.requests.append(self._start(request))
        taken.ignored += [asdict(decision) for decision in ignored]
        if happened.request is not None and not matched:
            # Who asks for a job outright is told that there will be none; any other event may well concern no route.
            asked = (None, happened.request.route)
            reasons = [decision.reason for decision in ignored if decision.route in asked]
            self._start(_rejected(arrival, "; ".join(reasons)))

    def _routes_for(self, arrival: QueuedEvent) -> Routes:
        """The routes; a job that an invocation requests by operation and parameters needs none: it has no limits."""
        happened = arrival.event
        wanted = happened.request or happened.schedule
        if wanted is not None and wanted.route is None and not has_limits(happened):
            return NO_ROUTES
        try:
            routes = self._routes.current()
            if wanted is not None and wanted.route is not None and wanted.route not in routes.routes:
                # It may have been pushed since they were read: a schedule can fire as soon as it is made.
                return self._routes.current(anew=True)
        except NotSetUpError:
            # A git host was told that its push is accepted. An event of AWS comes whether anybody wants it or not.
            if happened.kind in _EVENTS_OF_AWS or arrival.source == CODECOMMIT:
                return NO_ROUTES
            raise
        return routes

    def _let_wait(self, failed: Sequence[Mapping[str, Any]]) -> None:
        received = max((int(failure["attributes"]["ApproximateReceiveCount"]) for failure in failed), default=0)
        for failure in failed:
            try:
                self._queue.hide(failure["receiptHandle"], received)
            except ServiceTrouble as trouble:
                logger.warning("The queue's own visibility timeout serves", extra={"reason": str(trouble)})

    def _start(self, request: JobRequest) -> dict[str, Any]:
        duplicate = not self._executions.start(request)
        extra = {**request.log_keys(), "route": request.route}
        logger.info("Duplicate of an earlier request" if duplicate else "Accepted", extra=extra)
        metrics.add_metric("RequestsDuplicate" if duplicate else "RequestsAccepted", MetricUnit.Count, 1)
        return {
            "requestId": request.request_id,
            "route": request.route,
            "operation": request.operation,
            "duplicate": duplicate,
        }

    def _put(self, arrival: QueuedEvent) -> None:
        event = arrival.event
        try:
            self._queue.put(arrival.model_dump_json(by_alias=True), _line(event), event.digest)
        except ServiceTrouble:
            if event.changed_files is None:
                raise
            # Nothing else can be large. Without them, its files are unknown, and routes with paths build.
            small = arrival.model_copy(update={"event": event.model_copy(update={"changed_files": None})})
            self._queue.put(small.model_dump_json(by_alias=True), _line(event), event.digest)

    def _defer_unverified(self, raw: RawDelivery, trouble: ServiceTrouble) -> IntakeResult:
        logger.error("Deferred to the intake queue, unverified", extra={"reason": str(trouble)})
        self._queue.put(raw.model_dump_json(by_alias=True), ["unverified", raw.source], raw.identity)
        metrics.add_metric("DeliveriesUnverified", MetricUnit.Count, 1)
        return IntakeResult(deferred=[{"kind": "delivery", "repository": None, "ref": None}])

    def _defer(self, arrivals: Sequence[QueuedEvent], trouble: RetryableError, taken: IntakeResult) -> None:
        logger.error("Deferred to the intake queue", extra={"reason": str(trouble), "events": len(arrivals)})
        for arrival in arrivals:
            happened = arrival.event
            self._put(arrival)
            taken.deferred.append({"kind": happened.kind, "repository": happened.repository, "ref": happened.ref})
        metrics.add_metric("EventsDeferred", MetricUnit.Count, len(arrivals))


def _arrivals(delivery: Delivery, source: str, delivery_id: str | None, received_at: datetime) -> list[QueuedEvent]:
    """The events that ask for something: a ping need not be signed, and reaches neither the routes nor the queue."""
    return [
        QueuedEvent(source=source, delivery_id=delivery_id, received_at=received_at, event=happened)
        for happened in delivery.events
        if asks_for_nothing(happened) is None
    ]


def _line(event: Event) -> list[str | None]:
    """What must stay in order: what comes of one repository, or into one bucket, or of one schedule."""
    bucket = event.object.bucket if event.object else None
    route = event.schedule.route if event.schedule else None
    return [event.host, event.repository, bucket, route]


def _rejected(arrival: QueuedEvent, reason: str) -> JobRequest:
    wanted = arrival.event.request
    return JobRequest(
        request_id=request_id("request", arrival.event),
        route=wanted.route if wanted else None,
        operation=wanted.operation if wanted and wanted.operation else "unknown",
        parameters=(wanted.parameters if wanted else None) or {},
        cause=Cause(
            source=arrival.source,
            kind=arrival.event.kind,
            delivery_id=arrival.delivery_id,
            reason=wanted.reason if wanted else None,
        ),
        received_at=arrival.received_at,
        fault=reason,
    )
