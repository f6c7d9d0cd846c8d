"""An event is delivered again as its retry policy allows, and goes to the dead-letter queue in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.services.delivery import AGE, ATTEMPTS, DeadLetter, Deliverer, Delivery, RetryPolicy
from local.services.targets import NotDeliverableError
from tests.support.waiting import eventually

TARGET = {"Arn": "arn:target", "DeadLetterConfig": {"Arn": "arn:dead"}}


class Queue:
    """The part of the targets that takes dead letters."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str, Mapping[str, str]]] = []

    def send_message(self, arn: str, text: str, attributes: Mapping[str, str], *, role: str | None) -> None:
        self.letters.append((arn, text, attributes))


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def deliverer(queue: Queue) -> Iterator[Deliverer]:
    targets: Any = queue
    deliverer = Deliverer(targets, max_wait=0.01)
    yield deliverer
    deliverer.close()


@pytest.mark.parametrize(
    ("policy", "attempts", "age", "limit"),
    [
        (None, 185, 86_399, None),
        (None, 186, 0, ATTEMPTS),
        (None, 1, 86_401, AGE),
        ({"MaximumRetryAttempts": 0}, 1, 0, ATTEMPTS),
        ({"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}, 2, 60, None),
        ({"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}, 3, 61, ATTEMPTS),
    ],
)
def test_a_policy_names_the_limit_that_is_reached(
    policy: dict[str, int] | None, attempts: int, age: float, limit: str | None
) -> None:
    assert RetryPolicy.of_target({"RetryPolicy": policy}).exhausted(attempts, age) == limit


@pytest.mark.parametrize(
    ("policy", "is_final", "attributes"),
    [
        ({"MaximumRetryAttempts": 2}, False, {"RETRY_ATTEMPTS": "2", "EXHAUSTED_RETRY_CONDITION": ATTEMPTS}),
        ({"MaximumEventAgeInSeconds": 0}, False, {"RETRY_ATTEMPTS": "0", "EXHAUSTED_RETRY_CONDITION": AGE}),
        ({}, True, {"RETRY_ATTEMPTS": "0"}),
    ],
)
def test_what_is_not_delivered_is_a_dead_letter(
    queue: Queue, deliverer: Deliverer, policy: dict[str, int], is_final: bool, attributes: dict[str, str]
) -> None:
    def send(attempt: int) -> None:
        raise NotDeliverableError("Code", f"attempt {attempt}", is_final=is_final)

    deliverer.start(
        Delivery({**TARGET, "RetryPolicy": policy}, send, lambda attempt: DeadLetter(f"text {attempt}", {"OWN": "x"}))
    )
    [(arn, text, sent)] = eventually(lambda: queue.letters)
    last = int(attributes["RETRY_ATTEMPTS"]) + 1
    assert (arn, text) == ("arn:dead", f"text {last}")
    assert sent == {
        "OWN": "x",
        "TARGET_ARN": "arn:target",
        "ERROR_CODE": "Code",
        "ERROR_MESSAGE": f"attempt {last}",
        **attributes,
    }


def test_what_is_delivered_in_the_end_is_no_dead_letter(queue: Queue, deliverer: Deliverer) -> None:
    attempts: list[int] = []

    def send(attempt: int) -> None:
        attempts.append(attempt)
        if attempt < 3:
            raise NotDeliverableError("Busy", "not now", is_final=False)

    deliverer.start(Delivery(TARGET, send, lambda _: DeadLetter("", {})))
    eventually(lambda: len(attempts) == 3)
    assert queue.letters == []
