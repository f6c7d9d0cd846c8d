"""Amazon SQS: moto keeps the queues, this keeps the order of FIFO queues, which moto loses when messages come again.

moto finds out one by one which messages of a batch are visible again, and hands out the first behind which it knows of
none of their group in flight: the last of them. So all of them are looked at before moto is asked.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends
from werkzeug.wrappers import Request, Response

from local.server.protocol.match import operation_name, read_request
from local.services.moto import ACCOUNT, MotoBackend

MARGIN_MILLISECONDS = 100
"""Longer than moto takes for an answer: no message is to become visible while it looks."""


def has_messages(region: str, name: str) -> bool:
    """Whether a queue of the account has messages that are visible; also True for one that does not exist."""
    try:
        return bool(sqs_backends[ACCOUNT][region].get_queue(name).messages)
    except QueueDoesNotExist:
        return True


class SqsService:
    """The queues of one account and Region."""

    def __init__(self, moto: MotoBackend) -> None:
        self._moto = moto
        self._lock = threading.Lock()

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        if operation_name(service, request) != "ReceiveMessage":
            return self._moto.handle(service, request)
        parameters = read_request(service, request)[1]
        name = str(parameters.get("QueueUrl", "")).rpartition("/")[2]
        if not name.endswith(".fifo") or parameters.get("WaitTimeSeconds"):
            return self._moto.handle(service, request)
        with self._lock:
            self._refresh_returning_messages(name)
            return self._moto.handle(service, request)

    def _refresh_returning_messages(self, name: str) -> None:
        try:
            queue: Any = sqs_backends[ACCOUNT][self._moto.region].get_queue(name)
        except QueueDoesNotExist:
            return
        while due := [message for message in list(queue.pending_messages) if _is_returning(message)]:
            for message in due:
                if message.visible:
                    queue.pending_messages.discard(message)
            time.sleep(0.001)


def _is_returning(message: Any) -> bool:
    """Whether a message in flight is visible again, or will be while moto looks."""
    return bool(message.visible_at < unix_time_millis() + MARGIN_MILLISECONDS)
