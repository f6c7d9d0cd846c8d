"""The API as HTTP: routes, checks of queries and bodies, errors as problem details, and entity tags.

Problem details: RFC 9457. Entity tags: RFC 9110, section 8.8.3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field, StringConstraints

from amplify_jobs.errors import AmplifyJobsError, OrderError, RetryableError
from amplify_jobs.indexing.answers import (
    BranchState,
    Health,
    LogText,
    Page,
    Problem,
    RequestAccepted,
    RequestStory,
    RequestSummary,
)
from amplify_jobs.indexing.deliveries import DeliveryStory, DeliverySummary, RoutesInEffect, ScheduleState
from amplify_jobs.indexing.reading import RequestFilter
from amplify_jobs.model.base import GrowingModel, Model
from amplify_jobs.model.request import JOB_REASON_LIMIT
from amplify_jobs.steering import badge
from amplify_jobs.steering.rollback_order import RollbackOrder
from amplify_jobs.steering.service import JobsApi

PROBLEM = "application/problem+json"
RETRY_AFTER_SECONDS = 5
LONGEST_TEXT = 1_024

logger = Logger(child=True)

Text = Annotated[str | None, Query(max_length=LONGEST_TEXT)]
Limit = Annotated[int, Query(ge=1, le=100)]
Id = Annotated[str, Path(min_length=1, max_length=256)]
Reason = Annotated[str, StringConstraints(max_length=JOB_REASON_LIMIT)]


class StartOrder(GrowingModel):
    """What job is to be started: that of a route, or one by operation and parameters, as on the stack's bus."""

    route: str | None = None
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{7,64}$")] | None = None
    branch: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    operation: str | None = None
    parameters: dict[str, Any] | None = None
    reason: Reason | None = None


class ReasonOrder(Model):
    """Why it is ordered."""

    reason: Reason | None = Field(default=None)


def build_app(api: JobsApi) -> APIGatewayHttpResolver:
    """Make the resolver that answers with an API."""
    app = APIGatewayHttpResolver(enable_validation=True)

    @app.get("/requests")
    def list_requests(  # noqa: PLR0913 -- the query's members
        *,
        app: Text = None,
        branch: Text = None,
        repository: Text = None,
        commit: Annotated[str | None, Query(pattern=r"^[0-9a-fA-F]{7,64}$")] = None,
        state: Literal["running", "waiting", "finished"] | None = None,
        route: Text = None,
        limit: Limit = 20,
        next: Annotated[str | None, Query(max_length=2_048)] = None,  # noqa: A002 -- the query's own name
    ) -> Page[RequestSummary]:
        """List requests, the newest first."""
        return api.list_requests(RequestFilter(app, branch, repository, commit, state, route), limit, next)

    @app.get("/requests/<request_id>")
    def get_request(request_id: Id) -> RequestStory:
        """Tell the whole story of a request."""
        return api.request(request_id)

    @app.get("/requests/<request_id>/log")
    def get_log(request_id: Id, step: Text = None, offset: Annotated[int, Query(ge=0)] = 0) -> LogText:
        """Give the log of a step, from an offset on."""
        return api.log(request_id, step, offset)

    @app.post("/requests")
    def start(order: StartOrder) -> Response[RequestAccepted]:
        """Start a job by a route, or by operation and parameters."""
        return _accepted(api.start(order.model_dump(by_alias=True, exclude_none=True)))

    @app.post("/requests/<request_id>/stop")
    def stop(request_id: Id, order: ReasonOrder | None = None) -> Response[RequestAccepted]:
        """Stop the job of a request."""
        return _accepted(api.stop(request_id, order.reason if order else None))

    @app.post("/requests/<request_id>/retry")
    def retry(request_id: Id, order: ReasonOrder | None = None) -> Response[RequestAccepted]:
        """Make a new request with the same operation and parameters."""
        return _accepted(api.retry(request_id, order.reason if order else None))

    @app.post("/rollbacks")
    def roll_back(order: RollbackOrder) -> Response[RequestAccepted]:
        """Bring live again what was live on a branch before, or what a job brought live."""
        return _accepted(api.roll_back(order))

    @app.post("/requests/<request_id>/replay")
    def replay(request_id: Id, order: ReasonOrder | None = None) -> Response[RequestAccepted]:
        """Process the event of a request again."""
        return _accepted(api.replay(request_id, order.reason if order else None))

    @app.get("/deliveries")
    def list_deliveries(
        source: Text = None,
        repository: Text = None,
        limit: Limit = 20,
        next: Annotated[str | None, Query(max_length=2_048)] = None,  # noqa: A002 -- the query's own name
    ) -> Page[DeliverySummary]:
        """List deliveries, the newest first."""
        return api.list_deliveries(source, repository, limit, next)

    @app.get("/deliveries/<delivery_id>")
    def get_delivery(delivery_id: Id) -> DeliveryStory:
        """Tell what a delivery led to, with the decision of every route."""
        return api.delivery(delivery_id)

    @app.post("/deliveries/<delivery_id>/replay")
    def replay_delivery(delivery_id: Id, order: ReasonOrder | None = None) -> Response[RequestAccepted]:
        """Process the events of a delivery again."""
        return _accepted(api.replay_delivery(delivery_id, order.reason if order else None))

    @app.get("/branches")
    def list_branches(
        app: Text = None,
        branch: Text = None,
        limit: Limit = 100,
        next: Annotated[str | None, Query(max_length=2_048)] = None,  # noqa: A002 -- the query's own name
    ) -> Page[BranchState]:
        """List branches with what is live, and their last request."""
        return api.branches(app, branch, limit, next)

    @app.get("/routes")
    def get_routes() -> RoutesInEffect:
        """Give the routes in effect."""
        return api.routes_in_effect()

    @app.get("/schedules")
    def list_schedules() -> Page[ScheduleState]:
        """List schedules with their next times."""
        return api.schedules()

    @app.get("/health")
    def get_health() -> Health:
        """Say how current the index is."""
        return api.health()

    @app.get("/badges/<name>")
    def get_badge(name: Id) -> Response[Any]:
        """Give the badge of a branch, TOKEN.svg or TOKEN.json."""
        token, _, form = name.rpartition(".")
        word = api.badge(token)
        if form == "json":
            return Response(200, "application/json", json.dumps(badge.shields(word)), headers=dict(badge.HEADERS))
        return Response(200, "image/svg+xml; charset=utf-8", badge.svg(word), headers=dict(badge.HEADERS))

    @app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]  # Powertools leaves it so
    def invalid(error: RequestValidationError) -> Response[str]:
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(_faults(error)))

    @app.exception_handler(OrderError)  # type: ignore[untyped-decorator]  # so here
    def refused(error: OrderError) -> Response[str]:
        return _problem(HTTPStatus(error.status), str(error))

    @app.exception_handler(AmplifyJobsError)  # type: ignore[untyped-decorator]  # so here
    def failed(error: AmplifyJobsError) -> Response[str]:
        if not isinstance(error, RetryableError):
            return _problem(HTTPStatus.CONFLICT, str(error))
        logger.error("A service failed", extra={"reason": str(error)})
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{error} Ask again later.", RETRY_AFTER_SECONDS)

    @app.not_found
    def no_route(_: NoRouteError) -> Response[str]:
        paths = "/requests, /deliveries, /branches, /routes, /schedules, /health"
        return _problem(HTTPStatus.NOT_FOUND, f"there is nothing at this path; try {paths}")

    return app


def _accepted(accepted: RequestAccepted) -> Response[RequestAccepted]:
    return Response(HTTPStatus.ACCEPTED, "application/json", accepted)


def _problem(status: HTTPStatus, detail: str, retry_after: int | None = None) -> Response[str]:
    problem = Problem(title=status.phrase, status=status, detail=detail)
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return Response(status, PROBLEM, problem.model_dump_json(by_alias=True), headers=dict(headers))


def _faults(error: RequestValidationError) -> list[str]:
    """What is wrong where, in pydantic's words without the input."""
    return [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]


def with_entity_tag(answer: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a GET with its entity tag; 304 if the caller has it already. `asOf` alone is no change."""
    body = answer.get("body")
    if answer.get("statusCode") != HTTPStatus.OK or not isinstance(body, str):
        return answer
    tag = f'"{hashlib.sha256(_without_age(body).encode()).hexdigest()[:32]}"'
    tagged = {**(answer.get("headers") or {}), "ETag": tag}
    tags = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    if tag in tags or "*" in tags:
        return {**answer, "statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": tagged, "body": ""}
    return {**answer, "headers": tagged}


def _without_age(body: str) -> str:
    try:
        content = json.loads(body)
    except ValueError:
        return body
    if isinstance(content, dict):
        content.pop("asOf", None)
    return json.dumps(content, sort_keys=True)
