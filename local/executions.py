"""Step Functions: moto runs the state machines, this adds what AWS does around an execution and moto does not.

Names are checked and given, wake-ups don't meet half-made executions, StopExecution ends those that wait, and status
changes become events. What moto does anew for each execution is kept (local/interpreter.py).
Events: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local import wire
from local.moto_backend import ACCOUNT, MotoBackend
from local.task_clients import TaskClients

if TYPE_CHECKING:
    from moto.stepfunctions.parser.backend.execution import Execution

MAX_DATA_CHARACTERS = 248 * 1024
FORBIDDEN_IN_NAMES = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")
WAKING = ("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat")


class Executions:
    """All executions since the start, by ARN; `emit` puts events on the default bus.

    `clients` are what tasks call with, as their state machines' roles.
    """

    def __init__(
        self,
        moto: MotoBackend,
        region: str,
        emit: Callable[[Mapping[str, Any]], object],
        clients: TaskClients,
    ) -> None:
        self._moto = moto
        self._region = region
        self._emit = emit
        self._clients = clients
        self._restore_tasks: Callable[[], None] | None = None
        self._calls = threading.RLock()
        self._lock = threading.Lock()
        self._running: dict[str, Execution] = {}
        self._stop_reasons: dict[str, tuple[str | None, str | None]] = {}
        self._closed = False

    def close(self) -> None:
        """End every execution that still runs; idempotent."""
        with self._lock:
            self._closed = True
            running = list(self._running.values())
            self._running.clear()
        for execution in running:
            execution.stop(stop_date=datetime.now(UTC), error=None, cause=None)
            _wake(execution)
        if self._restore_tasks is not None:
            self._restore_tasks()
            self._restore_tasks = None

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        operation = wire.operation_name(service, request)
        match operation:
            case "CreateStateMachine":
                with self._calls:
                    self._restore_tasks = self._restore_tasks or self._clients.replace_moto_s()
            case "StartExecution":
                return self._start_execution(service, request)
            case "StopExecution":
                return self._stop_execution(service, request)
        # moto looks for a token in all executions that it lists, and a list must not change meanwhile.
        with self._calls if operation in WAKING else contextlib.nullcontext():
            return self._moto.handle(service, self._region, request)

    def _start_execution(self, service: str, request: Request) -> Response:
        from moto.core.exceptions import AWSError  # noqa: PLC0415
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends  # noqa: PLC0415

        from local.interpreter import started  # noqa: PLC0415

        operation, parameters = wire.match(service, request)
        wire.validate(operation, parameters)
        name = parameters.get("name", str(uuid4()))
        if FORBIDDEN_IN_NAMES.search(name):
            raise wire.ServiceError("InvalidName", f"Invalid Name: '{name}'")
        arn, text = parameters["stateMachineArn"], parameters.get("input", "{}")
        backend = stepfunctions_parser_backends[ACCOUNT][self._region]
        try:
            with self._calls:
                execution = started(
                    backend, arn, name, text, clients=self._clients, on_start=self._started, on_end=self._ended
                )
        except AWSError as error:
            raise wire.ServiceError(error.TYPE or "ValidationException", error.message, error.STATUS) from None
        except ValueError as error:
            message = f"Invalid State Machine Execution Input: '{error}'"
            raise wire.ServiceError("InvalidExecutionInput", message) from None
        return wire.respond(operation, {"executionArn": execution.exec_arn, "startDate": execution.start_date})

    def _started(self, execution: Execution) -> None:
        with self._lock:
            if self._closed:
                raise wire.ServiceError("ServiceUnavailable", "The local cloud was stopped.", 503)
            self._running[execution.exec_arn] = execution
        self._emit(self._event(execution, "RUNNING"))

    def _ended(self, execution: Execution) -> None:
        with self._lock:
            is_told = self._running.pop(execution.exec_arn, None) is not None
        if is_told:
            self._emit(self._event(execution, str(execution.status)))

    def _stop_execution(self, service: str, request: Request) -> Response:
        """An execution that runs a function ends when that has ended, other than on AWS."""
        parameters = wire.match(service, request)[1]
        arn = str(parameters.get("executionArn"))
        with self._lock:
            execution = self._running.get(arn)
            if execution is not None:
                self._stop_reasons[arn] = (parameters.get("error"), parameters.get("cause"))
        with self._calls:
            response = self._moto.handle(service, self._region, request)
        if response.status_code == 200 and execution is not None:
            _wake(execution)
        return response

    def machine_of(self, token: str) -> str | None:
        """The ARN of the state machine of which a running execution waits for a task token."""
        with self._lock:
            running = list(self._running.values())
        for execution in running:
            worker = execution.exec_worker
            # Nothing else tells which tokens there are.
            if worker is not None and worker.env is not None and token in worker.env.callback_pool_manager._pool:
                return str(execution.state_machine_arn)
        return None

    def _event(self, execution: Execution, status: str) -> dict[str, Any]:
        from moto.stepfunctions.parser.asl.utils.encoding import to_json_str  # noqa: PLC0415

        arn = str(execution.exec_arn)
        text = execution.execution_input or "{}"
        output = to_json_str(execution.output) if status == "SUCCEEDED" else None
        # moto forgets why an execution was stopped.
        given = self._stop_reasons.get(arn, (None, None)) if status == "ABORTED" else (None, None)
        fits = len(text) + len(output or "") <= MAX_DATA_CHARACTERS
        can_be_redriven = status in {"FAILED", "TIMED_OUT", "ABORTED"}
        detail = {
            "executionArn": arn,
            "stateMachineArn": execution.state_machine_arn,
            "name": execution.name,
            "status": status,
            "startDate": _milliseconds(execution.start_date),
            "stopDate": None if status == "RUNNING" else _milliseconds(execution.stop_date),
            "input": text if fits else None,
            "output": output if fits else None,
            "stateMachineVersionArn": None,
            "stateMachineAliasArn": None,
            "redriveCount": 0,
            "redriveDate": None,
            "redriveStatus": "REDRIVABLE" if can_be_redriven else "NOT_REDRIVABLE",
            "redriveStatusReason": None if can_be_redriven else f"Execution is {status} and cannot be redriven",
            "inputDetails": {"included": fits},
            "outputDetails": None if output is None else {"included": fits},
            "error": execution.error or given[0] or None,
            "cause": execution.cause or given[1] or None,
        }
        return {
            "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change",
            "resources": [arn],
            "detail": detail,
        }


def _wake(execution: Execution) -> None:
    """End the waits of an execution that was told to stop; its state machine then goes no further.

    They end well, since an error would become the execution's own and hide that it was stopped.
    """
    from moto.stepfunctions.parser.asl.eval.callback.callback import (  # noqa: PLC0415
        CallbackNotifyConsumerError,
        CallbackOutcomeSuccess,
    )

    worker = execution.exec_worker
    if worker is None or worker.env is None:
        return
    callbacks = worker.env.callback_pool_manager
    # Nothing else tells which callbacks there are.
    for token in list(callbacks._pool):
        with contextlib.suppress(CallbackNotifyConsumerError):
            callbacks.notify(token, CallbackOutcomeSuccess(token, "{}"))


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
