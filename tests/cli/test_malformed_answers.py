"""Answers of status 200 that are none: every call of the command line ends in one line, never in a traceback."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest
from werkzeug.wrappers import Request, Response

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs_cli.cli import main
from amplify_jobs_cli.push.account_reader import AccountReader
from amplify_jobs_cli.push.lookup import Reach, Use
from amplify_jobs_cli.push.schedules import ScheduleChanges, ScheduleTarget
from amplify_jobs_cli.recovery.dead_letters import DeadLetter
from amplify_jobs_cli.recovery.recover import DeadLetterMessage
from amplify_jobs_cli.recovery.redrive import FailedExecution
from amplify_jobs_cli.stack import Stack
from tests.support.aws_stand_in import AwsStandIn

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_ssm.client import SSMClient


ANSWERS = {
    "a page": b"<html>Bad gateway</html>",
    "another answer": b'{"nonsense": [true]}',
    "a list": b"[]",
    "no text": b"\xff\xfe",
    "nothing": b"",
}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LETTER = DeadLetterMessage("receipt", NOW, DeadLetter("announce", {}, "it failed"))
EXECUTION = FailedExecution("arn:aws:states:eu-west-1:123456789012:execution:jobs:web-1", "FAILED", NOW, NOW)
NEW = ScheduleChanges(created={"nightly": {"ScheduleExpression": "rate(1 day)"}}, changed={}, removed=())
OTHER = ScheduleChanges(created={}, changed={"nightly": {"ScheduleExpression": "rate(1 day)"}}, removed=())

# The name of a call, its service, and the call: each needs what the answer has to say.
CALLS: list[tuple[str, str, Callable[[Stack], object]]] = [
    ("the stack", "ssm", lambda stack: Stack.find(stack.name)),
    ("the caller", "sts", lambda stack: stack.caller()),
    ("storing routes", "s3", lambda stack: stack.store_routes(b"{}")),
    ("the sources", "ssm", lambda stack: stack.stored_sources()),
    ("changing sources", "ssm", lambda stack: stack.change_sources({"github": "{}"}, ())),
    ("missing secrets", "ssm", lambda stack: stack.missing_secrets(["/amplify-jobs/secrets/github"])),
    ("the schedules", "scheduler", lambda stack: stack.scheduler().stored()),
    ("new schedules", "scheduler", lambda stack: stack.scheduler().apply(NEW)),
    ("changed schedules", "scheduler", lambda stack: stack.scheduler().apply(OTHER)),
    ("processing again", "lambda", lambda stack: stack.recovery().process_again(LETTER)),
    ("requesting again", "states", lambda stack: stack.recovery().request_again("web-1")),
    ("failed executions", "states", lambda stack: stack.recovery().failed_executions(["FAILED"])),
    ("redriving", "states", lambda stack: stack.recovery().redrive(EXECUTION)),
]
# What answers nothing, or may: nothing, and what is not read, is an answer.
SILENT_CALLS: list[tuple[str, str, Callable[[Stack], object]]] = [
    ("stored routes", "s3", lambda stack: stack.stored_routes()),
    ("removed sources", "ssm", lambda stack: stack.change_sources({}, ["github"])),
    ("removed schedules", "scheduler", lambda stack: stack.scheduler().apply(ScheduleChanges({}, {}, ("nightly",)))),
    ("dead letters", "sqs", lambda stack: stack.recovery().dead_letters()),
]
every_answer = pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)


@dataclass(frozen=True)
class Malformed:
    """A service that gives every call the same answer."""

    body: bytes

    def handle(self, service: str, request: Request) -> Response:
        return Response(self.body, content_type="application/json")


@pytest.fixture(scope="module")
def stack(ssm: SSMClient, s3: S3Client) -> Stack:
    """One for all tests: a session reads all of botocore's data."""
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:receive-event"
    return Stack(
        name="amplify-jobs",
        region="eu-west-1",
        api_url="https://api.example.com",
        bucket="bucket",
        routes_key="routes.json",
        session=boto3.Session("AKIATEST", "test", region_name="eu-west-1"),
        state_machine_arn="arn:aws:states:eu-west-1:123456789012:stateMachine:jobs",
        dead_letter_queue_url="https://sqs.example.com/dead-letters",
        reach=Reach(region="eu-west-1", own_bucket="bucket", readable_buckets=frozenset()),
        schedules=ScheduleTarget(group="amplify-jobs", function_arn=arn, role_arn=arn, dead_letter_queue_arn=arn),
        s3=s3,
        ssm=ssm,
    )


@pytest.fixture(autouse=True)
def _good_order(aws: AwsStandIn) -> None:
    aws.services.clear()


@every_answer
@pytest.mark.parametrize(("service", "call"), [call[1:] for call in CALLS], ids=[name for name, *_ in CALLS])
def test_a_malformed_answer_is_trouble(
    aws: AwsStandIn, stack: Stack, service: str, call: Callable[[Stack], object], answer: bytes
) -> None:
    aws.services[service] = Malformed(answer)
    with pytest.raises(ServiceTrouble):
        call(stack)


@every_answer
@pytest.mark.parametrize(
    ("service", "call"), [call[1:] for call in SILENT_CALLS], ids=[name for name, *_ in SILENT_CALLS]
)
def test_a_call_that_answers_nothing_raises_nothing_else(
    aws: AwsStandIn, stack: Stack, service: str, call: Callable[[Stack], object], answer: bytes
) -> None:
    aws.services[service] = Malformed(answer)
    with suppress(ServiceTrouble):
        call(stack)


@every_answer
def test_what_an_account_answers_is_no_failure_of_a_push(aws: AwsStandIn, stack: Stack, answer: bytes) -> None:
    reader = AccountReader.connect(stack.session)
    for service in ("amplify", "s3"):
        aws.services[service] = Malformed(answer)
    account = reader.read([Use("web", "d1", None, event_bucket="builds", artifact_bucket="artifacts")])
    assert account.apps == {}
    assert any("apps and branches were not looked up" in trouble for trouble in reader.troubles)


@pytest.mark.usefixtures("_stack")
def test_a_command_says_it_in_one_line(aws: AwsStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    aws.services["states"] = Malformed(ANSWERS["a page"])
    assert main(["redrive", "--since", "1h", "--dry-run"]) == 1
    assert capsys.readouterr().err == "amplify-jobs: the executions can't be listed: an invalid answer (KeyError)\n"
