"""An execution that is stopped is aborted, in whichever moment the stop comes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from local.cloud import LocalCloud
from local.services.step_functions.interpreter import Callbacks, start_execution
from local.services.step_functions.task_clients import TaskClients

ROLE = "arn:aws:iam::123456789012:role/any"
PASS = {"Type": "Pass", "Parameters": {"v.$": "$.v"}}
LOOP = {"StartAt": "A", "States": {"A": {**PASS, "Next": "B"}, "B": {**PASS, "Next": "A"}}}
NESTED = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [LOOP, LOOP], "End": True}}}


@pytest.mark.parametrize("definition", [LOOP, NESTED], ids=["flat", "nested"])
@pytest.mark.parametrize("milliseconds", [0.0, 1.0, 3.0, 8.0])
def test_an_execution_is_aborted_whenever_the_stop_comes(
    cloud: LocalCloud, client: Callable[..., Any], definition: dict[str, Any], milliseconds: float
) -> None:
    name = f"m{uuid4().hex}"
    machine = client("stepfunctions").create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
    backend = stepfunctions_parser_backends[cloud.account][cloud.region]
    clients = TaskClients(cloud.endpoint_url, lambda _: None)
    for number in range(8):
        ended = threading.Event()
        execution = start_execution(
            backend, machine["stateMachineArn"], f"e{number}", '{"v": 1}', callbacks(clients, ended)
        )
        time.sleep(milliseconds / 1000)
        execution.stop(stop_date=datetime.now(UTC), error="E", cause="C")
        assert ended.wait(10), "a stop was not noticed"
        assert execution.status == "ABORTED", f"{execution.error}: {execution.cause}"
        # moto does not type what a worker has.
        worker: Any = execution.exec_worker
        assert str(worker.env.event_manager.get_event_history()[-1]["type"].value) == "ExecutionAborted"


def callbacks(clients: TaskClients, ended: threading.Event) -> Callbacks:
    return Callbacks(clients, on_start=lambda _: None, on_end=lambda _: ended.set())
