"""drain_intake against moto: a batch of the intake queue becomes executions, and what failed is hidden.

In which order, and what waits for what, is decided in tests/unit/intake/test_drain.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs.events.event import Event, EventKind
from amplify_jobs.intake.message import QueuedEvent
from tests.support.aws_stand_in import AwsStandIn, serving_aws
from tests.support.intake_stack import Clients, IntakeStack, record

EXAMPLE = Path(__file__).parents[2] / "events" / "drain_intake.json"
JOB = {"operation": "start_job", "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"}}
ROUTES = {
    "routes": {
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


@pytest.fixture
def stack(aws: AwsStandIn, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> IntakeStack:
    stack = IntakeStack.create(aws, clients, monkeypatch)
    stack.push_routes(ROUTES)
    return stack


def queued_push(repository: str, commit: str) -> str:
    """A push as it waits in the queue."""
    event = Event(
        kind=EventKind.PUSH, repository=repository, ref="refs/heads/main", branch="main", after=commit, commit=commit
    )
    queued = QueuedEvent(source="github", received_at=datetime(2026, 11, 22, tzinfo=UTC), event=event)
    return queued.model_dump_json(by_alias=True)


def batch(stack: IntakeStack, *messages: tuple[str, str]) -> dict[str, Any]:
    """A batch as Lambda makes it of messages that lie in the queue: repository and commit, or a body as it is."""
    stack.sqs.purge_queue(QueueUrl=stack.environment["INTAKE_QUEUE_URL"])
    for number, (repository, content) in enumerate(messages):
        stack.sqs.send_message(
            QueueUrl=stack.environment["INTAKE_QUEUE_URL"],
            MessageBody=queued_push(repository, content) if len(content) == 1 else content,
            MessageGroupId=repository.replace("/", "-"),
            MessageDeduplicationId=str(number),
        )
    return {"Records": [record(message) for message in stack.messages()]}


def failed(batch: dict[str, Any], answer: Any) -> list[int]:
    """The positions of the messages that the answer names."""
    ids = [record["messageId"] for record in batch["Records"]]
    return [ids.index(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def hidden_for(stack: IntakeStack) -> list[int]:
    changes = [body for target, body in stack.aws.bodies if target == "AmazonSQS.ChangeMessageVisibility"]
    return [json.loads(body)["VisibilityTimeout"] for body in changes]


def test_all_are_started_in_their_order_and_once(stack: IntakeStack) -> None:
    event = batch(stack, ("acme/web", "a"), ("acme/docs", "b"), ("acme/web", "c"))
    function = stack.new_function("drain_intake")
    for _ in range(2):
        assert function(event) == {"batchItemFailures": []}
    started = [(sent["route"], sent["cause"]["commit"]) for sent in stack.inputs()]
    assert started == [("web", "a"), ("docs", "b"), ("web", "c")]
    assert hidden_for(stack) == []


def test_from_the_first_outage_on_all_are_hidden(stack: IntakeStack) -> None:
    event = batch(stack, ("acme/web", "a"), ("acme/docs", "b"), ("acme/web", "c"))
    stack.aws.answers_left["states"] = 1
    stack.aws.calls.clear()
    assert failed(event, stack.new_function("drain_intake")(event)) == [1, 2]
    assert stack.aws.calls.count("states") == 3, "one that worked, one tried twice"
    assert hidden_for(stack) == [5, 5]


def test_a_message_that_is_no_event_holds_up_its_own_group_alone(stack: IntakeStack) -> None:
    event = batch(stack, ("acme/web", "not an event"), ("acme/docs", "b"), ("acme/web", "c"))
    assert failed(event, stack.new_function("drain_intake")(event)) == [0, 2]
    assert [sent["cause"]["commit"] for sent in stack.inputs()] == ["b"]


def test_a_batch_that_fails_as_a_whole_is_no_error_even_if_it_can_t_be_hidden(stack: IntakeStack) -> None:
    event = batch(stack, ("acme/web", "a"))
    stack.aws.answers_left.update({"states": 0, "sqs": 0})
    assert failed(event, stack.new_function("drain_intake")(event)) == [0]


def test_the_log_says_what_waits_and_nothing_of_a_message(stack: IntakeStack, tmp_path: Path) -> None:
    event = batch(stack, ("acme/web", '{"event": "hush-hush"}'), ("acme/docs", "b"))
    stack.aws.answers_left["states"] = 0
    answer, written = stack.in_a_process("drain_intake", event, tmp_path / "answer")
    assert failed(event, answer) == [0, 1]
    lines = [json.loads(line) for line in written.splitlines()]
    logged = [line for line in lines if "message" in line]
    assert [line["message"] for line in logged] == ["A message is not an event", "The intake queue has to wait"]
    assert logged[0]["id"] == event["Records"][0]["messageId"]
    assert "receivedAt: Field required" in logged[0]["reason"]
    assert "hush-hush" not in written
    assert [line["EventsDrained"] for line in lines if "_aws" in line] == [[0.0]]


def test_the_example_is_drained(stack: IntakeStack) -> None:
    assert stack.new_function("drain_intake")(json.loads(EXAMPLE.read_text())) == {"batchItemFailures": []}
    assert [sent["route"] for sent in stack.inputs()] == ["web"]
