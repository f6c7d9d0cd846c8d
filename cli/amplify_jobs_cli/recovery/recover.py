"""A person's ways to have something processed again: dead letters, requests, and failed executions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import ErrorResponse, required_member
from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.replay import MOST_REPLAYS, make_replay, original_id
from amplify_jobs_cli.aws_calls import aws_call
from amplify_jobs_cli.recovery.dead_letters import DeadLetter, ForeignMessageError, parse_dead_letter
from amplify_jobs_cli.recovery.redrive import FailedExecution

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType

_CONFIG = client_config(attempts=3, connect_timeout=3, read_timeout=25)
# Long enough to look through the queue once without meeting a message twice.
_HIDDEN_SECONDS = 60
# What Lambda answers an asynchronous invocation (API: Invoke).
_ACCEPTED = 202
_NOT_REDRIVABLE = {"ExecutionNotRedrivable", "ExecutionDoesNotExist"}


@dataclass(frozen=True)
class DeadLetterMessage:
    """A message in the dead-letter queue; `letter` is None if it is unknown what it is, and `fault` says why."""

    receipt: str
    sent_at: datetime
    letter: DeadLetter | None
    fault: str = ""


class Recovery:
    """A stack's dead-letter queue and state machine. Every method raises ServiceTrouble naming what did not work."""

    def __init__(self, session: boto3.Session, *, queue_url: str, state_machine_arn: str) -> None:
        self._sqs = session.client("sqs", config=_CONFIG)
        self._lambda = session.client("lambda", config=_CONFIG)
        self._stepfunctions = session.client("stepfunctions", config=_CONFIG)
        self._queue_url = queue_url
        self._state_machine_arn = state_machine_arn

    def dead_letters(self) -> list[DeadLetterMessage]:
        """Read everything that waits; it stays in the queue, hidden from other readers for a minute."""
        with aws_call("the dead-letter queue can't be read"):
            return [_dead_letter_message(message) for message in self._messages()]

    def process_again(self, message: DeadLetterMessage) -> None:
        """Invoke the function with its event once more (asynchronously), and take the message out of the queue."""
        if message.letter is None:
            raise RequestRejected(f"the message of {message.sent_at:%Y-%m-%d %H:%M} can't be replayed: {message.fault}")
        with aws_call(f"{message.letter.function} can't be invoked"):
            answer = self._lambda.invoke(
                FunctionName=message.letter.function,
                InvocationType="Event",
                Payload=json.dumps(message.letter.event).encode(),
            )
            if answer["StatusCode"] != _ACCEPTED:
                raise ValueError(f"HTTP status {answer['StatusCode']}")
        with aws_call("a message that was processed again can't be taken out of the dead-letter queue"):
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.receipt)

    def request_again(self, request_id: str) -> str:
        """Start an execution for the same request under a request id of its own, and give that id.

        Raises RequestRejected if there is no such request.
        """
        raw = self._input_of(request_id)
        for number in range(1, MOST_REPLAYS + 1):
            request = make_replay(raw, number, datetime.now(UTC))
            try:
                with aws_call("Step Functions", _execution_exists):
                    answer = self._stepfunctions.start_execution(
                        stateMachineArn=self._state_machine_arn,
                        name=request.request_id,
                        input=request.model_dump_json(by_alias=True),
                    )
                    required_member(answer, "executionArn", str)
            except _ExecutionExistsError:
                continue
            return request.request_id
        raise RequestRejected(f"{original_id(request_id)} was replayed {MOST_REPLAYS} times already")

    def failed_executions(self, statuses: Iterable[ExecutionStatusType]) -> list[FailedExecution]:
        """List the executions that ended with one of the statuses FAILED, TIMED_OUT and ABORTED."""
        pages = self._stepfunctions.get_paginator("list_executions")
        with aws_call("the executions can't be listed"):
            return [
                FailedExecution(
                    execution["executionArn"], execution["status"], execution["startDate"], execution["stopDate"]
                )
                for status in statuses
                for page in pages.paginate(stateMachineArn=self._state_machine_arn, statusFilter=status)
                for execution in page["executions"]
            ]

    def redrive(self, execution: FailedExecution) -> None:
        """Have an execution go on where it failed. Raises RequestRejected if Step Functions does not redrive it."""
        failure = f"{execution.request_id} can't be redriven"

        def meaning(error: ErrorResponse) -> RequestRejected | None:
            return RequestRejected(f"{failure}: {error.message}") if error.code in _NOT_REDRIVABLE else None

        with aws_call(failure, meaning):
            answer = self._stepfunctions.redrive_execution(executionArn=execution.arn)
            required_member(answer, "redriveDate", datetime)

    def _input_of(self, request_id: str) -> object:
        arn = self._state_machine_arn.replace(":stateMachine:", ":execution:", 1) + f":{request_id}"

        def meaning(error: ErrorResponse) -> RequestRejected | None:
            if error.code != "ExecutionDoesNotExist":
                return None
            return RequestRejected(f"no request {request_id}: executions are kept for 90 days")

        with aws_call("Step Functions", meaning):
            return json.loads(self._stepfunctions.describe_execution(executionArn=arn)["input"])

    def _messages(self) -> Iterator[MessageTypeDef]:
        seen: set[str] = set()
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HIDDEN_SECONDS,
                # A long poll asks all of SQS's servers, a short one only some of them.
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            new = [message for message in answer.get("Messages", ()) if message["MessageId"] not in seen]
            if not new:
                return
            seen.update(message["MessageId"] for message in new)
            yield from new


class _ExecutionExistsError(Exception):
    """There is an execution of this name."""


def _execution_exists(error: ErrorResponse) -> _ExecutionExistsError | None:
    return _ExecutionExistsError() if error.code == "ExecutionAlreadyExists" else None


def _dead_letter_message(message: MessageTypeDef) -> DeadLetterMessage:
    attributes = {
        name: value["StringValue"]
        for name, value in message.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }
    sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    try:
        return DeadLetterMessage(message["ReceiptHandle"], sent_at, parse_dead_letter(message["Body"], attributes))
    except ForeignMessageError as error:
        return DeadLetterMessage(message["ReceiptHandle"], sent_at, None, str(error))
