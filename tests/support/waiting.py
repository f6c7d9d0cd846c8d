"""Waiting for what the local cloud does in its own time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

Value = TypeVar("Value")


def eventually(find: Callable[[], Value | None], *, seconds: float = 20) -> Value:
    """What `find` finds, once it finds anything that is true."""
    deadline = time.monotonic() + seconds
    while not (result := find()):
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing was found within {seconds} s")
        time.sleep(0.02)
    return result


def messages(sqs: Any, queue_url: str, *, count: int = 1, attributes: bool = False) -> list[Any]:
    """That many messages of a queue, as soon as they are there: bodies read as JSON, or whole messages."""
    items: list[Any] = []

    def enough() -> bool:
        received = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        )
        for message in received.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            items.append(message if attributes else json.loads(message["Body"]))
        return len(items) >= count

    eventually(enough)
    return items
