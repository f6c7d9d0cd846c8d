"""Replays of deliveries: each event of a delivery is processed once, however often it was replayed before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.intake.accept import Intake
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.intake.record import DeliveryRecord, EventRecord
from amplify_jobs.routing.routes import Routes
from amplify_jobs.steering.orders import Orders
from tests.support.intake_fakes import FixedRoutes, KeptExecutions, KeptQueue, KeptRecords

NOW = datetime(2026, 11, 28, tzinfo=UTC)
JOB = {"operation": "start_job", "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}}
ROUTES = Routes.model_validate(
    {
        "sources": {"github": {"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]}},
        "routes": {"all": {"when": {"push": {"repository": "**"}}, "request": JOB}},
    }
)


def push(commit: str, replay: str | None = None) -> EventRecord:
    event = Event(kind=EventKind.PUSH, repository="acme/web", ref="refs/heads/main", branch="main", commit=commit)
    copy = event.model_copy(update={"after": commit, "replay": replay})
    dumped = copy.model_dump(mode="json", by_alias=True, exclude_none=True)
    return EventRecord(identity=copy.digest, received_at=NOW, kind="push", event=dumped)


class OneDelivery:
    """An index that holds one delivery."""

    def __init__(self, *events: EventRecord) -> None:
        self._record = DeliveryRecord(delivery_id="d-1", source="github", received_at=NOW, events=events)

    def delivery(self, _: str) -> DeliveryRecord:
        return self._record


def commits_replayed(*events: EventRecord) -> list[str | None]:
    executions, routes = KeptExecutions(), FixedRoutes(ROUTES)
    intake = Intake(EventProcessor(routes, executions), KeptQueue(), KeptRecords().log())
    nothing = cast("Any", None)
    orders = Orders(
        reader=cast("Any", OneDelivery(*events)),
        routes=routes,
        intake=intake,
        executions=nothing,
        hosting=nothing,
        stops=nothing,
        waker=nothing,
        region="eu-west-1",
        now=lambda: NOW,
    )
    orders.replay_delivery("d-1", None)
    assert executions.calls == len(executions.requests)
    return [request.cause.commit for request in executions.requests]


def test_an_event_that_was_replayed_before_is_processed_once() -> None:
    assert commits_replayed(push("1" * 40), push("1" * 40, "2026-11-27"), push("1" * 40, "2026-11-28")) == ["1" * 40]


def test_all_events_of_a_delivery_are_processed() -> None:
    assert commits_replayed(push("1" * 40), push("2" * 40)) == ["1" * 40, "2" * 40]
