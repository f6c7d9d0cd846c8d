"""Asynchronous invocations: attempts, waits between them, and where an event's record goes in the end.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.server.protocol.errors import ServiceError
from local.services.delivery import AGE, ATTEMPTS, DeadLetter, Progress, RetryPolicy, send_dead_letter
from local.services.functions.function import Function
from local.services.functions.runtime import Outcome
from local.services.targets import NotDeliverableError, Targets

log = logging.getLogger(__name__)

MAX_RETRIES = 2
MAX_AGE_SECONDS = 6 * 60 * 60
MAX_THROTTLED_WAIT = 30.0
CONDITIONS = {ATTEMPTS: "RetriesExhausted", AGE: "EventAgeExceeded"}
"""How an invocation record names the limit that ended an event's attempts."""


@dataclass(frozen=True)
class AsyncConfig:
    """What becomes of a function's events: AWS's defaults unless the template says otherwise."""

    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(MAX_RETRIES, MAX_AGE_SECONDS))
    on_failure: str | None = None
    on_success: str | None = None


@dataclass
class Event:
    """One event on its way into a function. An attempt that is throttled counts as none."""

    function: Function
    payload: bytes
    request_id: str
    config: AsyncConfig
    progress: Progress = field(default_factory=Progress)
    throttled: int = 0


class AsyncEvents:
    """Runs events in threads of their own; `invoke` runs one attempt and raises ServiceError if it is throttled.

    `retry_seconds` are the waits before the second and third attempt at an event; AWS waits one and two minutes.
    """

    def __init__(self, invoke: Callable[[Event], Outcome], targets: Targets, retry_seconds: Sequence[float]) -> None:
        self._invoke = invoke
        self._targets = targets
        self._retry_seconds = retry_seconds
        self._stopped = threading.Event()

    def accept(self, event: Event) -> None:
        threading.Thread(target=self._run, args=(event,), name="lambda-event", daemon=True).start()

    def close(self) -> None:
        self._stopped.set()

    def _run(self, event: Event) -> None:
        while not self._stopped.is_set():
            outcome, wait = self._attempt(event)
            if self._stopped.is_set():
                return
            if outcome.function_error is None:
                self._send_record(event.config.on_success, "Success", event, outcome)
                return
            exhausted = event.config.policy.exhausted(event.progress.attempts, event.progress.age(wait))
            if exhausted is not None:
                self._give_up(CONDITIONS[exhausted], event, outcome)
                return
            self._stopped.wait(wait)

    def _attempt(self, event: Event) -> tuple[Outcome, float]:
        """What came of the next attempt, and how long to wait should it have failed."""
        try:
            outcome = self._invoke(event)
        except ServiceError as error:
            # Throttled events do not use up attempts: AWS repeats them for as long as they may grow old.
            event.throttled += 1
            wait = min(0.1 * 2.0**event.throttled, MAX_THROTTLED_WAIT)
            document = {"errorType": error.code, "errorMessage": error.message}
            return Outcome(json.dumps(document).encode(), "Unhandled"), wait
        event.progress.attempts += 1
        return outcome, self._retry_seconds[min(event.progress.attempts, len(self._retry_seconds)) - 1]

    def _give_up(self, condition: str, event: Event, outcome: Outcome) -> None:
        self._send_record(event.config.on_failure, condition, event, outcome)
        if event.function.dead_letter_arn is None:
            return
        error = json.loads(outcome.payload)
        message = str(error.get("errorMessage", "")) if isinstance(error, dict) else ""
        attributes = {"RequestID": event.request_id, "ErrorCode": "200", "ErrorMessage": message[:1024] or "unknown"}
        letter = DeadLetter(event.payload.decode(), attributes, event.function.role)
        send_dead_letter(self._targets, event.function.dead_letter_arn, letter)

    def _send_record(self, destination: str | None, condition: str, event: Event, outcome: Outcome) -> None:
        """Send the invocation record, whose shape AWS documents under asynchronous invocation."""
        if destination is None:
            return
        function_arn = f"{event.function.arn}:$LATEST"
        response_context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if outcome.function_error:
            response_context["functionError"] = outcome.function_error
        record = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": function_arn,
                "condition": condition,
                "approximateInvokeCount": event.progress.attempts,
            },
            "requestPayload": json.loads(event.payload),
            "responseContext": response_context,
            "responsePayload": json.loads(outcome.payload or b"null"),
        }
        try:
            self._targets.send_record(destination, json.dumps(record), function_arn, role=event.function.role)
        except NotDeliverableError:
            log.exception("%s: an event's record could not be sent to %s", event.function.arn, destination)
