"""The jobs API by its answers' models. Every method raises ApiRefusedError and ServiceTrouble."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.indexing.answers import BranchState, Health, LogText, RequestAccepted, RequestStory, RequestSummary
from amplify_jobs.indexing.deliveries import DeliveryStory, DeliverySummary, RoutesInEffect, ScheduleState
from amplify_jobs_cli.api import Api, pages

Answer = TypeVar("Answer", bound=BaseModel)

# A page reads so much at most, however many items are wanted.
EVERYTHING = 1_000


class JobsClient:
    """What the commands ask a stack for."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def requests(self, filters: Mapping[str, Any], limit: int) -> list[RequestSummary]:
        """Requests, newest first (GET /requests)."""
        return list(self.each_request(filters, limit))

    def each_request(self, filters: Mapping[str, Any], limit: int) -> Iterator[RequestSummary]:
        """Requests, newest first; a page is read when it is needed."""
        return (_parse(RequestSummary, item) for item in pages(self._api, "/requests", filters, limit))

    def request(self, request_id: str) -> RequestStory:
        """A request with its whole story."""
        return _parse(RequestStory, self._api.get(_path("requests", request_id)))

    def log(self, request_id: str, step: str | None, offset: int) -> LogText:
        """A part of a step's log."""
        return _parse(LogText, self._api.get(_path("requests", request_id, "log"), {"step": step, "offset": offset}))

    def start(self, order: Mapping[str, Any]) -> str:
        """Ask for a job, and give the request id (POST /requests)."""
        return _parse(RequestAccepted, self._api.post("/requests", order)).request_id

    def order(self, request_id: str, action: str, reason: str | None) -> str:
        """Have a request stopped, retried or replayed, and give the id of the request that this concerns."""
        body = {"reason": reason} if reason else {}
        return _parse(RequestAccepted, self._api.post(_path("requests", request_id, action), body)).request_id

    def roll_back(self, order: Mapping[str, Any]) -> str:
        """Have a branch rolled back, and give the id of the new request (POST /rollbacks)."""
        return _parse(RequestAccepted, self._api.post("/rollbacks", order)).request_id

    def deliveries(self, filters: Mapping[str, Any], limit: int) -> list[DeliverySummary]:
        """Deliveries, newest first."""
        return [_parse(DeliverySummary, item) for item in pages(self._api, "/deliveries", filters, limit)]

    def delivery(self, delivery_id: str) -> DeliveryStory:
        """A delivery with the decision of every route."""
        return _parse(DeliveryStory, self._api.get(_path("deliveries", delivery_id)))

    def replay_delivery(self, delivery_id: str) -> Any:
        """Have a delivery's events decided on once more."""
        return self._api.post(_path("deliveries", delivery_id, "replay"), {})

    def branches(self) -> list[BranchState]:
        """Every branch that a job was followed on."""
        return [_parse(BranchState, item) for item in pages(self._api, "/branches", {}, EVERYTHING)]

    def branch(self, app: str, branch_name: str) -> BranchState | None:
        """One branch of an app, named by its id or name; None if no job was followed there."""
        branches = list(pages(self._api, "/branches", {"app": app, "branch": branch_name}, 1))
        return _parse(BranchState, branches[0]) if branches else None

    def health(self) -> Health:
        """How current the index is."""
        return _parse(Health, self._api.get("/health"))

    def routes(self) -> RoutesInEffect:
        """The routes in effect."""
        return _parse(RoutesInEffect, self._api.get("/routes"))

    def schedules(self) -> list[ScheduleState]:
        """The schedules of the routes, with their next times."""
        return [_parse(ScheduleState, item) for item in pages(self._api, "/schedules", {}, EVERYTHING)]


def _path(*parts: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _parse(model: type[Answer], document: Any) -> Answer:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # pydantic's text repeats the answer.
        place = ".".join(str(part) for part in error.errors()[0]["loc"]) or model.__name__
        raise ServiceTrouble(
            f"the jobs API answered something else than this version reads ({place}); "
            "use the command line of the stack's version"
        ) from None
