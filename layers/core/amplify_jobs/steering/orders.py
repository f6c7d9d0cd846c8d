"""Orders: start a job by a route or an operation, stop one, retry a request, replay an event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from amplify_jobs.errors import ConflictError, InvalidOrderError, NotAllowedError, RequestRejected, UnknownItemError
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Channel, Event, EventKind, parse_requested_job
from amplify_jobs.indexing.answers import RequestAccepted, RequestSummary
from amplify_jobs.indexing.reading import IndexReader, RequestFilter
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.indexing.summary import cause_of, summary
from amplify_jobs.intake.accept import Intake
from amplify_jobs.intake.message import Origin
from amplify_jobs.intake.record import DeliveryRecord
from amplify_jobs.model.job import BranchRef, Job, JobRef
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.replay import MOST_REPLAYS, make_replay, original_id
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.matching import Ignored, Matched, decide
from amplify_jobs.steering.rollback import former_job, rollback_request
from amplify_jobs.steering.rollback_order import RollbackOrder
from amplify_jobs.text import sentences

SOURCE = "amplify-jobs.api"
"""The source of what is requested by the API; `bus.allow` limits it, as it does all requests on the bus."""
# A branch of a mirror has ids of SHA-1.
WHOLE_COMMIT = 40
MOST_FORMER = 100
"""So many finished requests of a branch are looked at for what was live before."""

logger = Logger(child=True)


class Executions(Protocol):
    """Executions of requests; aws.executions.Executions. Raises ServiceTrouble."""

    def start(self, request: JobRequest) -> bool: ...

    def input_of(self, request_id: str) -> str | None: ...


class Hosting(Protocol):
    """Stops jobs; aws.amplify.Amplify."""

    def stop_job(self, job: Job) -> None: ...


class StopOrders(Protocol):
    """Stops of requests that wait; aws.jobs_table.table.JobsTable. Raises ServiceTrouble."""

    def order_stop(self, request_id: str, reason: str, now: datetime) -> Job | None: ...


class Waker(Protocol):
    """Wakes the execution that follows a job; following.wake.Waker."""

    def wake(self, job: JobRef) -> bool: ...


@dataclass(frozen=True)
class Orders:
    """Carries orders out, in one Region; `now` is the clock. All methods raise OrderError and ServiceTrouble."""

    reader: IndexReader
    routes: CurrentRoutes
    intake: Intake
    executions: Executions
    hosting: Hosting
    stops: StopOrders
    waker: Waker
    region: str
    now: Callable[[], datetime]

    def start(self, raw: Mapping[str, Any]) -> RequestAccepted:
        """Request a job, by a route or outright, as `Job Requested` on the bus does."""
        members = dict(raw)
        place = {name: members.pop(name) for name in ("commit", "branch") if members.get(name) is not None}
        try:
            requested = parse_requested_job(members)
        except RequestRejected as rejected:
            raise InvalidOrderError(str(rejected)) from None
        if place and requested.route is None:
            raise InvalidOrderError("commit and branch belong to a route; an operation has its own parameters")
        self._check_commit(requested.route, place.get("commit"))
        key = requested.request_id or uuid4().hex
        event = Event(kind=EventKind.REQUEST, request=requested, key=key, channel=Channel.BUS, **place)
        decisions = decide(self.routes.current(fresh=True), SOURCE, event)
        if not any(isinstance(decision, Matched) for decision in decisions):
            relevant = (None, requested.route)
            reasons = [
                decision.reason
                for decision in decisions
                if isinstance(decision, Ignored) and decision.route in relevant
            ]
            raise NotAllowedError("; ".join(reasons))
        return self._accept(Delivery((event,)), Origin(SOURCE, key, self.now()))

    def _check_commit(self, route_name: str | None, commit: str | None) -> None:
        route = self.routes.current(fresh=True).routes.get(route_name or "")
        if route is not None and route.mirror is not None and commit is not None and len(commit) != WHOLE_COMMIT:
            raise InvalidOrderError(f"commit: a mirror needs the whole commit, in {WHOLE_COMMIT} digits")

    def _accept(self, delivery: Delivery, origin: Origin) -> RequestAccepted:
        result = self.intake.accept(delivery, origin)
        if result.requests:
            return RequestAccepted(request_id=result.requests[0]["requestId"])
        if result.deferred:
            raise ConflictError("a service fails: the request waits in the intake queue and is started later")
        raise NotAllowedError("; ".join(decision["reason"] for decision in result.ignored))

    def stop(self, request_id: str, reason: str | None) -> RequestAccepted:
        """Stop the job of a request, and wake the execution that follows it; one that waits becomes no job.

        The order is written before the job is looked for, and a start records its job before it looks for an order: so
        one of both sees the other, and a job that starts at this moment is stopped here, there, or twice.
        """
        record = self.reader.record(request_id)
        request = summary(record)
        if request.state.is_end:
            raise ConflictError(f"request {request_id} is {request.state}; what has ended can't be stopped")
        if hosting_job(record) is None and request.operation not in (Operation.START_JOB, Operation.START_DEPLOYMENT):
            raise ConflictError(f"no API stops a job of {request.operation}, so request {request_id} can't be stopped")
        order = sentences("Stopped by the jobs API before a job was started", reason)
        job = self.stops.order_stop(request_id, order, self.now()) or hosting_job(record)
        if job is None:
            logger.info("Stopped by the API before it was started", extra={"request_id": request_id, "reason": reason})
            return RequestAccepted(request_id=request_id)
        try:
            self.hosting.stop_job(job)
        except RequestRejected as rejected:
            raise ConflictError(sentences(str(rejected), "It is not started again.")) from None
        self.waker.wake(JobRef(BranchRef(self.region, job.app_id, job.require_branch()), job.job_id))
        logger.info("Stopped by the API", extra={"request_id": request_id, "job_id": job.job_id, "reason": reason})
        return RequestAccepted(request_id=request_id)

    def retry(self, request_id: str, reason: str | None) -> RequestAccepted:
        """Make a new request of an ended one, with the same operation and parameters."""
        state = summary(self.reader.record(request_id)).state
        if not state.is_end:
            raise ConflictError(f"request {request_id} is {state}; wait for its end, or stop it first")
        return self._repeat(request_id, reason, lambda request: request)

    def roll_back(self, order: RollbackOrder) -> RequestAccepted:
        """Build or deploy again what was live on a branch before, or what the job of a number brought live."""
        former = former_job(self._finished(order.app, order.branch), order)
        return self._repeat(
            former.request_id, order.reason, lambda request: rollback_request(request, former, self.now())
        )

    def _finished(self, app: str, branch: str) -> list[RequestSummary]:
        """The newest finished requests of a branch."""
        filters = RequestFilter(app=app, branch=branch, state="finished")
        requests: list[RequestSummary] = []
        token = None
        while len(requests) < MOST_FORMER:
            page = self.reader.requests(filters, MOST_FORMER, token)
            requests += page.items
            token = page.next
            if token is None:
                break
        return requests

    def _repeat(
        self, request_id: str, reason: str | None, change: Callable[[JobRequest], JobRequest]
    ) -> RequestAccepted:
        text = self.executions.input_of(request_id)
        if text is None:
            raise ConflictError(f"the execution of {request_id} is gone; Step Functions keeps one for 90 days")
        for number in range(1, MOST_REPLAYS + 1):
            try:
                request = change(make_replay(json.loads(text), number, self.now()))
            except RequestRejected as rejected:
                raise ConflictError(f"request {request_id} can't be repeated: {rejected}") from None
            if reason is not None:
                request = request.model_copy(update={"cause": request.cause.model_copy(update={"reason": reason})})
            if self.executions.start(request):
                logger.info("Retried by the API", extra=request.log_keys())
                return RequestAccepted(request_id=request.request_id)
        raise ConflictError(f"{original_id(request_id)} was repeated {MOST_REPLAYS} times already")

    def replay(self, request_id: str, reason: str | None) -> RequestAccepted:
        """Process the event of a request again, by the routes that are in effect now."""
        cause = cause_of(self.reader.record(request_id))
        if cause is None or cause.delivery_id is None:
            raise ConflictError(f"request {request_id} does not name its delivery; retry it instead")
        try:
            delivery = self.reader.delivery(cause.delivery_id)
        except UnknownItemError:
            raise ConflictError(f"the delivery of {request_id} is not kept any more; retry it instead") from None
        return self._replay(delivery, request_id, reason)

    def replay_delivery(self, delivery_id: str, reason: str | None) -> RequestAccepted:
        """Process all events of a delivery again, by the routes that are in effect now."""
        return self._replay(self.reader.delivery(delivery_id), None, reason)

    def _replay(self, record: DeliveryRecord, request_id: str | None, reason: str | None) -> RequestAccepted:
        """Process the events that led to a request, or all; each is new, by the mark of its replay."""
        # A delivery that was replayed before holds its events several times.
        events, mark = dict[str, Event](), self.now().isoformat()
        for stored in record.events:
            is_chosen = request_id is None or any(decision.request_id == request_id for decision in stored.decisions)
            if is_chosen and stored.event is not None:
                try:
                    event = Event.model_validate(stored.event)
                except ValidationError:
                    continue
                replayed = event.model_copy(update={"replay": mark})
                events.setdefault(replayed.digest, replayed)
        if not events:
            raise ConflictError(f"no event of delivery {record.delivery_id} was kept that could be processed again")
        self.routes.current(fresh=True)
        origin = Origin(record.source, record.delivery_id, self.now(), record.provider)
        logger.info("Replayed by the API", extra={"delivery_id": record.delivery_id, "reason": reason})
        return self._accept(Delivery(tuple(events.values())), origin)


def hosting_job(record: RequestRecord) -> Job | None:
    """The job of Amplify Hosting that a request has or had; None if it has none."""
    request = summary(record)
    if not (request.operation and request.app_id and request.branch_name and request.job_id):
        return None
    return Job(
        operation=request.operation, app_id=request.app_id, branch_name=request.branch_name, job_id=request.job_id
    )
