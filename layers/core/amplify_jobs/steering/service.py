"""What the API answers, apart from HTTP: one method for each route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from amplify_jobs.errors import BadQueryError, NotSetUpError
from amplify_jobs.indexing.answers import (
    BranchState,
    Health,
    LogText,
    Page,
    RequestAccepted,
    RequestStory,
    RequestSummary,
)
from amplify_jobs.indexing.deliveries import DeliveryStory, DeliverySummary, RoutesInEffect, ScheduleState
from amplify_jobs.indexing.delivery import delivery_story
from amplify_jobs.indexing.reading import IndexReader, RequestFilter
from amplify_jobs.steering import badge

if TYPE_CHECKING:
    from amplify_jobs.routing.routes import Routes
    from amplify_jobs.steering.live_jobs import LiveJobs
    from amplify_jobs.steering.orders import Orders
    from amplify_jobs.steering.rollback_order import RollbackOrder

_TIMES_SHOWN = 3


class PushedRoutes(Protocol):
    """The routes that were pushed; aws.stored_routes.StoredRoutes. Raises ServiceTrouble."""

    def current(self, *, fresh: bool = False) -> Routes: ...

    def pushed_at(self) -> datetime | None: ...


class Resources(Protocol):
    """What some of the answers need, each made when it is needed first; aws.api_resources.ApiResources."""

    @property
    def live_jobs(self) -> LiveJobs: ...

    @property
    def orders(self) -> Orders: ...

    @property
    def routes(self) -> PushedRoutes: ...

    def waiting_news(self) -> int | None: ...

    def dead_news(self) -> int | None: ...


@dataclass(frozen=True)
class JobsApi:
    """Answers for one stack. Lists need the reader of the index alone.

    `badge_key` signs the tokens of badges; an empty one switches badges off. All methods raise OrderError and
    ServiceTrouble.
    """

    reader: IndexReader
    resources: Resources
    badge_key: str
    now: Callable[[], datetime]

    def list_requests(self, filters: RequestFilter, limit: int, token: str | None) -> Page[RequestSummary]:
        return self.reader.requests(filters, limit, token)

    def request(self, request_id: str) -> RequestStory:
        return self.resources.live_jobs.story(self.reader.record(request_id))

    def log(self, request_id: str, step: str | None, offset: int) -> LogText:
        return self.resources.live_jobs.log(self.reader.record(request_id), step, offset)

    def start(self, order: Mapping[str, Any]) -> RequestAccepted:
        return self.resources.orders.start(order)

    def stop(self, request_id: str, reason: str | None) -> RequestAccepted:
        return self.resources.orders.stop(request_id, reason)

    def retry(self, request_id: str, reason: str | None) -> RequestAccepted:
        return self.resources.orders.retry(request_id, reason)

    def roll_back(self, order: RollbackOrder) -> RequestAccepted:
        return self.resources.orders.roll_back(order)

    def replay(self, request_id: str, reason: str | None) -> RequestAccepted:
        return self.resources.orders.replay(request_id, reason)

    def list_deliveries(
        self, source: str | None, repository: str | None, limit: int, token: str | None
    ) -> Page[DeliverySummary]:
        return self.reader.deliveries(source, repository, limit, token)

    def delivery(self, delivery_id: str) -> DeliveryStory:
        return delivery_story(self.reader.delivery(delivery_id))

    def replay_delivery(self, delivery_id: str, reason: str | None) -> RequestAccepted:
        return self.resources.orders.replay_delivery(delivery_id, reason)

    def branches(self, app: str | None, branch: str | None, limit: int, token: str | None) -> Page[BranchState]:
        if (app is None) != (branch is None):
            raise BadQueryError("app and branch name a branch together; give both, or none for all branches")
        page = self.reader.one_branch(app, branch) if app and branch else self.reader.branches(limit, token)
        return page.model_copy(update={"items": tuple(map(self._with_badge, page.items))})

    def _with_badge(self, branch: BranchState) -> BranchState:
        path = badge.make_path(self.badge_key, branch.app_id, branch.branch_name) if self.badge_key else None
        return branch.model_copy(update={"badge": path})

    def routes_in_effect(self) -> RoutesInEffect:
        """The routes in the bucket; none before the first push."""
        try:
            routes = self.resources.routes.current(fresh=True)
        except NotSetUpError:
            return RoutesInEffect(routes={}, as_of=self.now())
        shown = routes.model_dump(mode="json", by_alias=True, exclude_none=True)
        return RoutesInEffect(routes=shown, pushed_at=self.resources.routes.pushed_at(), as_of=self.now())

    def schedules(self) -> Page[ScheduleState]:
        """The schedules of the routes in effect, with the times at which they fire next."""
        # It comes with the grammar of schedules, which only this list needs.
        from amplify_jobs.steering.due_times import due_times  # noqa: PLC0415

        now = self.now()
        try:
            routes = self.resources.routes.current(fresh=True).routes
        except NotSetUpError:
            routes = {}
        states = []
        for name, route in routes.items():
            schedule = route.when.schedule
            if schedule is None:
                continue
            times = due_times(schedule.expression, schedule.timezone, now, _TIMES_SHOWN) if route.enabled else ()
            states.append(
                ScheduleState(
                    name=name,
                    expression=schedule.expression,
                    timezone=schedule.timezone,
                    route=name,
                    next=times,
                    state="ENABLED" if route.enabled else "DISABLED",
                )
            )
        return Page[ScheduleState](items=tuple(states), as_of=now)

    def health(self) -> Health:
        return self.reader.health(self.resources.waiting_news(), self.resources.dead_news())

    def badge(self, token: str) -> badge.Word:
        """What the badge of a token says: of a wrong one, and while badges are switched off, that there is none."""
        place = badge.read_token(self.badge_key, token) if self.badge_key else None
        return badge.word(self.reader.branch(*place) if place else None)
