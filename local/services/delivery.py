"""Delivers an event to a target: again and again, as its retry policy says, and to a dead-letter queue in the end.

EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html.
Scheduler: https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.services.targets import NotDeliverableError, Targets

log = logging.getLogger(__name__)

MAX_RETRIES = 185
MAX_AGE_SECONDS = 24 * 60 * 60
MAX_WAIT_SECONDS = 5.0
"""The longest wait between two attempts; on AWS it grows to minutes."""

ATTEMPTS, AGE = "MaximumRetryAttempts", "MaximumEventAgeInSeconds"
"""The two limits of a retry policy, as templates name them."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often an event is delivered again, and how old it may grow; the defaults are those of rules and schedules."""

    retries: int = MAX_RETRIES
    age_seconds: float = MAX_AGE_SECONDS

    @classmethod
    def of_target(cls, target: Mapping[str, Any]) -> RetryPolicy:
        """The policy of a rule's or schedule's target."""
        policy: Mapping[str, Any] = target.get("RetryPolicy") or {}
        return cls(int(policy.get(ATTEMPTS, MAX_RETRIES)), float(policy.get(AGE, MAX_AGE_SECONDS)))

    def exhausted(self, attempts: int, age: float) -> str | None:
        """The limit that forbids an attempt after so many, at an age in seconds; None if there is none."""
        if attempts > self.retries:
            return ATTEMPTS
        return AGE if age > self.age_seconds else None


@dataclass
class Progress:
    """How far the delivery of an event has come."""

    attempts: int = 0
    started: float = field(default_factory=time.monotonic)

    def age(self, wait: float = 0.0) -> float:
        """The event's age in seconds after a wait."""
        return time.monotonic() + wait - self.started


@dataclass(frozen=True)
class DeadLetter:
    """What goes to a target's dead-letter queue: the text, attributes of the service's own, the role that sends it."""

    text: str
    attributes: Mapping[str, str]
    role: str | None = None


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target.

    `send` makes the attempt of a number, from 1; it raises NotDeliverableError. `dead_letter` makes the letter of the
    last attempt.
    """

    target: Mapping[str, Any]
    send: Callable[[int], None]
    dead_letter: Callable[[int], DeadLetter]


class Deliverer:
    """Delivers events to targets, each event in a thread of its own, until it is closed."""

    def __init__(self, targets: Targets, max_wait: float = MAX_WAIT_SECONDS) -> None:
        self.targets = targets
        self._max_wait = max_wait
        self._stopped = threading.Event()

    def close(self) -> None:
        self._stopped.set()

    def start(self, delivery: Delivery) -> None:
        """Begin to deliver."""
        threading.Thread(target=self._deliver, args=(delivery,), name="delivery", daemon=True).start()

    def _deliver(self, delivery: Delivery) -> None:
        policy, progress = RetryPolicy.of_target(delivery.target), Progress()
        while not self._stopped.is_set():
            progress.attempts += 1
            try:
                delivery.send(progress.attempts)
            except NotDeliverableError as error:
                wait = random.uniform(0.5, 1) * min(0.1 * 2**progress.attempts, self._max_wait)  # noqa: S311
                exhausted = policy.exhausted(progress.attempts, progress.age(wait))
                if error.is_final or exhausted:
                    self._send_dead_letter(delivery, progress.attempts, error, exhausted)
                    return
                self._stopped.wait(wait)
            else:
                return

    def _send_dead_letter(
        self, delivery: Delivery, attempts: int, error: NotDeliverableError, exhausted: str | None
    ) -> None:
        """Send an event to the target's dead-letter queue; without one it is lost, as on AWS."""
        queue: str | None = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue is None or self._stopped.is_set():
            return
        letter = delivery.dead_letter(attempts)
        attributes = {
            **letter.attributes,
            "TARGET_ARN": str(delivery.target["Arn"]),
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": str(attempts - 1),
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
        }
        send_dead_letter(self.targets, queue, DeadLetter(letter.text, attributes, letter.role))


def send_dead_letter(targets: Targets, queue: str, letter: DeadLetter) -> None:
    """Send what could not be delivered to a queue or topic; where that fails too, the log says so."""
    try:
        targets.send_message(queue, letter.text, letter.attributes, role=letter.role)
    except NotDeliverableError:
        log.exception("a dead letter could not be sent to %s", queue)
