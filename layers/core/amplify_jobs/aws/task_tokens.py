"""Waking executions that wait with a task token (API: Step Functions SendTaskSuccess)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import boto3

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import ErrorResponse, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient

# The wait ended by itself meanwhile: the poll that follows it sees the change.
_NOBODY_WAITS = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class TaskTokens:
    """Task tokens behind one boto3 client, which `client` gives."""

    def __init__(self, client: Callable[[], SFNClient]) -> None:
        self._client = client

    @classmethod
    def connect(cls, *, late: bool = False) -> TaskTokens:
        """Make the client now, or with the first token, for a function that rarely wakes an execution."""
        client = cache(_client)
        if not late:
            client()
        return cls(client)

    def wake(self, token: str) -> bool:
        """Complete the waiting task; False if nobody waits any more. Raises ServiceTrouble."""
        try:
            with aws_errors("SendTaskSuccess", _not_waiting):
                self._client().send_task_success(taskToken=token, output="{}")
        except _NotWaitingError:
            return False
        return True


def _client() -> SFNClient:
    return boto3.client("stepfunctions", config=client_config(attempts=3, read_timeout=4))


class _NotWaitingError(Exception):
    """Nobody waits with this token."""


def _not_waiting(error: ErrorResponse) -> _NotWaitingError | None:
    return _NotWaitingError() if error.code in _NOBODY_WAITS else None
