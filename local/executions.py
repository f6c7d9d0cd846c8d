"""Follows the executions that moto runs: emits their status changes as AWS does, and ends those that are stopped.

moto tells nobody when an execution changes, so that every execution whose start came by the endpoint is looked at until
it has ended. Events: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from local.moto_backend import ACCOUNT

if TYPE_CHECKING:
    from moto.stepfunctions.parser.backend.execution import Execution

LOOK_SECONDS = 0.02
MAX_DATA_CHARACTERS = 248 * 1024


class Executions:
    """All executions since the start, by ARN."""

    def __init__(self, region: str, emit: Callable[[Mapping[str, Any]], object]) -> None:
        self._region = region
        self._emit = emit
        self._changed = threading.Condition()
        self._known: set[str] = set()
        self._running: dict[str, Execution] = {}
        self._stop_reasons: dict[str, tuple[str | None, str | None]] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="executions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the watch and every execution that still runs."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        for execution in self._running.values():
            execution.stop(stop_date=datetime.now(UTC), error=None, cause=None)
            _wake(execution)

    def started(self, arn: str) -> None:
        """Take note of an execution that StartExecution answered with; a repeat is no news."""
        with self._changed:
            if arn in self._known or self._closed:
                return
            execution = self._find(arn)
            self._known.add(arn)
            self._emit(self._event(execution, "RUNNING"))
            self._running[arn] = execution
            self._changed.notify_all()

    def stopped(self, arn: str, error: str | None, cause: str | None) -> None:
        """Make an execution that StopExecution was called for end: moto leaves one that waits as it is.

        One that runs a function ends when that has ended, other than on AWS.
        """
        with self._changed:
            execution = self._running.get(arn)
            self._stop_reasons[arn] = (error, cause)
        if execution is not None:
            _wake(execution)

    def _find(self, arn: str) -> Execution:
        # Imported late: its parser takes more than a second, which starts without a state machine need not wait for.
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
        error, cause = self._stop_reasons.get(arn, (execution.error, execution.cause))
        fits = len(text) + len(output or "") <= MAX_DATA_CHARACTERS
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
            "redriveStatus": "REDRIVABLE" if status in {"FAILED", "TIMED_OUT", "ABORTED"} else "NOT_REDRIVABLE",
            "redriveStatusReason": None,
            "inputDetails": {"included": fits},
            "outputDetails": None if output is None else {"included": fits},
            "error": error or None,
            "cause": cause or None,
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
