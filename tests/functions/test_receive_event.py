"""receive_event against moto: what becomes of events, and of unreadable ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs.errors import ServiceTrouble, UnreadableDeliveryError
from tests.support.aws_stand_in import AwsStandIn, serving_aws
from tests.support.intake_stack import Clients, IntakeStack

REPOSITORY = Path(__file__).parents[2]
JOB = {"operation": "start_job", "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}}
NIGHTLY = {"schedule": {"route": "nightly", "scheduledTime": "2026-11-22T02:00:00Z"}}
ROUTES = {
    "routes": {
        "nightly": {"when": {"schedule": {"expression": "cron(0 3 * * ? *)"}}, "request": JOB},
        "web": {"when": {"push": {"repository": "acme/web"}}, "request": JOB},
        "docs": {"when": {"push": {"repository": "acme/docs"}}, "request": JOB},
    }
}


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandIn]:
    with serving_aws() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def clients(aws: AwsStandIn) -> Clients:
    return Clients.of(aws)


@dataclass(frozen=True)
class Stack(IntakeStack):
    """The stack with the routes of the tests."""

    def new_function(self, name: str = "receive_event") -> Callable[..., Any]:
        return super().new_function(name)


@pytest.fixture
def stack(aws: AwsStandIn, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Stack:
    stack = Stack.create(aws, clients, monkeypatch)
    stack.push_routes(ROUTES)
    aws.calls.clear()
    return stack


class TestEvents:
    def test_a_schedule_starts_its_route_and_no_other_once_for_a_time(self, stack: Stack) -> None:
        function = stack.new_function()
        for invocation, duplicate in (("i-1", False), ("i-2", True)):
            (request,) = function(NIGHTLY, invocation)["requests"]
            assert (request["route"], request["duplicate"]) == ("nightly", duplicate)
        (sent,) = stack.inputs()
        assert sent["cause"]["source"] == "aws.scheduler"

    def test_a_route_that_was_pushed_a_moment_ago_is_found(self, stack: Stack) -> None:
        stack.push_routes({"routes": {"web": ROUTES["routes"]["web"]}})
        function = stack.new_function()
        assert function(NIGHTLY)["requests"] == []
        stack.push_routes(ROUTES)
        assert [request["route"] for request in function(NIGHTLY)["requests"]] == ["nightly"]

    def test_a_job_that_is_asked_for_outright_needs_no_routes(self, stack: Stack) -> None:
        stack.s3.delete_object(Bucket="bucket", Key="routes.json")
        assert stack.new_function()(JOB)["requests"][0]["operation"] == "start_job"

    @pytest.mark.parametrize("example", ["object", "codecommit_push", "schedule", "named_route"])
    def test_before_the_first_push_of_routes_an_event_is_no_routes_concern(self, stack: Stack, example: str) -> None:
        stack.s3.delete_object(Bucket="bucket", Key="routes.json")
        event = json.loads((REPOSITORY / "events" / f"receive_event.{example}.json").read_text())
        answer = stack.new_function()(event)
        assert (answer["deferred"], stack.message_count()) == ([], 0)
        assert answer["ignored"]

    def test_what_no_route_waits_for_starts_nothing(self, stack: Stack) -> None:
        event = json.loads((REPOSITORY / "events" / "receive_event.object.json").read_text())
        answer = stack.new_function()(event)
        assert (answer["requests"], stack.inputs()) == ([], [])
        assert {ignored["route"] for ignored in answer["ignored"]} == {"nightly", "web", "docs"}

    def test_a_request_for_a_route_that_is_not_there_is_rejected_by_name(self, stack: Stack) -> None:
        stack.new_function()({"route": "gone", "requestId": "r"})
        (sent,) = stack.inputs()
        assert (sent["route"], sent["fault"]) == ("gone", "there is no route gone")

    def test_a_request_that_names_a_route_is_started_when_it_comes_out_of_the_queue(self, stack: Stack) -> None:
        stack.push_routes({"routes": {"refresh": {"when": {"request": {}}, "request": JOB}}})
        stack.aws.answers_left["states"] = 0
        assert len(stack.new_function()({"route": "refresh", "requestId": "r"})["deferred"]) == 1
        stack.aws.answers_left.clear()
        assert stack.drain() == {"batchItemFailures": []}
        assert [sent["route"] for sent in stack.inputs()] == ["refresh"]

    @pytest.mark.parametrize("service", ["s3", "states"])
    def test_trouble_defers_an_event(self, stack: Stack, service: str) -> None:
        stack.aws.answers_left[service] = 0
        assert len(stack.new_function()(NIGHTLY)["deferred"]) == 1
        assert stack.message_count() == 1

    def test_if_the_queue_fails_too_lambda_is_to_try_again(self, stack: Stack) -> None:
        stack.aws.answers_left.update({"states": 0, "sqs": 0})
        with pytest.raises(ServiceTrouble):
            stack.new_function()(NIGHTLY)


BUS_JOB = {"id": "e-1", "detail-type": "Job Requested", "source": "com.acme.cms", "detail": JOB}


class TestLimits:
    """What `bus.allow` does to requests; an invocation has no limit."""

    def test_a_request_that_is_not_allowed_is_rejected_with_the_reason(self, stack: Stack) -> None:
        stack.push_routes({**ROUTES, "bus": {"allow": {"routes": ["nightly"]}}})
        answer = stack.new_function()(BUS_JOB)
        reason = "the bus may not request operation start_job; allow it under bus.allow in routes.yaml"
        assert answer["requests"] == []
        assert [ignored["reason"] for ignored in answer["ignored"]] == [reason]
        assert [sent["fault"] for sent in stack.inputs()] == [reason]

    def test_a_request_that_is_allowed_is_started(self, stack: Stack) -> None:
        stack.push_routes({**ROUTES, "bus": {"allow": {"operations": ["start_job"], "apps": ["d1a2b3c4d5e6"]}}})
        assert len(stack.new_function()(BUS_JOB)["requests"]) == 1
        assert stack.inputs()[0]["fault"] is None

    def test_an_invocation_has_no_limit(self, stack: Stack) -> None:
        stack.push_routes({**ROUTES, "bus": {"allow": {}}})
        assert len(stack.new_function()(JOB)["requests"]) == 1

    def test_before_the_first_push_the_bus_has_no_limit(self, stack: Stack) -> None:
        stack.s3.delete_object(Bucket="bucket", Key="routes.json")
        assert len(stack.new_function()(BUS_JOB)["requests"]) == 1

    def test_while_the_routes_can_t_be_read_a_request_waits_and_is_then_held_against_them(self, stack: Stack) -> None:
        stack.push_routes({**ROUTES, "bus": {"allow": {}}})
        stack.aws.answers_left["s3"] = 0
        answer = stack.new_function()(BUS_JOB)
        assert (answer["requests"], len(answer["deferred"])) == ([], 1)
        del stack.aws.answers_left["s3"]
        assert stack.drain() == {"batchItemFailures": []}
        (sent,) = stack.inputs()
        assert sent["fault"].startswith("the bus may not request operation start_job")


class TestUnreadable:
    def test_it_fails_so_that_it_is_kept_and_is_rejected_once(self, stack: Stack) -> None:
        function = stack.new_function()
        for _ in range(3):
            with pytest.raises(UnreadableDeliveryError, match="colour"):
                function({**JOB, "colour": "red"}, "i-1")
        (sent,) = stack.inputs()
        assert "colour" in sent["fault"]
        assert sent["parameters"] == {"appId": "d1a2b3c4d5e6", "branchName": "main"}

    def test_another_is_another(self, stack: Stack) -> None:
        function = stack.new_function()
        for invocation in ("i-1", "i-2"):
            with pytest.raises(UnreadableDeliveryError):
                function("nonsense", invocation)
        assert len(stack.inputs()) == 2

    def test_without_step_functions_the_trouble_is_raised(self, stack: Stack) -> None:
        stack.aws.answers_left["states"] = 0
        with pytest.raises(ServiceTrouble):
            stack.new_function()("nonsense")
