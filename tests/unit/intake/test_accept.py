"""Accepting deliveries: what starts, what is ignored, refused or deferred, and what the answer says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.errors import (
    DeliveryRefusedError,
    InvalidSignatureError,
    NotSetUpError,
    ServiceTrouble,
    UnknownSourceError,
)
from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Channel, Event, EventKind, RequestedJob, Schedule
from amplify_jobs.events.http_request import LARGEST_BODY, HttpApiRequest
from amplify_jobs.events.webhooks import github
from amplify_jobs.intake import accept
from amplify_jobs.intake.accept import Intake, WebhookIntake
from amplify_jobs.intake.message import Origin, QueuedEvent, UnverifiedDelivery, parse_message
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.intake.result import IntakeResult
from amplify_jobs.intake.verify import Verifier
from amplify_jobs.routing.routes import Routes, Source
from tests.support.github_pushes import NO_COMMIT, ROUTES, SECRET, SECRET_NAME, as_base64, delivery, push
from tests.support.intake_fakes import FixedRoutes, FixedSecrets, FixedSources, KeptExecutions, KeptQueue, KeptRecords

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
OUTAGE = ServiceTrouble("a service answered HTTP 500")
SOURCE = Source(provider="github", secrets=(SECRET_NAME,))
WEB = ROUTES["routes"]["web"]


class World:
    """The intake of webhooks, and what it works with."""

    def __init__(
        self, routes: Any = ROUTES, executions: KeptExecutions | None = None, sources: dict[str, Source] | None = None
    ) -> None:
        self.routes = FixedRoutes(Routes.model_validate(routes))
        self.executions = executions or KeptExecutions()
        self.queue = KeptQueue()
        self.records = KeptRecords()
        self.secrets = FixedSecrets([SECRET])
        self.verified_intake = Intake(EventProcessor(self.routes, self.executions), self.queue, self.records.log())
        verifier = Verifier(self.routes, FixedSources(sources or {}, OUTAGE), self.secrets)
        self.intake = WebhookIntake(verifier, self.verified_intake, self.queue)

    def accept(self, event: dict[str, Any]) -> IntakeResult:
        """Accept a delivery as receive_webhook does."""
        request = HttpApiRequest.model_validate(event)
        source, body = request.path_parameters.source, request.decoded_body()
        return self.intake.accept(
            UnverifiedDelivery(source=source, headers=request.headers, body=body, received_at=NOW)
        )

    def queued(self) -> list[QueuedEvent | UnverifiedDelivery]:
        return [parse_message(message) for message, _, _ in self.queue.messages]


@pytest.fixture(autouse=True)
def metrics() -> Iterator[dict[str, Any]]:
    """The metrics that are counted; nothing of them is left to others."""
    accept.metrics.clear_metrics()
    yield accept.metrics.metric_set
    accept.metrics.clear_metrics()


NOTHING_TO_DO = [
    pytest.param("ping", {"zen": "Keep it simple."}, None, "ping", id="ping"),
    pytest.param("issues", {"action": "opened"}, None, "event 'issues' is not handled", id="another event"),
    pytest.param("push", push("dev"), "web", "branch dev does not match main, release/*", id="another branch"),
    pytest.param("push", push("release/1/2"), "web", "branch release/1/2 does not match", id="a star stops at slashes"),
    pytest.param(
        "push",
        push(repository={"full_name": "acme/other"}),
        "web",
        "repository acme/other is not acme/web",
        id="another repository",
    ),
    pytest.param(
        "push",
        push(after=NO_COMMIT, deleted=True, head_commit=None, commits=[]),
        "web",
        "branch main was deleted",
        id="deleted branch",
    ),
    pytest.param("push", push(ref="refs/tags/v1"), "web", "refs/tags/v1 is a tag", id="tag"),
    pytest.param("push", push(ref="refs/notes/commits"), None, "neither a branch nor a tag", id="another ref"),
    pytest.param(
        "push",
        push(head_commit={**push()["head_commit"], "message": "Typo [Skip CI]"}),
        "web",
        "[skip ci]",
        id="skip marker",
    ),
]


@pytest.mark.parametrize(("event", "payload", "route", "reason"), NOTHING_TO_DO)
def test_what_starts_nothing_is_ignored_with_the_reason(
    event: str, payload: dict[str, Any], route: str | None, reason: str
) -> None:
    world = World()
    result = world.accept(delivery(payload, event=event))
    assert (result.is_accepted, result.requests, world.executions.requests) == (False, [], [])
    (ignored,) = result.ignored
    assert ignored["route"] == route
    assert reason in ignored["reason"]


BODY = json.dumps(push()).encode()
GOOD = github.sign(SECRET, BODY)
REFUSED = [
    pytest.param(delivery(BODY, secret="another"), 401, "was not made with a secret", id="wrong secret"),
    pytest.param(delivery(BODY, headers={"x-hub-signature-256": ""}), 401, "must be sha256=", id="empty signature"),
    pytest.param(delivery(BODY, headers={"x-hub-signature-256": f"{GOOD},{GOOD}"}), 401, "once", id="doubled"),
    pytest.param(delivery(BODY, headers={"X-Hub-Signature-256": GOOD}), 401, "once", id="doubled in another case"),
    pytest.param(delivery(BODY, headers={"x-hub-signature-256": GOOD[7:]}), 401, "sha256=", id="no prefix"),
    pytest.param(delivery(BODY, headers={"x-hub-signature-256": f"SHA256={GOOD[7:]}"}), 401, "sha256=", id="prefix"),
    pytest.param(delivery(BODY, headers={"x-hub-signature-256": f"{GOOD}0"}), 401, "64", id="a digit too many"),
    pytest.param(delivery(BODY, headers={"x-hub-signature-256": "sha256=" + "é" * 64}), 401, "hex", id="not ASCII"),
    pytest.param({**delivery(BODY), "body": BODY.decode() + " "}, 401, "was not made", id="another body"),
    pytest.param({**delivery(BODY), "headers": {"x-github-event": "push"}}, 401, "there is no", id="no signature"),
    pytest.param(delivery(BODY, source="gitlab"), 404, "no source", id="unknown source"),
    pytest.param(delivery(b"x" * (LARGEST_BODY + 1)), 413, "at most 5242880 (5 MiB)", id="too large"),
    pytest.param(as_base64(delivery(b"x" * (LARGEST_BODY + 1))), 413, "at most", id="too large as base64"),
    pytest.param({**delivery(BODY), "isBase64Encoded": True}, 400, "can't be decoded", id="not base64"),
    pytest.param({**delivery(BODY), "body": "\ud800"}, 400, "can't be decoded", id="half a character"),
    pytest.param(delivery(b"hello"), 400, "not JSON", id="no JSON"),
    pytest.param(delivery(b""), 400, "not JSON", id="empty"),
    pytest.param(delivery(b'{"ref": "a", "ref": "b"}'), 400, "'ref' twice", id="duplicate keys"),
    pytest.param(delivery(b'{"size": NaN}'), 400, "NaN", id="NaN"),
    pytest.param(delivery(b"[" * 100_000), 400, "nested deeper", id="very deep"),
    pytest.param(as_base64(delivery(b"\xff")), 400, "not UTF-8", id="not UTF-8"),
    pytest.param(delivery({"ref": "refs/heads/main"}), 400, "repository.full_name", id="no repository"),
    pytest.param(
        delivery(b"payload=1&payload=2", headers={"content-type": "application/x-www-form-urlencoded"}),
        400,
        "one field 'payload'",
        id="two payloads",
    ),
]


@pytest.mark.parametrize(("event", "status", "message"), REFUSED)
def test_what_is_wrong_is_refused_and_named(event: dict[str, Any], status: int, message: str) -> None:
    world = World()
    with pytest.raises(DeliveryRefusedError) as refusal:
        world.accept(event)
    assert refusal.value.status == status
    assert message in str(refusal.value)
    assert (world.executions.requests, world.queue.messages) == ([], [])


def test_a_push_starts_one_execution_for_each_route() -> None:
    world = World({**ROUTES, "routes": {"web": WEB, "docs": WEB}})
    result = world.accept(delivery(push()))
    assert result.is_accepted
    assert [(request["route"], request["duplicate"]) for request in result.requests] == [
        ("web", False),
        ("docs", False),
    ]
    assert [request["requestId"] for request in result.requests] == [
        one.request_id for one in world.executions.requests
    ]
    assert {one.cause.delivery_id for one in world.executions.requests} == {"72d3162e-cc78-11e3-81ab-4c9367dc0958"}


def test_the_same_event_again_is_a_duplicate_whatever_its_delivery_id() -> None:
    world = World()
    world.accept(delivery(push()))
    again = world.accept(delivery(push(), headers={"x-github-delivery": "another"}))
    assert [request["duplicate"] for request in again.requests] == [True]
    assert (again.is_accepted, len(world.executions.requests)) == (True, 1)


class TestSignature:
    """A signature that does not match may be one of a secret that was rotated."""

    def test_newer_secrets_are_tried_once(self) -> None:
        world = World()
        world.secrets = FixedSecrets(["old"], newer=[SECRET])
        intake = WebhookIntake(
            Verifier(world.routes, FixedSources({}, OUTAGE), world.secrets), world.verified_intake, world.queue
        )
        body = json.dumps(push()).encode()
        for secret in ("old", SECRET):
            headers = {"x-github-event": "push", "x-hub-signature-256": github.sign(secret, body)}
            unverified = UnverifiedDelivery(source="github", headers=headers, body=body, received_at=NOW)
            assert intake.accept(unverified).is_accepted

    @pytest.mark.parametrize("newer", [None, ["another"]])
    def test_without_newer_ones_that_match_it_is_refused(self, newer: list[str] | None) -> None:
        world = World()
        verifier = Verifier(world.routes, FixedSources({}, OUTAGE), FixedSecrets(["old"], newer))
        body = json.dumps(push()).encode()
        headers = {"x-github-event": "push", "x-hub-signature-256": github.sign(SECRET, body)}
        with pytest.raises(InvalidSignatureError):
            verifier.verify(UnverifiedDelivery(source="github", headers=headers, body=body, received_at=NOW))


class TestRecords:
    """What is written down of a delivery, and that no delivery waits for it."""

    def test_every_route_s_decision_is_kept_with_the_request_that_it_made(self) -> None:
        world = World()
        world.accept(delivery(push()))
        (record,) = world.records.records()
        (event,) = record.events
        (decision,) = event.decisions
        assert (record.source, record.provider, event.kind) == ("github", "github", "push")
        assert (decision.route, decision.matched) == ("web", True)
        assert decision.request_id == world.executions.requests[0].request_id
        assert Event.model_validate(event.event).digest[:32] == event.identity

    def test_what_is_deferred_is_known_to_wait(self) -> None:
        world = World(executions=KeptExecutions(OUTAGE, answers_left=0))
        assert world.accept(delivery(push())).deferred
        (record,) = world.records.records()
        assert [(event.deferred, event.decisions) for event in record.events] == [(True, ())]

    def test_what_asks_for_nothing_is_kept_with_its_reason(self) -> None:
        world = World()
        world.accept(delivery({"zen": "Keep it simple."}, event="ping"))
        (record,) = world.records.records()
        assert (record.events, len(record.ignored)) == ((), 1)

    def test_a_refused_delivery_is_not_kept(self) -> None:
        world = World()
        with pytest.raises(DeliveryRefusedError):
            world.accept(delivery(push(), secret="another"))
        assert world.records.messages == []

    def test_a_record_that_is_lost_changes_nothing_and_is_not_tried_for_a_while(self, metrics: dict[str, Any]) -> None:
        world = World()
        world.records.trouble = ServiceTrouble("SQS did not answer")
        for branch in ("main", "release/1", "release/2"):
            assert world.accept(delivery(push(branch))).requests
        assert world.records.calls == 1
        assert metrics["DeliveriesUnrecorded"]["Value"] == [1.0, 1.0, 1.0]
        world.records.now, world.records.trouble = 31.0, None
        world.accept(delivery(push("release/3")))
        assert len(world.records.messages) == 1


class TestUnverified:
    """What can't be verified now is kept as it came."""

    @pytest.mark.parametrize("service", ["routes", "secrets"])
    def test_it_waits_and_the_answer_tells_nothing_of_it(self, service: str, metrics: dict[str, Any]) -> None:
        world = World()
        getattr(world, service).trouble = OUTAGE
        result = world.accept(delivery(push()))
        assert result == IntakeResult(deferred=[{"kind": "delivery", "repository": None, "ref": None}])
        assert result.is_accepted
        (message,) = world.queued()
        assert isinstance(message, UnverifiedDelivery)
        assert (message.source, message.received_at, json.loads(message.body)) == ("github", NOW, push())
        ((_, group, identity),) = world.queue.messages
        assert (group, identity) == (["unverified", "github"], message.identity)
        assert sum(metrics["DeliveriesUnverified"]["Value"]) == 1

    def test_while_only_the_routes_can_t_be_read_a_copy_of_the_source_verifies_it(self) -> None:
        world = World(sources={"github": SOURCE})
        world.routes.trouble = OUTAGE
        result = world.accept(delivery(push()))
        assert result.deferred == [{"kind": "push", "repository": "acme/web", "ref": "refs/heads/main"}]
        assert isinstance(world.queued()[0], QueuedEvent)
        with pytest.raises(InvalidSignatureError):
            world.accept(delivery(push(), secret="another"))
        assert len(world.queue.messages) == 1

    def test_before_the_first_push_of_routes_it_does_not_wait(self) -> None:
        world = World()
        world.routes.trouble = NotSetUpError("routes were never pushed")
        with pytest.raises(NotSetUpError, match="never pushed"):
            world.accept(delivery(push()))
        assert world.queue.messages == []

    def test_a_source_that_can_be_none_is_refused_all_the_same(self) -> None:
        class NoNames(FixedSources):
            def source(self, name: str) -> Source:
                raise UnknownSourceError("a source's name has lower-case letters, digits and hyphens only")

        world = World()
        world.routes.trouble = OUTAGE
        verifier = Verifier(world.routes, NoNames({}, OUTAGE), world.secrets)
        with pytest.raises(UnknownSourceError):
            verifier.verify(UnverifiedDelivery(source="a/..", headers={}, body=b"", received_at=NOW))

    def test_when_the_queue_fails_too_that_is_raised(self) -> None:
        world = World()
        world.secrets.trouble = OUTAGE
        world.queue.trouble, world.queue.longest_message = ServiceTrouble("the queue"), 0
        with pytest.raises(ServiceTrouble, match="the queue"):
            world.accept(delivery(push()))


class TestDeferring:
    """What is verified is kept from the first event on that can't be processed."""

    def test_what_was_started_is_told_and_the_event_waits(self, metrics: dict[str, Any]) -> None:
        world = World({**ROUTES, "routes": {"web": WEB, "docs": WEB}}, KeptExecutions(OUTAGE, answers_left=1))
        result = world.accept(delivery(push()))
        assert [request["route"] for request in result.requests] == ["web"]
        assert result.deferred == [{"kind": "push", "repository": "acme/web", "ref": "refs/heads/main"}]
        (queued,) = world.queued()
        assert isinstance(queued, QueuedEvent)
        assert (queued.source, queued.delivery_id, queued.received_at) == (
            "github",
            "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            NOW,
        )
        ((_, group, identity),) = world.queue.messages
        assert (group, identity) == (queued.group, queued.event.digest)
        assert sum(metrics["EventsDeferred"]["Value"]) == 1

    def test_no_event_after_the_first_that_failed_is_tried(self) -> None:
        world = World(executions=KeptExecutions(OUTAGE, answers_left=1))
        events = [
            Event(kind=EventKind.PUSH, repository="acme/web", branch="main", ref="refs/heads/main", after=commit * 40)
            for commit in "123"
        ]
        result = world.verified_intake.accept(Delivery(tuple(events)), Origin("github", "d-1", NOW))
        assert (len(result.requests), len(result.deferred)) == (1, 2)
        assert world.executions.calls == 2
        assert [queued.event.after for queued in world.queued() if isinstance(queued, QueuedEvent)] == [
            "2" * 40,
            "3" * 40,
        ]

    def test_what_asks_for_nothing_does_not_wait(self) -> None:
        world = World()
        ping = Delivery((Event(kind=EventKind.PING),))
        result = world.verified_intake.accept(ping, Origin("github", "d-1", NOW), trouble=OUTAGE)
        assert (result.deferred, world.queue.messages) == ([], [])
        assert len(result.ignored) == 1

    def test_one_that_is_too_large_waits_without_its_files(self) -> None:
        world = World(executions=KeptExecutions(OUTAGE, answers_left=0))
        world.queue.trouble, world.queue.longest_message = ServiceTrouble("too large"), 5_000
        world.accept(
            delivery(push(commits=[{**push()["head_commit"], "added": ["x" * 80 + str(n) for n in range(100)]}]))
        )
        (queued,) = world.queued()
        assert isinstance(queued, QueuedEvent)
        assert (queued.event.changed_files, queued.event.branch) == (None, "main")

    def test_when_the_queue_fails_too_that_is_raised(self) -> None:
        world = World(executions=KeptExecutions(OUTAGE, answers_left=0))
        world.queue.trouble, world.queue.longest_message = ServiceTrouble("the queue"), 0
        with pytest.raises(ServiceTrouble, match="the queue"):
            world.accept(delivery(push()))


JOB = {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}
NIGHTLY = {"when": {"schedule": {"expression": "rate(1 day)"}}, "request": WEB["request"] | {"parameters": JOB}}


class TestEventsOfAws:
    """receive_event's events come whether a route waits for them or not."""

    def schedule(self) -> Delivery:
        return Delivery((Event(kind=EventKind.SCHEDULE, schedule=Schedule(route="nightly", scheduled_time="t")),))

    @pytest.mark.parametrize(
        ("event", "source"),
        [
            (Event(kind=EventKind.SCHEDULE, schedule=Schedule(route="nightly", scheduled_time="t")), "aws.scheduler"),
            (Event(kind=EventKind.PUSH, repository="web", branch="main"), CODECOMMIT),
        ],
    )
    def test_before_the_first_push_of_routes_they_are_ignored(self, event: Event, source: str) -> None:
        world = World()
        world.routes.trouble = NotSetUpError("routes were never pushed")
        result = world.verified_intake.accept(Delivery((event,)), Origin(source, "d-1", NOW))
        assert (result.requests, result.deferred) == ([], [])
        assert result.ignored

    def test_a_route_that_was_pushed_a_moment_ago_is_read(self) -> None:
        world = World()
        world.routes.newer = Routes.model_validate({"routes": {"nightly": NIGHTLY}})
        result = world.verified_intake.accept(self.schedule(), Origin("aws.scheduler", "d-1", NOW))
        assert [request["route"] for request in result.requests] == ["nightly"]

    def test_who_asks_outright_for_what_can_t_be_is_told_so_by_a_rejection(self) -> None:
        world = World()
        request = RequestedJob.model_validate({"route": "gone", "requestId": "r", "reason": "a test"})
        event = Event(kind=EventKind.REQUEST, request=request, key="r")
        result = world.verified_intake.accept(Delivery((event,)), Origin("aws.lambda", "d-1", NOW))
        assert result.requests == []
        (rejected,) = world.executions.requests
        assert (rejected.route, rejected.fault) == ("gone", "there is no route gone")
        assert (rejected.cause.reason, rejected.cause.delivery_id) == ("a test", "d-1")

    def test_a_job_that_an_invocation_asks_for_outright_needs_no_routes(self) -> None:
        world = World()
        world.routes.trouble = OUTAGE
        request = RequestedJob.model_validate({"operation": "start_job", "parameters": JOB})
        event = Event(kind=EventKind.REQUEST, request=request, key="r", channel=Channel.INVOCATION)
        result = world.verified_intake.accept(Delivery((event,)), Origin("aws.lambda", "d-1", NOW))
        assert [request["operation"] for request in result.requests] == ["start_job"]
