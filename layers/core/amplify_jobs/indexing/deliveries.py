"""What the API answers about deliveries, routes and schedules; the models only ever grow, as those of answers.py do."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

from amplify_jobs.model.base import GrowingModel


class DeliverySummary(GrowingModel):
    """A delivery as lists show it: `requests` counts what it led to, `summary` says it in a sentence."""

    delivery_id: str
    source: str
    provider: str | None = None
    received_at: AwareDatetime
    kind: str
    repository: str | None = None
    ref: str | None = None
    commit: str | None = None
    requests: int = 0
    summary: str


class RouteDecision(GrowingModel):
    """What a route decided on an event of the delivery, and why; without a route, why no route was asked."""

    route: str | None = None
    matched: bool
    reason: str
    request_id: str | None = None


class DeliveryStory(DeliverySummary):
    """A delivery with the decision of every route. `isReplayable` says whether its events can be replayed."""

    decisions: tuple[RouteDecision, ...] = ()
    is_replayable: bool = False


class RoutesInEffect(GrowingModel):
    """The routes in the stack's bucket; secrets by their names, never their values."""

    routes: dict[str, Any]
    pushed_at: AwareDatetime | None = None
    as_of: AwareDatetime


class ScheduleState(GrowingModel):
    """The schedule of a route; `next` are the next three times at which it fires, none while it is disabled."""

    name: str
    expression: str
    timezone: str
    route: str
    next: tuple[AwareDatetime, ...] = ()
    state: str
