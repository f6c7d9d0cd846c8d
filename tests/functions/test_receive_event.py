"""receive_event against moto: what becomes of events, of unreadable ones, and of batches of the intake queue."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from amplify_jobs.errors import ServiceTrouble, UnreadableDeliveryError
from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.intake.intake import QueuedEvent
from tests.support.aws_stand_in import AwsStandIn, serving_aws

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


class Stack:
    """What the template makes of the stack, as far as this function needs it."""

    def __init__(self, aws: AwsStandIn) -> None:
        session = boto3.Session("AKIATEST", "test", region_name="eu-west-1")
        client: Any = session.client
        self.aws = aws
        self.s3, self.sqs, self.states = (client(name, endpoint_url=aws.url) for name in ("s3", "sqs", "stepfunctions"))
        self.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        machine = self.states.create_state_machine(
            name="job",
            definition=json.dumps({"StartAt": "Job", "States": {"Job": {"Type": "Pass", "End": True}}}),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )
        attributes = {"FifoQueue": "true", "VisibilityTimeout": "1000"}
        self.machine = machine["stateMachineArn"]
        self.queue = self.sqs.create_queue(QueueName="intake.fifo", Attributes=attributes)["QueueUrl"]

    def push_routes(self, routes: Any) -> None:
        self.s3.put_object(Bucket="bucket", Key="routes.json", Body=json.dumps(routes).encode())

    def new_function(self) -> Callable[..., Any]:
        """A function that just started: the module is loaded anew, with nothing cached."""
        path = REPOSITORY / "functions" / "receive_event" / "handler.py"
        spec = importlib.util.spec_from_file_location("receive_event_handler", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)

        def invoke(event: Any, invocation_id: str = "i-1") -> Any:
            context = SimpleNamespace(
                function_name="receive-event",
                memory_limit_in_mb=512,
                aws_request_id=invocation_id,
                invoked_function_arn="arn:aws:lambda",
            )
            return module.handler(event, context)

        return invoke

    def inputs(self) -> list[dict[str, Any]]:
        """The inputs of all executions, oldest first."""
        listed = self.states.list_executions(stateMachineArn=self.machine)["executions"]
        listed.sort(key=lambda one: one["startDate"])
        described = (self.states.describe_execution(executionArn=one["executionArn"]) for one in listed)
        return [json.loads(one["input"]) for one in described]

    def waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(map(int, counts.values()))


@pytest.fixture
def stack(aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> Stack:
    aws.reset()
    made = Stack(aws)
    environment = {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "test",
        "BUCKET_NAME": "bucket",
        "ROUTES_KEY": "routes.json",
        "SOURCES_PATH": "/amplify-jobs/sources",
        "STATE_MACHINE_ARN": made.machine,
        "INTAKE_QUEUE_URL": made.queue,
        "POWERTOOLS_SERVICE_NAME": "amplify-jobs",
        "POWERTOOLS_METRICS_NAMESPACE": "amplify-jobs",
        "LOG_LEVEL": "INFO",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made.push_routes(ROUTES)
    aws.calls.clear()
    return made


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
        assert (answer["deferred"], stack.waiting()) == ([], 0)
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

    @pytest.mark.parametrize("service", ["s3", "states"])
    def test_trouble_defers_an_event(self, stack: Stack, service: str) -> None:
        stack.aws.answers_left[service] = 0
        assert len(stack.new_function()(NIGHTLY)["deferred"]) == 1
        assert stack.waiting() == 1

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
        (message,) = stack.sqs.receive_message(QueueUrl=stack.queue, MessageSystemAttributeNames=["All"])["Messages"]
        record = {
            "messageId": "0",
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "eventSource": "aws:sqs",
        }
        assert stack.new_function()({"Records": [record]}) == {"batchItemFailures": []}
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


def arrival(repository: str, commit: str) -> str:
    """A push as it waits in the queue."""
    event = Event(
        kind=EventKind.PUSH, repository=repository, ref="refs/heads/main", branch="main", after=commit, commit=commit
    )
    return QueuedEvent(source="github", received_at=datetime(2026, 11, 22, tzinfo=UTC), event=event).model_dump_json(
        by_alias=True
    )


class TestDraining:
    def batch(self, stack: Stack, *messages: tuple[str, str], received: int = 1) -> dict[str, Any]:
        """A batch as Lambda makes it of messages that lie in the queue: repository and commit, or a body as it is."""
        records = []
        for number, (group, text) in enumerate(messages):
            stack.sqs.send_message(
                QueueUrl=stack.queue,
                MessageBody=arrival(group, text) if len(text) == 1 else text,
                MessageGroupId=group.replace("/", "-"),
                MessageDeduplicationId=str(number),
            )
        received_messages = stack.sqs.receive_message(
            QueueUrl=stack.queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )["Messages"]
        for number, message in enumerate(received_messages):
            attributes = {**message["Attributes"], "ApproximateReceiveCount": str(received)}
            record = {"messageId": str(number), "receiptHandle": message["ReceiptHandle"], "body": message["Body"]}
            records.append({**record, "attributes": attributes, "eventSource": "aws:sqs"})
        return {"Records": records}

    def failed(self, answer: Any) -> list[int]:
        return [int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]

    def test_all_are_started_in_their_order(self, stack: Stack) -> None:
        batch = self.batch(stack, ("acme/web", "a"), ("acme/docs", "b"), ("acme/web", "c"))
        assert self.failed(stack.new_function()(batch)) == []
        assert [(sent["route"], sent["cause"]["commit"]) for sent in stack.inputs()] == [
            ("web", "a"),
            ("docs", "b"),
            ("web", "c"),
        ]

    def test_a_batch_that_comes_again_starts_nothing_again(self, stack: Stack) -> None:
        batch = self.batch(stack, ("acme/web", "a"))
        function = stack.new_function()
        assert self.failed(function(batch)) == self.failed(function(batch)) == []
        assert len(stack.inputs()) == 1

    def test_from_the_first_trouble_on_all_wait(self, stack: Stack) -> None:
        batch = self.batch(stack, ("acme/web", "a"), ("acme/docs", "b"), ("acme/web", "c"))
        stack.aws.answers_left["states"] = 1
        assert self.failed(stack.new_function()(batch)) == [1, 2]
        assert stack.aws.calls.count("states") == 3, "one that worked, one tried twice"

    def test_a_message_that_is_no_event_holds_up_its_own_group_alone(self, stack: Stack) -> None:
        batch = self.batch(stack, ("acme/web", "not an event"), ("acme/docs", "b"), ("acme/web", "c"))
        assert self.failed(stack.new_function()(batch)) == [0, 2]
        assert [sent["cause"]["commit"] for sent in stack.inputs()] == ["b"]

    @pytest.mark.parametrize(("received", "seconds"), [(1, 5), (2, 10), (4, 40), (7, 300), (299, 300)])
    def test_the_oftener_it_failed_the_longer_it_waits(self, stack: Stack, received: int, seconds: int) -> None:
        batch = self.batch(stack, ("acme/web", "a"), received=received)
        stack.aws.answers_left["states"] = 0
        stack.new_function()(batch)
        changes = [body for target, body in stack.aws.bodies if target == "AmazonSQS.ChangeMessageVisibility"]
        assert [json.loads(body)["VisibilityTimeout"] for body in changes] == [seconds]

    def test_if_it_can_t_be_hidden_the_queue_s_own_time_serves(self, stack: Stack) -> None:
        batch = self.batch(stack, ("acme/web", "a"))
        stack.aws.answers_left.update({"states": 0, "sqs": 0})
        assert self.failed(stack.new_function()(batch)) == [0]
