"""Step Functions: moto runs the state machines, this adds what AWS does around an execution and moto does not.

Names are checked and given, wake-ups don't meet half-made executions, StopExecution ends those that wait,
RedriveExecution has failed ones go on (local/redriving.py), and status changes become events. moto tells nobody when an
execution changes, so that every one is looked at until it ends.
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
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local import wire
from local.moto_backend import ACCOUNT, MotoBackend, with_body

if TYPE_CHECKING:
    from moto.stepfunctions.parser.backend.execution import Execution

LOOK_SECONDS = 0.02
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


class Executions:
    """All executions since the start, by ARN; `emit` puts events on the default bus.

    `sign_tasks` has tasks call as their state machines' roles, and gives what ends that (local/task_clients.py).
    """

    def __init__(
        self,
        moto: MotoBackend,
        region: str,
        emit: Callable[[Mapping[str, Any]], object],
        sign_tasks: Callable[[], Callable[[], None]],
    ) -> None:
        self._moto = moto
        self._region = region
        self._emit = emit
        self._sign_tasks = sign_tasks
        self._restore_tasks: Callable[[], None] | None = None
        self._calls = threading.RLock()
        self._changed = threading.Condition()
        self._known: set[str] = set()
        self._running: dict[str, Execution] = {}
        self._stop_reasons: dict[str, tuple[str | None, str | None]] = {}
        self._redrives: dict[str, Redrive] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="executions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the watch and every execution that still runs; idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        for execution in self._running.values():
            execution.stop(stop_date=datetime.now(UTC), error=None, cause=None)
            _wake(execution)
        self._running.clear()
        if self._restore_tasks is not None:
            self._restore_tasks()
            self._restore_tasks = None

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        operation = wire.operation_name(service, request)
        match operation:
            case "CreateStateMachine":
                with self._calls:
                    self._restore_tasks = self._restore_tasks or self._sign_tasks()
            case "StartExecution":
                return self._start_execution(service, request)
            case "StopExecution":
                return self._stop_execution(service, request)
            case "RedriveExecution":
                return self._redrive_execution(service, request)
            case "DescribeExecution" | "ListExecutions":
                return self._with_redrives(self._moto.handle(service, self._region, request))
        # moto looks for a token in all executions that run and fails on one whose definition it still reads.
        with self._calls if operation in WAKING else contextlib.nullcontext():
            return self._moto.handle(service, self._region, request)

    def _start_execution(self, service: str, request: Request) -> Response:
        operation, parameters = wire.match(service, request)
        wire.validate(operation, parameters)
        # moto calls every execution that has no name None.
        name = parameters.setdefault("name", str(uuid4()))
        if FORBIDDEN_IN_NAMES.search(name):
            raise wire.ServiceError("InvalidName", f"Invalid Name: '{name}'")
        named = with_body(request, json.dumps(parameters).encode())
        with self._calls:
            response = self._moto.handle(service, self._region, named)
            if response.status_code != 200:
                return response
            self._started(json.loads(response.get_data())["executionArn"])
        return response

    def _started(self, arn: str) -> None:
        with self._changed:
            if arn in self._known or self._closed:
                return
            execution = self._find(arn)
            self._known.add(arn)
            self._emit(self._event(execution, "RUNNING"))
            self._running[arn] = execution
            self._changed.notify_all()
        _await_made(execution)

    def _stop_execution(self, service: str, request: Request) -> Response:
        """An execution that runs a function ends when that has ended, other than on AWS."""
        parameters = wire.match(service, request)[1]
        with self._calls:
            response = self._moto.handle(service, self._region, request)
        if response.status_code != 200:
            return response
        arn = parameters["executionArn"]
        with self._changed:
            execution = self._running.get(arn)
            self._stop_reasons[arn] = (parameters.get("error"), parameters.get("cause"))
        if execution is not None:
            _wake(execution)
        return response

    def _redrive_execution(self, service: str, request: Request) -> Response:
        operation, parameters = wire.match(service, request)
        wire.validate(operation, parameters)
        arn, token = parameters["executionArn"], parameters.get("clientToken", "")
        # moto's own answer for an execution that is not there, or an ARN that is none.
        described = self._moto.handle(service, self._region, _described_instead(request, arn))
        if described.status_code != 200:
            return described
        execution = self._find(arn)
        with self._calls:
            with self._changed:
                last = self._redrives.get(arn)
                if last is None or not token or last.token != token:
                    if execution.status not in REDRIVABLE:
                        message = f"Execution is {execution.status} and cannot be redriven"
                        raise wire.ServiceError("ExecutionNotRedrivable", message)
                    last = self._go_on(execution, token)
            _await_made(execution)
        return _json_response({"redriveDate": last.date.timestamp()})

    def _go_on(self, execution: Execution, token: str) -> Redrive:
        # Imported late, as moto's parser is.
        from local.redriving import redrive  # noqa: PLC0415

        arn = str(execution.exec_arn)
        earlier = self._redrives.get(arn)
        last = Redrive(earlier.count + 1 if earlier else 1, datetime.now(UTC), token)
        if self._running.pop(arn, None) is not None:
            # The watch has not seen its end.
            self._emit(self._event(execution, str(execution.status)))
        redrive(execution, last.count)
        self._redrives[arn] = last
        self._stop_reasons.pop(arn, None)
        self._emit(self._event(execution, "RUNNING"))
        self._running[arn] = execution
        self._changed.notify_all()
        return last

    def _with_redrives(self, response: Response) -> Response:
        """The answer with what moto does not know of the executions in it."""
        if response.status_code != 200:
            return response
        answer = json.loads(response.get_data())
        for item in answer.get("executions", [answer]):
            item.update(_redrive_members(self._redrives.get(item["executionArn"])))
            if "executions" not in answer:
                item.update(_redrive_status(item["status"]))
        return _json_response(answer)

    def machine_of(self, token: str) -> str | None:
        """The ARN of the state machine of which a running execution waits for a task token."""
        with self._changed:
            running = list(self._running.values())
        for execution in running:
            worker = execution.exec_worker
            # Nothing else tells which tokens there are.
            if worker is not None and worker.env is not None and token in worker.env.callback_pool_manager._pool:
                return str(execution.state_machine_arn)
        return None

    def _find(self, arn: str) -> Execution:
        # Imported late: it takes more than a second, which a template without a state machine need not wait for.
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends  # noqa: PLC0415

        # moto types what its two backends share by the one that does not execute.
        execution: Any = stepfunctions_parser_backends[ACCOUNT][self._region].describe_execution(arn)
        return cast("Execution", execution)

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._running or self._closed)
                if self._closed:
                    return
                ended = [(arn, execution) for arn, execution in self._running.items() if execution.status != "RUNNING"]
                for arn, _ in ended:
                    del self._running[arn]
            for _, execution in ended:
                self._emit(self._event(execution, str(execution.status)))
            time.sleep(LOOK_SECONDS)

    def _event(self, execution: Execution, status: str) -> dict[str, Any]:
        from moto.stepfunctions.parser.asl.utils.encoding import to_json_str  # noqa: PLC0415

        arn = str(execution.exec_arn)
        text = execution.execution_input or "{}"
        output = to_json_str(execution.output) if status == "SUCCEEDED" else None
        # moto forgets why an execution was stopped.
        given = self._stop_reasons.get(arn, (None, None)) if status == "ABORTED" else (None, None)
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
            "error": execution.error or given[0] or None,
            "cause": execution.cause or given[1] or None,
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


def _redrive_members(redrive: Redrive | None) -> dict[str, Any]:
    if redrive is None:
        return {"redriveCount": 0}
    return {"redriveCount": redrive.count, "redriveDate": redrive.date.timestamp()}


def _redrive_status(status: str) -> dict[str, str]:
    if status in REDRIVABLE:
        return {"redriveStatus": "REDRIVABLE"}
    return {
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": f"Execution is {status} and cannot be redriven",
    }


def _json_response(content: Mapping[str, Any]) -> Response:
    return Response(json.dumps(content), content_type="application/x-amz-json-1.0")


def _await_made(execution: Execution) -> None:
    """Wait until moto has read the definition and made what the execution keeps its state in."""
    while execution.status == "RUNNING" and (execution.exec_worker is None or execution.exec_worker.env is None):
        time.sleep(0.001)


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
