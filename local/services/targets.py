"""Sends a text to whatever an ARN names: a function, queue, topic, state machine, bus or log group.

What event rules deliver to and what asynchronous invocations end in is the same here. Everything but functions and
buses goes through the AWS endpoint like any client's call, and so meets the same locks and faults. Who sends in a role
of the template may do what that role may.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local.permissions.authorization import Authorization
from local.server.protocol.errors import ServiceError
from local.services.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

SESSION = "delivery"
"""The name of the sessions in which services send what nobody called them for."""

RETRIABLE_CODES = ("Throttl", "TooManyRequests", "RequestThrottled", "RequestLimitExceeded", "SlowDown")


class NotDeliverableError(Exception):
    """A target did not take a text; `is_final` says that it never will."""

    def __init__(self, code: str, message: str, *, is_final: bool) -> None:
        super().__init__(message)
        self.code = code
        self.is_final = is_final


class Targets:
    """Everything that events and invocation records can be sent to.

    `invoke` hands a function's ARN and an event to the Lambda service, `emit` an event and a bus's ARN to EventBridge.
    """

    def __init__(
        self,
        clients: Clients,
        authorization: Authorization,
        *,
        invoke: Callable[[str, bytes], object],
        emit: Callable[[Mapping[str, Any], str], object],
    ) -> None:
        self._clients = clients
        self._authorization = authorization
        self._invoke_function = invoke
        self._put_event = emit
        self._queue_urls: dict[str, str] = {}

    def check(self, arn: str) -> None:
        """Raises NotDeliverableError for an ARN of a kind that nothing here can send to."""
        if self._sender(arn) is None:
            kinds = "Lambda functions, SQS queues, SNS topics, state machines, event buses and log groups"
            raise NotDeliverableError(
                "UNSUPPORTED", f"the local cloud delivers to {kinds}, not to {arn}", is_final=True
            )

    def send(self, arn: str, text: str, settings: Mapping[str, Any]) -> None:
        """Send a text; `settings` are those of a rule's or schedule's target. Raises NotDeliverableError."""
        self.check(arn)
        sender = self._sender(arn)
        if sender is not None:
            self._translating(lambda: sender(arn, text, settings))

    def send_message(self, arn: str, text: str, attributes: Mapping[str, str], *, role: str | None = None) -> None:
        """Send a text with attributes to a queue or topic, in a role if one is named by its ARN."""
        self._translating(lambda: self._send_with_attributes(arn, text, attributes, role))

    def send_record(self, arn: str, record: str, function_arn: str, *, role: str | None = None) -> None:
        """Send an invocation record to a destination; a bus gets it as Lambda's event about that function."""
        if ":event-bus/" not in arn:
            self.send(arn, record, {"RoleArn": role})
            return
        detail = json.loads(record)
        outcome = "Success" if detail["requestContext"]["condition"] == "Success" else "Failure"
        event = {
            "source": "lambda",
            "detail-type": f"Lambda Function Invocation Result - {outcome}",
            "resources": [arn, function_arn],
            "detail": detail,
        }
        self._translating(lambda: self._emit(event, arn, role))

    def _sender(self, arn: str) -> Callable[[str, str, Mapping[str, Any]], object] | None:
        service, _, rest = arn.removeprefix("arn:aws:").partition(":")
        kind = rest.split(":", 2)[-1]
        match service:
            case "lambda":
                return self._invoke
            case "sqs":
                return self._send_to_queue
            case "sns":
                return lambda arn, text, settings: self._signed(settings).sns.publish(TopicArn=arn, Message=text)
            case "states" if kind.startswith("stateMachine:"):
                return self._start_execution
            case "events" if kind.startswith("event-bus/"):
                return self._send_to_bus
            case "logs" if kind.startswith("log-group:"):
                return self._write_log
        return None

    def _clients_of(self, role: str | None) -> Clients:
        return self._clients.signed_by(self._authorization.roles.assume(role, SESSION) if role else None)

    def _signed(self, settings: Mapping[str, Any]) -> Clients:
        return self._clients_of(settings.get("RoleArn"))

    def _invoke(self, arn: str, text: str, settings: Mapping[str, Any]) -> None:
        self._authorization.check_action(settings.get("RoleArn"), SESSION, "lambda:InvokeFunction", arn)
        self._invoke_function(arn, text.encode())

    def _emit(self, event: Mapping[str, Any], bus: str, role: str | None) -> None:
        self._authorization.check_action(role, SESSION, "events:PutEvents", bus)
        self._put_event(event, bus)

    def _translating(self, send: Callable[[], object]) -> None:
        try:
            send()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            is_final = status < 500 and not code.startswith(RETRIABLE_CODES)
            raise NotDeliverableError(code, error.response["Error"]["Message"], is_final=is_final) from error
        except BotoCoreError as error:
            raise NotDeliverableError("SDK_CLIENT_ERROR", str(error), is_final=False) from error
        except ValueError as error:
            raise NotDeliverableError(
                "MalformedDetail", f"what the target got is no event: {error}", is_final=True
            ) from error
        except ServiceError as error:
            raise NotDeliverableError(error.code, error.message, is_final=error.status < 500) from error

    def _queue_url(self, arn: str) -> str:
        if arn not in self._queue_urls:
            self._queue_urls[arn] = self._clients.sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        return self._queue_urls[arn]

    def _send_to_queue(self, arn: str, text: str, settings: Mapping[str, Any]) -> None:
        parameters: Mapping[str, Any] = settings.get("SqsParameters") or {}
        group = parameters.get("MessageGroupId")
        more: dict[str, Any] = {"MessageGroupId": group} if group else {}
        self._signed(settings).sqs.send_message(QueueUrl=self._queue_url(arn), MessageBody=text, **more)

    def _start_execution(self, arn: str, text: str, settings: Mapping[str, Any]) -> None:
        self._signed(settings).stepfunctions.start_execution(stateMachineArn=arn, name=str(uuid4()), input=text)

    def _send_to_bus(self, arn: str, text: str, settings: Mapping[str, Any]) -> None:
        self._emit(json.loads(text), arn, settings.get("RoleArn"))

    def _write_log(self, arn: str, text: str, _: Mapping[str, Any]) -> None:
        group = arn.partition(":log-group:")[2].removesuffix(":*")
        stream = str(uuid4())
        self._clients.logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events: Any = [{"timestamp": int(time.time() * 1000), "message": text}]
        self._clients.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def _send_with_attributes(self, arn: str, text: str, attributes: Mapping[str, str], role: str | None) -> None:
        clients = self._clients_of(role)
        values: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        if arn.startswith("arn:aws:sqs:"):
            url = self._queue_url(arn)
            clients.sqs.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=values)
        else:
            attributes_: Any = values
            clients.sns.publish(TopicArn=arn, Message=text, MessageAttributes=attributes_)
