"""Draining the intake queue: order, what holds up what, how long a message is hidden, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.errors import NotSetUpError, RetryableError, ServiceTrouble
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.events.webhooks import github
from amplify_jobs.intake import drain
from amplify_jobs.intake.drain import IntakeDrain
from amplify_jobs.intake.message import QueuedEvent, UnverifiedDelivery
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.intake.verify import Verifier
from amplify_jobs.routing.routes import Routes, Source
from tests.support.intake_fakes import FixedRoutes, FixedSecrets, FixedSources, KeptExecutions, KeptQueue, KeptRecords

NOW = datetime(2026, 11, 22, tzinfo=UTC)
JOB = {"operation": "start_job", "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}}
SECRETS = ("/amplify-jobs/secrets/github",)
SOURCE = Source(provider="github", secrets=SECRETS)
ROUTES = Routes.model_validate(
    {
        "sources": {"github": {"provider": "github", "secrets": list(SECRETS)}},
        "routes": {"all": {"when": {"push": {"repository": "**"}}, "request": JOB}},
    }
)
OUTAGE = ServiceTrouble("states answered HTTP 500")


class World:
    """A drain and what it works with."""

    def __init__(self, executions: KeptExecutions | None = None) -> None:
        self.executions = executions or KeptExecutions()
        self.queue = KeptQueue()
        self.records = KeptRecords()
        self.routes = FixedRoutes(ROUTES)
        self.secrets = FixedSecrets(["s"])
        verifier = Verifier(self.routes, FixedSources({"github": SOURCE}, OUTAGE), self.secrets)
        self.drain = IntakeDrain(self.queue, verifier, EventProcessor(self.routes, self.executions), self.records.log())

    def failed(self, *records: dict[str, Any]) -> list[str]:
        """Process a batch, and give the ids of the messages that are to come again."""
        answer = self.drain.process({"Records": list(records)})
        return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]

    def commits(self) -> list[str | None]:
        return [request.cause.commit for request in self.executions.requests]


@pytest.fixture(autouse=True)
def metrics() -> Iterator[dict[str, Any]]:
    """The metrics that are counted; nothing of them is left to others."""
    drain.metrics.clear_metrics()
    yield drain.metrics.metric_set
    drain.metrics.clear_metrics()


def record(message_id: str, body: str, *, group: str, received: int = 1) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": f"handle of {message_id}",
        "body": body,
        "attributes": {"MessageGroupId": group, "ApproximateReceiveCount": str(received)},
        "eventSource": "aws:sqs",
    }


def push(message_id: str, repository: str = "acme/web", received: int = 1) -> dict[str, Any]:
    """A push whose commit is the message's id."""
    event = Event(kind=EventKind.PUSH, repository=repository, ref="refs/heads/main", branch="main", commit=message_id)
    queued = QueuedEvent(source="github", received_at=NOW, event=event.model_copy(update={"after": message_id}))
    return record(message_id, queued.model_dump_json(by_alias=True), group=repository, received=received)


def unverified(message_id: str, secret: str = "s", kind: str = "push") -> dict[str, Any]:
    body = json.dumps(
        {"ref": "refs/heads/main", "after": "1" * 40, "repository": {"full_name": "acme/web"}, "head_commit": None}
    ).encode()
    headers = {"X-GitHub-Event": kind, "X-Hub-Signature-256": github.sign(secret, body)}
    delivery = UnverifiedDelivery(source="github", headers=headers, body=body, received_at=NOW)
    return record(message_id, delivery.model_dump_json(by_alias=True), group="unverified")


def count(metrics: dict[str, Any], name: str) -> float | None:
    return sum(metrics[name]["Value"]) if name in metrics else None


def test_all_are_started_in_their_order(metrics: dict[str, Any]) -> None:
    world = World()
    assert world.failed(push("a"), push("b", "acme/docs"), push("c")) == []
    assert world.commits() == ["a", "b", "c"]
    assert world.queue.hidden == []
    assert count(metrics, "EventsDrained") == 3


def test_a_batch_that_comes_again_starts_nothing_again() -> None:
    world = World()
    assert world.failed(push("a")) == world.failed(push("a")) == []
    assert world.commits() == ["a"]


@pytest.mark.parametrize("outage", [OUTAGE, NotSetUpError("routes were never pushed")])
def test_from_the_first_outage_on_all_groups_wait_and_none_is_tried(
    outage: RetryableError, metrics: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = World(KeptExecutions(outage, answers_left=1))
    assert world.failed(push("a"), push("b", "acme/docs"), push("c"), push("d", "acme/third")) == ["b", "c", "d"]
    assert world.commits() == ["a"]
    assert world.executions.calls == 2
    assert count(metrics, "EventsDrained") == 1
    assert [line.message for line in caplog.records].count("The intake queue has to wait") == 1


def test_after_an_outage_the_next_batch_is_tried() -> None:
    world = World(KeptExecutions(OUTAGE, answers_left=0))
    assert world.failed(push("a"), push("b", "acme/docs")) == ["a", "b"]
    world.executions.answers_left = 2
    assert world.failed(push("a"), push("b", "acme/docs")) == []
    assert world.commits() == ["a", "b"]


@pytest.mark.parametrize("body", ["not an event", "{}", '{"version": "2"}', '{"kind": "unverified"}', "[" * 100_000])
def test_a_message_that_is_no_event_holds_up_its_own_group_alone(body: str, metrics: dict[str, Any]) -> None:
    world = World()
    poison = record("a", body, group="acme/web")
    assert world.failed(poison, push("b", "acme/docs"), push("c"), push("d", "acme/docs")) == ["a", "c"]
    assert world.commits() == ["b", "d"]
    assert count(metrics, "EventsDrained") == 2


def test_an_outage_after_a_message_that_is_no_event_holds_up_all_the_same() -> None:
    world = World(KeptExecutions(OUTAGE, answers_left=0))
    assert world.failed(record("a", "{}", group="acme/web"), push("b", "acme/docs"), push("c", "acme/x")) == list("abc")
    assert world.executions.calls == 1


def test_a_fault_of_ours_is_logged_with_its_traceback_and_holds_up_its_own_group(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(KeptExecutions):
        def start(self, request: Any) -> bool:
            if request.cause.commit == "a":
                raise KeyError("a fault")
            return super().start(request)

    world = World(Broken())
    assert world.failed(push("a"), push("b"), push("c", "acme/docs")) == ["a", "b"]
    assert world.commits() == ["c"]
    (line,) = [line for line in caplog.records if line.message == "A message can't be processed"]
    assert line.exc_info is not None
    assert line.exc_info[0] is KeyError


@pytest.mark.parametrize("received", [1, 4, 299])
def test_what_failed_is_hidden_by_how_often_it_was_received(received: int) -> None:
    world = World(KeptExecutions(OUTAGE, answers_left=0))
    world.failed(push("a"), push("b", received=received))
    assert world.queue.hidden == [("handle of a", received), ("handle of b", received)]


def test_if_one_can_t_be_hidden_the_queue_s_own_time_serves_and_the_next_is_hidden() -> None:
    world = World(KeptExecutions(OUTAGE, answers_left=0))
    world.queue.trouble = ServiceTrouble("sqs answered HTTP 500")
    assert world.failed(push("a"), push("b")) == ["a", "b"]
    assert [handle for handle, _ in world.queue.hidden] == ["handle of a", "handle of b"]


class TestUnverified:
    def test_it_is_verified_and_processed(self) -> None:
        world = World()
        assert world.failed(unverified("u")) == []
        assert world.commits() == ["1" * 40]

    def test_why_it_asks_for_nothing_is_recorded(self) -> None:
        world = World()
        assert world.failed(unverified("u", kind="ping")) == []
        (message,) = world.records.messages
        assert "the webhook works" in message

    def test_a_stranger_s_starts_nothing_and_does_not_come_again(self, metrics: dict[str, Any]) -> None:
        world = World()
        assert world.failed(unverified("u", "another"), push("a")) == []
        assert world.commits() == ["a"]
        assert (count(metrics, "DeliveriesRejected"), count(metrics, "EventsDrained")) == (1, 2)

    def test_while_the_routes_can_t_be_read_it_waits(self) -> None:
        world = World()
        world.routes.trouble = OUTAGE
        assert world.failed(unverified("u"), push("a")) == ["u", "a"]

    def test_while_the_secrets_can_t_be_read_it_waits(self) -> None:
        world = World()
        world.secrets.trouble = OUTAGE
        assert world.failed(unverified("u"), push("a")) == ["u", "a"]
        assert world.commits() == []
