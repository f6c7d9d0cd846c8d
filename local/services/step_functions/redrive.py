"""Has an execution of moto's go on in the state in which it failed, as RedriveExecution does; moto has no redrive.

https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html. moto's parser takes more than a second to
import, so this module is imported when the first execution is redriven.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.flow.start_at import StartAt
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from local.server.protocol.errors import not_implemented
from local.services.step_functions.interpreter import Worker

if TYPE_CHECKING:
    from moto.stepfunctions.parser.asl.eval.environment import Environment
    from moto.stepfunctions.parser.backend.execution import Execution


def redrive(execution: Execution, count: int, on_start: Callable[[Execution], None]) -> None:
    """Run an execution that has ended from the last state that it entered; `count` is its redrives with this one.

    `on_start` comes before that state. Raises ServiceError for one that ended inside a Map or Parallel state.
    """
    earlier = execution.exec_worker
    if not isinstance(earlier, Worker) or earlier.env is None:
        raise TypeError(f"{execution.exec_arn} was not started by the local cloud")
    # moto does not type how a worker starts.
    redriven: Any = _Redriven(earlier, earlier.env, count)
    execution.exec_worker = redriven
    execution.stop_date = execution.error = execution.cause = None
    execution.exec_status = ExecutionStatus.RUNNING
    on_start(execution)
    redriven.start()


class _Redriven(Worker):
    """Goes on with the history of an earlier worker, in the last state that it entered."""

    def __init__(self, earlier: Worker, environment: Environment, count: int) -> None:
        super().__init__(
            earlier._evaluation_details,
            earlier._execution_communication,
            earlier._cloud_watch_logging_session,
            earlier._activity_store,
        )
        self.clients = earlier.clients
        self._events = environment.event_manager
        self._count = count
        self._state, self._state_input = _last_entered(self._events.get_event_history())
        # Made now: a stop may come before the thread runs.
        self.env = self._new_environment()
        self.env.event_manager = self._events
        if self._state is not None:
            self.env.states.reset(self._state_input)

    def start(self) -> None:
        ExecutionWorker.start(self)  # type: ignore[no-untyped-call]

    def _execution_logic(self) -> None:
        # moto types the entry point by what all components are.
        program: Any = self._get_evaluation_entrypoint()
        environment = self._get_evaluation_environment()
        # moto knows the type of this event, but not what is in it.
        details: Any = {"executionRedrivenEventDetails": {"redriveCount": self._count}}
        self._events.add_event(environment.event_history_context, HistoryEventType.ExecutionRedriven, details)
        if self._state is not None:
            program.start_at = StartAt(self._state)
        program.eval(environment)
        self._execution_communication.terminated()


def _last_entered(history: Any) -> tuple[str | None, Any]:
    """Name and input of the last state that was entered; None if none was.

    An execution ends while it is in a state: one that was left and is the last had its end in itself.
    """
    depth = 0
    last: tuple[str | None, Any] = (None, None)
    for event in history:
        kind = str(event["type"].value if isinstance(event["type"], HistoryEventType) else event["type"])
        nests = kind.startswith(("MapState", "ParallelState"))
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            last = (str(details["name"]), json.loads(details["input"]))
            depth += nests
        elif kind.endswith("StateExited"):
            depth -= nests
    if depth:
        raise not_implemented("states", "RedriveExecution", why="it redrives no Map or Parallel state")
    return last
