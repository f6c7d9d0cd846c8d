"""What waits in the dead-letter queue: which event, for which function, and why it was not processed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amplify_jobs.errors import AmplifyJobsError


class ForeignMessageError(AmplifyJobsError):
    """A message that neither EventBridge nor Lambda put into the queue."""


@dataclass(frozen=True)
class DeadLetter:
    """An event that was not processed; `function` is the name or ARN to invoke with it again."""

    function: str
    event: Any
    reason: str

    @property
    def description(self) -> str:
        """Name the event in a few words."""
        event = self.event if isinstance(self.event, dict) else {}
        return str(event.get("detail-type") or event.get("detailType") or "event")


def parse_dead_letter(body: str, attributes: Mapping[str, str]) -> DeadLetter:
    """Read a message of the dead-letter queue.

    `attributes` are the message's string attributes. EventBridge puts the event itself with the attributes TARGET_ARN
    and ERROR_CODE (EventBridge user guide, "Using dead-letter queues"); a Lambda destination puts an invocation record
    (Lambda developer guide, "Capturing records of asynchronous invocations"). EventBridge Scheduler's bear TARGET_ARN
    too; whether their body is the input alone, or the call to Lambda with the input as its Payload, AWS does not
    document, so both are read. Raises ForeignMessageError for anything else.
    """
    try:
        message = json.loads(body)
    except ValueError:
        raise ForeignMessageError("its body is not JSON") from None
    if not isinstance(message, dict):
        raise ForeignMessageError("its body is not a JSON object")
    if "TARGET_ARN" in attributes:
        reason = ": ".join(attributes[name] for name in ("ERROR_CODE", "ERROR_MESSAGE") if name in attributes)
        return DeadLetter(attributes["TARGET_ARN"], _invocation_input(message), reason)
    context = message.get("requestContext")
    if isinstance(context, dict) and isinstance(context.get("functionArn"), str) and "requestPayload" in message:
        answer = message.get("responsePayload")
        message_text = answer.get("errorMessage") if isinstance(answer, dict) else None
        reason = ": ".join(str(part) for part in (context.get("condition"), message_text) if part)
        return DeadLetter(context["functionArn"].removesuffix(":$LATEST"), message["requestPayload"], reason)
    raise ForeignMessageError("it does not name the function of the event")


def _invocation_input(message: dict[str, Any]) -> Any:
    """The input in a call to Lambda, or the message if it is none."""
    payload = message.get("Payload")
    try:
        return json.loads(payload) if isinstance(payload, str) and "FunctionName" in message else message
    except ValueError:
        return message
