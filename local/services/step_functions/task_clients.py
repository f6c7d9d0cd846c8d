"""Signs what a state machine's tasks call with credentials of the role that the state machine has.

moto's interpreter makes a client for each task, signed alike for all state machines. It has no setting for either: its
function that makes clients is replaced, wherever moto has imported it, by one that keeps them.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import boto3
from botocore.config import Config

from local.permissions.roles import Credentials
from local.services.clients import ACCESS_KEY

NAME = "boto_client_for"
TASK_SECONDS = 99_999_999
"""A task has its own time limit; the client has none."""
MAX_CONNECTIONS = 1000
"""Tasks that one client calls for at the same time: more would open a connection for each call."""


class TaskClients:
    """The clients of all state machines' tasks; `credentials_of` gives those of a role, None for one that has none."""

    def __init__(self, endpoint_url: str, credentials_of: Callable[[str], Credentials | None]) -> None:
        self._endpoint_url = endpoint_url
        self._credentials_of = credentials_of
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str, float], Any] = {}

    def client(self, service: str, region: str, role_arn: str, seconds: float = TASK_SECONDS) -> Any:
        """A client that calls as a role, and waits so long for an answer."""
        key = (service, region, role_arn, seconds)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(*key)
            return self._clients[key]

    def _make(self, service: str, region: str, role_arn: str, seconds: float) -> Any:
        credentials = self._credentials_of(role_arn)
        session = boto3.Session(
            aws_access_key_id=credentials.access_key_id if credentials else ACCESS_KEY,
            aws_secret_access_key=credentials.secret_access_key if credentials else ACCESS_KEY,
            aws_session_token=credentials.session_token if credentials else None,
            region_name=region,
        )
        config = Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            read_timeout=seconds,
            max_pool_connections=MAX_CONNECTIONS,
        )
        make: Any = session.client
        return make(service, endpoint_url=self._endpoint_url, config=config)

    def replace_moto_s(self) -> Callable[[], None]:
        """Have every kind of task in moto call with these clients; give what puts moto's own way back."""
        # Imported late: it takes more than a second, which a template without a state machine need not wait for.
        # It imports all kinds of tasks, and so all that make clients.
        import_module("moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_factory")
        boto_client = import_module("moto.stepfunctions.parser.asl.utils.boto_client")
        original = boto_client.boto_client_for

        def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
            return self.client(service, region, getattr(state_credentials, "role_arn", ""))

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
