"""Waking executions that wait with a task token (API: Step Functions SendTaskSuccess)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from amplify_jobs.errors import ServiceTrouble

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient

_CLIENT = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=4)

# The wait ended by itself meanwhile: the poll that follows it sees the change.
_NOBODY_WAITS = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class TaskTokens:
    """Task tokens behind one boto3 client."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> TaskTokens:
        return cls(boto3.client("stepfunctions", config=_CLIENT))

    def wake(self, token: str) -> bool:
        """Complete the waiting task; False if nobody waits any more. Raises ServiceTrouble."""
        try:
            self._client.send_task_success(taskToken=token, output="{}")
        except ClientError as error:
            said = error.response.get("Error", {})
            if said.get("Code") in _NOBODY_WAITS:
                return False
            raise ServiceTrouble(f"SendTaskSuccess: {said.get('Code')}: {said.get('Message')}") from error
        except BotoCoreError as error:
            raise ServiceTrouble(f"SendTaskSuccess: no answer ({type(error).__name__})") from error
        return True
