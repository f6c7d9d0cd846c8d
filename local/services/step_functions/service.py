"""Step Functions: moto runs the state machines, this adds what AWS does around an execution and moto does not.

Names are checked and given, wake-ups don't meet half-made executions, StopExecution ends those that wait,
RedriveExecution has failed ones go on (redrive.py), and status changes become events. What moto does anew for
each execution is kept (interpreter.py).
Events: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import ServiceError
from local.server.protocol.match import operation_name, read_request
from local.server.protocol.respond import respond
from local.server.protocol.validate import validate
from local.services.moto import ACCOUNT, MotoBackend, with_body
from local.services.step_functions.task_clients import TaskClients

if TYPE_CHECKING:
    from moto.stepfunctions.parser.backend.execution import Execution

MAX_DATA_CHARACTERS = 248 * 1024
FORBIDDEN_IN_NAMES = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")
REDRIVABLE = ("FAILED", "TIMED_OUT", "ABORTED")
WAKING = ("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat")


@dataclass(frozen=True)
class Redrive:
    """The last redrive of an execution: how many there were, when it was, and the token that the client sent."""

    count: int
    date: datetime
    token: str


class StepFunctionsService:
    """All executions since the start, by ARN; `emit` puts events on the default bus.

    `clients` are what tasks call with, as their state machines' roles.
    """

    def __init__(
        self,
        moto: MotoBackend,
        emit: Callable[[Mapping[str, Any]], object],
        clients: TaskClients,
    ) -> None:
        self._moto = moto
        self._emit = emit
        self._clients = clients
        self._restore_tasks: Callable[[], None] | None = None
        self._calls = threading.RLock()
        self._lock = threading.Lock()
        self._running: dict[str, Execution] = {}
        self._stop_reasons: dict[str, tuple[str | None, str | None]] = {}
        self._redrives: dict[str, Redrive] = {}
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
        operation = operation_name(service, request)
        match operation:
            case "CreateStateMachine":
                with self._calls:
                    self._restore_tasks = self._restore_tasks or self._clients.replace_moto_s()
            case "StartExecution":
                return self._start_execution(service, request)
            case "StopExecution":
                return self._stop_execution(service, request)
            case "RedriveExecution":
                return self._redrive_execution(service, request)
            case "DescribeExecution" | "ListExecutions":
                return self._with_redrives(self._moto.handle(service, request))
        # moto looks for a token in all executions that it lists, and a list must not change meanwhile.
        with self._calls if operation in WAKING else contextlib.nullcontext():
            return self._moto.handle(service, request)

    def _start_execution(self, service: str, request: Request) -> Response:
        from moto.core.exceptions import AWSError  # noqa: PLC0415
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends  # noqa: PLC0415

        from local.services.step_functions.interpreter import Callbacks, start_execution  # noqa: PLC0415

        operation, parameters = read_request(service, request)
        validate(operation, parameters)
        name = parameters.get("name", str(uuid4()))
        if FORBIDDEN_IN_NAMES.search(name):
            raise ServiceError("InvalidName", f"Invalid Name: '{name}'")
        arn, text = parameters["stateMachineArn"], parameters.get("input", "{}")
        backend = stepfunctions_parser_backends[ACCOUNT][self._moto.region]
        try:
            with self._calls:
                callbacks = Callbacks(self._clients, self._started, self._ended)
                execution = start_execution(backend, arn, name, text, callbacks)
        except AWSError as error:
            raise ServiceError(error.TYPE or "ValidationException", error.message, error.STATUS) from None
        except ValueError as error:
            message = f"Invalid State Machine Execution Input: '{error}'"
            raise ServiceError("InvalidExecutionInput", message) from None
        return respond(operation, {"executionArn": execution.exec_arn, "startDate": execution.start_date})

    def _started(self, execution: Execution) -> None:
        with self._lock:
            if self._closed:
                raise ServiceError("ServiceUnavailable", "The local cloud was stopped.", 503)
            self._running[execution.exec_arn] = execution
        self._emit(self._event(execution, "RUNNING"))

    def _ended(self, execution: Execution) -> None:
        with self._lock:
            is_told = self._running.pop(execution.exec_arn, None) is not None
        if is_told:
            self._emit(self._event(execution, str(execution.status)))

    def _stop_execution(self, service: str, request: Request) -> Response:
        """An execution that runs a function ends when that has ended, other than on AWS."""
        parameters = read_request(service, request)[1]
        arn = str(parameters.get("executionArn"))
        with self._lock:
            execution = self._running.get(arn)
            if execution is not None:
                self._stop_reasons[arn] = (parameters.get("error"), parameters.get("cause"))
        with self._calls:
            response = self._moto.handle(service, request)
        if response.status_code == 200 and execution is not None:
            _wake(execution)
        return response

    def _redrive_execution(self, service: str, request: Request) -> Response:
        # Imported late, as moto's parser is.
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends  # noqa: PLC0415

        operation, parameters = read_request(service, request)
        validate(operation, parameters)
        arn, token = parameters["executionArn"], parameters.get("clientToken", "")
        # moto's own answer for an execution that is not there, or an ARN that is none.
        described = self._moto.handle(service, _described_instead(request, arn))
        if described.status_code != 200:
            return described
        # moto types what its two backends share by the one that does not execute.
        execution: Any = stepfunctions_parser_backends[ACCOUNT][self._moto.region].describe_execution(arn)
        with self._calls:
            last = self._redrives.get(arn)
            if last is None or not token or last.token != token:
                last = self._go_on(execution, token)
        return respond(operation, {"redriveDate": last.date})

    def _go_on(self, execution: Execution, token: str) -> Redrive:
        # Imported late, as moto's parser is.
        from local.services.step_functions.redrive import redrive  # noqa: PLC0415

        if execution.status not in REDRIVABLE:
            raise ServiceError("ExecutionNotRedrivable", f"Execution is {execution.status} and cannot be redriven")
        arn = str(execution.exec_arn)
        while arn in self._running:
            # Its status says that it has ended, its end is told in a moment.
            time.sleep(0.001)
        earlier, now = self._redrives.get(arn), datetime.now(UTC)
        # Step Functions tells milliseconds.
        date = now.replace(microsecond=now.microsecond // 1000 * 1000)
        last = self._redrives[arn] = Redrive(earlier.count + 1 if earlier else 1, date, token)
        self._stop_reasons.pop(arn, None)
        redrive(execution, last.count, self._started)
        return last

    def _with_redrives(self, response: Response) -> Response:
        """The answer with what moto does not know of the executions in it."""
        if response.status_code != 200:
            return response
        answer = json.loads(response.get_data())
        for item in answer.get("executions", [answer]):
            redrive = self._redrives.get(item["executionArn"])
            item["redriveCount"] = redrive.count if redrive else 0
            if redrive:
                item["redriveDate"] = redrive.date.timestamp()
            if "executions" not in answer:
                item.update(_redrive_status(item["status"]))
        return Response(json.dumps(answer), content_type=response.content_type)

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
        reason = self._stop_reasons.get(arn, (None, None)) if status == "ABORTED" else (None, None)
        fits = len(text) + len(output or "") <= MAX_DATA_CHARACTERS
        redrive = self._redrives.get(arn)
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
            "redriveCount": redrive.count if redrive else 0,
            "redriveDate": _milliseconds(redrive.date) if redrive else None,
            "redriveStatusReason": None,
            **_redrive_status(status),
            "inputDetails": {"included": fits},
            "outputDetails": None if output is None else {"included": fits},
            "error": execution.error or reason[0] or None,
            "cause": execution.cause or reason[1] or None,
        }
        return {
            "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change",
            "resources": [arn],
            "detail": detail,
        }


def _described_instead(request: Request, arn: str) -> Request:
    """The same caller's DescribeExecution."""
    described = with_body(request, json.dumps({"executionArn": arn}).encode())
    described.environ["HTTP_X_AMZ_TARGET"] = "AWSStepFunctions.DescribeExecution"
    return described


def _redrive_status(status: str) -> dict[str, str]:
    if status in REDRIVABLE:
        return {"redriveStatus": "REDRIVABLE"}
    return {
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": f"Execution is {status} and cannot be redriven",
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
