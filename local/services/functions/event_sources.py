"""SQS event source mappings: polls a queue, hands batches to a function, and takes out what the function has done.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.permissions.authorization import Authorization
from local.server.protocol.errors import ServiceError
from local.services.clients import Clients
from local.services.functions.runtime import Outcome
from local.services.sqs import has_messages

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = logging.getLogger(__name__)

POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What Lambda wants of a function's role before it makes a mapping."""

SESSION = "event-source-mapping"
LOOK_SECONDS = 0.05
"""Between two looks whether a queue has messages. A look costs a fortieth of a call."""
IDLE_SECONDS = 0.25
"""After a call that gave nothing: it failed, or the messages wait for others of their group."""

DEFAULT_BATCH = 10
SYSTEM_ATTRIBUTES = (
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
)


@dataclass(frozen=True)
class QueueMapping:
    """One event source mapping; with `partial` the function says which messages of a batch failed."""

    queue_arn: str
    function: str
    batch_size: int = DEFAULT_BATCH
    partial: bool = False
    role: str = ""


class EventSources:
    """The mappings of a stack, each polled by one thread; batches of one queue run one after another.

    A message that the function does not take becomes visible again when the queue's visibility timeout, or what the
    function set instead, is over; the queue's own redrive policy ends that.
    """

    def __init__(
        self, clients: Clients, authorization: Authorization, region: str, invoke: Callable[[str, bytes], Outcome]
    ) -> None:
        self._clients = clients
        self._authorization = authorization
        self._region = region
        self._invoke = invoke
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def add(self, mapping: QueueMapping) -> None:
        """Begin to poll a queue, in the function's role.

        Raises ClientError for a queue that does not exist, ServiceError for a role that may not poll it.
        """
        for action in POLLING:
            try:
                self._authorization.check_action(mapping.role, SESSION, action, mapping.queue_arn)
            except ServiceError as error:
                call = action.partition(":")[2]
                message = (
                    f"The function's execution role does not have permissions to call {call} on SQS: {error.message}"
                )
                raise ServiceError("InvalidParameterValueException", message) from None
        name = mapping.queue_arn.rpartition(":")[2]
        url = self._clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        clients = self._clients.signed_by(self._authorization.roles.assume(mapping.role, SESSION))
        thread = threading.Thread(target=self._poll, args=(mapping, clients, url), name=f"poll-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            # One that waits for a function ends with the function.
            thread.join(timeout=1)

    def _poll(self, mapping: QueueMapping, clients: Clients, url: str) -> None:
        while not self._stopped.is_set():
            if not has_messages(self._region, mapping.queue_arn.rpartition(":")[2]):
                self._stopped.wait(LOOK_SECONDS)
                continue
            try:
                messages = self._receive(mapping, clients, url)
                if messages:
                    self._process(mapping, clients, url, messages)
                    continue
            except (ClientError, BotoCoreError, ServiceError) as error:
                # AWS's pollers go on, too, when SQS or the function can't be reached.
                if not self._stopped.is_set():
                    log.warning("%s can't be polled for now: %s", mapping.queue_arn, error)
            self._stopped.wait(IDLE_SECONDS)

    def _receive(self, mapping: QueueMapping, clients: Clients, url: str) -> Sequence[MessageTypeDef]:
        answer = clients.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(mapping.batch_size, 10),
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def _process(self, mapping: QueueMapping, clients: Clients, url: str, messages: Sequence[MessageTypeDef]) -> None:
        records = [self._record(mapping, message) for message in messages]
        outcome = self._invoke(mapping.function, json.dumps({"Records": records}).encode())
        failed = _failed(mapping, outcome, {message["MessageId"] for message in messages})
        for message in messages:
            if message["MessageId"] not in failed:
                clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _record(self, mapping: QueueMapping, message: MessageTypeDef) -> dict[str, Any]:
        system: Any = message.get("Attributes", {})
        message_attributes: Mapping[str, Any] = message.get("MessageAttributes", {})
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {name: str(system[name]) for name in SYSTEM_ATTRIBUTES if name in system},
            "messageAttributes": {
                name: {"dataType": value["DataType"], "stringValue": value.get("StringValue")}
                for name, value in message_attributes.items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": mapping.queue_arn,
            "awsRegion": self._region,
        }


def _failed(mapping: QueueMapping, outcome: Outcome, batch: set[str]) -> set[str]:
    """Which messages of a batch stay in the queue: those that the function names, or all if its answer makes no sense.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    """
    if outcome.function_error is not None:
        return batch
    if not mapping.partial:
        return set()
    try:
        answer = json.loads(outcome.payload or b"null")
        named = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures") or []}
    except (ValueError, KeyError, TypeError, AttributeError):
        return batch
    return named if named <= batch else batch
