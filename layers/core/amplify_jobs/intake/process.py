"""Processing one event: the routes decide which requests it makes, and each request becomes an execution."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from amplify_jobs.errors import NotSetUpError
from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.event import EventKind, request_id
from amplify_jobs.intake.claims import Claims
from amplify_jobs.intake.message import QueuedEvent
from amplify_jobs.intake.protocols import Executions
from amplify_jobs.intake.record import Decision
from amplify_jobs.intake.ref_record import Entry
from amplify_jobs.intake.result import IntakeResult
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.observability import function_metrics
from amplify_jobs.routing.current_routes import CurrentRoutes
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Ignored, Matched, decide
from amplify_jobs.routing.reconciled import is_reconciled
from amplify_jobs.routing.request_limits import has_limits
from amplify_jobs.routing.routes import Routes

NO_ROUTES = Routes(routes={})
_EVENTS_OF_AWS = (EventKind.OBJECT, EventKind.SCHEDULE, EventKind.REQUEST)

logger = Logger(child=True)
metrics = function_metrics()


class EventProcessor:
    """Decides on events by the routes, and starts executions for them.

    `claims` are those of refs that are reconciled; None where no event is of one.
    """

    def __init__(self, routes: CurrentRoutes, executions: Executions, claims: Claims | None = None) -> None:
        self._routes = routes
        self._executions = executions
        self._claims = claims

    def process(self, queued: QueuedEvent, result: IntakeResult) -> tuple[Decision, ...]:
        """Start what an event asks for, add it to the result, also if a later start fails, and give the decisions.

        An event that is processed twice starts nothing twice. Raises RetryableError.
        """
        event, routes = queued.event, self._routes_for(queued)
        decisions = decide(routes, queued.source, event)
        ignored = [each for each in decisions if isinstance(each, Ignored)]
        matched = [each for each in decisions if isinstance(each, Matched)]
        requests = [_request(match, queued) for match in matched]
        ids = {str(match.name): request.request_id for match, request in zip(matched, requests, strict=True)}
        claims = self._claims if event.replay is None and is_reconciled(routes, queued.source, event) else None
        entry = claims.enter(queued.source, event, ids) if claims else Entry()
        if entry.refusal is not None:
            ignored += [Ignored(match.name, entry.refusal) for match in matched]
            matched, requests = [], []
        recorded = [_decision(each) for each in ignored]
        for match, request in zip(matched, requests, strict=True):
            earlier = entry.requests.get(str(match.name))
            result.requests.append(self._start(request) if earlier is None else _repeat(request, earlier))
            recorded.append(_decision(match, earlier or request.request_id))
        if claims is not None and entry.is_claimed:
            claims.complete(queued.source, event, ids)
        result.ignored += [asdict(each) for each in ignored]
        if event.request is not None and not matched:
            # Who asks for a job outright is told that there will be none; any other event may well concern no route.
            relevant = (None, event.request.route)
            reasons = [each.reason for each in ignored if each.route in relevant]
            rejection = _rejection(queued, "; ".join(reasons))
            self._start(rejection)
            recorded = [_naming(each, rejection.request_id if each.route in relevant else None) for each in recorded]
        return tuple(recorded)

    def _routes_for(self, queued: QueuedEvent) -> Routes:
        """The routes; a job that an invocation requests by operation and parameters needs none: it has no limits."""
        event = queued.event
        trigger = event.request or event.schedule
        if trigger is not None and trigger.route is None and not has_limits(event):
            return NO_ROUTES
        try:
            routes = self._routes.current()
            if trigger is not None and trigger.route is not None and trigger.route not in routes.routes:
                # It may have been pushed since they were read: a schedule can fire as soon as it is made.
                return self._routes.current(fresh=True)
        except NotSetUpError:
            # A git host was told that its push is accepted. An event of AWS comes whether a route waits for it or not.
            if event.kind in _EVENTS_OF_AWS or queued.source == CODECOMMIT:
                return NO_ROUTES
            raise
        return routes

    def _start(self, request: JobRequest) -> dict[str, Any]:
        return _answer_of(request, is_duplicate=not self._executions.start(request))


def _request(match: Matched, queued: QueuedEvent) -> JobRequest:
    return make_job_request(
        match,
        queued.event,
        source=queued.source,
        delivery_id=queued.delivery_id,
        received_at=queued.received_at,
    )


def _repeat(request: JobRequest, earlier: str) -> dict[str, Any]:
    """Tell of a request that reconcile made, under another id, before the delivery of the same push came."""
    return _answer_of(request.model_copy(update={"request_id": earlier}), is_duplicate=True)


def _answer_of(request: JobRequest, *, is_duplicate: bool) -> dict[str, Any]:
    """Log and count a request, and give what the answer says of it."""
    extra = {**request.log_keys(), "route": request.route}
    logger.info("Duplicate of an earlier request" if is_duplicate else "Accepted", extra=extra)
    metrics.add_metric("RequestsDuplicate" if is_duplicate else "RequestsAccepted", MetricUnit.Count, 1)
    return {
        "requestId": request.request_id,
        "route": request.route,
        "operation": request.operation,
        "duplicate": is_duplicate,
    }


def _naming(recorded: Decision, request_id: str | None) -> Decision:
    return recorded.model_copy(update={"request_id": request_id})


def _rejection(queued: QueuedEvent, reason: str) -> JobRequest:
    """The request that the state machine rejects, and so announces why no job is started."""
    requested = queued.event.request
    return JobRequest(
        request_id=request_id("request", queued.event),
        route=requested.route if requested else None,
        operation=requested.operation if requested and requested.operation else "unknown",
        parameters=(requested.parameters if requested else None) or {},
        cause=Cause(
            source=queued.source,
            kind=queued.event.kind,
            delivery_id=queued.delivery_id,
            reason=requested.reason if requested else None,
        ),
        received_at=queued.received_at,
        fault=reason,
    )


def _decision(decided: Matched | Ignored, request_id: str | None = None) -> Decision:
    """The record of a route's decision."""
    if isinstance(decided, Ignored):
        return Decision(route=decided.route, matched=False, reason=decided.reason, condition=decided.condition)
    return Decision(route=decided.name, matched=True, reason="; ".join(decided.findings), request_id=request_id)
