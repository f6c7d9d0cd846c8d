"""Signs what a state machine's tasks call with credentials of the role that the state machine has.

moto's interpreter makes a client for each task, signed alike for all state machines. It has no setting for either: its
function that makes clients is replaced, wherever moto has imported it, by one that keeps them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import boto3
from botocore.config import Config

from local.clients import ACCESS_KEY
from local.roles import Credentials

NAME = "boto_client_for"
TASK_SECONDS = 99_999_999
"""A task has its own time limit; the client has none."""


def sign_tasks(endpoint_url: str, credentials_of: Callable[[str], Credentials | None]) -> Callable[[], None]:
    """Have the tasks of each state machine call as its role; give what puts moto's own way back."""
    # Imported late: it takes more than a second, which a template without a state machine need not wait for.
    # It imports all kinds of tasks, and so all that make clients.
    import_module("moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_factory")
    boto_client = import_module("moto.stepfunctions.parser.asl.utils.boto_client")
    original = boto_client.boto_client_for

    @cache
    def client(service: str, region: str, role_arn: str) -> Any:
        credentials = credentials_of(role_arn)
        session = boto3.Session(
            aws_access_key_id=credentials.access_key_id if credentials else ACCESS_KEY,
            aws_secret_access_key=credentials.secret_access_key if credentials else ACCESS_KEY,
            aws_session_token=credentials.session_token if credentials else None,
            region_name=region,
        )
        config = Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            read_timeout=TASK_SECONDS,
            max_pool_connections=250,
        )
        make: Any = session.client
        return make(service, endpoint_url=endpoint_url, config=config)

    def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        return client(service, region, getattr(state_credentials, "role_arn", ""))

    importers = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("moto.stepfunctions.parser.") and getattr(module, NAME, None) is original
    ]
    for module in importers:
        setattr(module, NAME, boto_client_for)

    def restore() -> None:
        for module in importers:
            setattr(module, NAME, original)

    return restore
