"""The state of an execution in moto's interpreter, in which a stop is final. Import it late, as the interpreter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.api import ExecutionAbortedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped


class StoppableEnvironment(Environment):
    """The state of an execution, in which a stop is final.

    moto loses a stop that comes before the first state. One that comes between two steps of the interpreter makes the
    next step fail, and the execution FAILED.
    """

    def _is_stopped(self) -> bool:
        return isinstance(self._program_state, ProgramStopped)

    def note_stop(self) -> None:
        """Put the end of an execution that was stopped into its history, if moto had no occasion to."""
        state, history = self._program_state, self.event_manager.get_event_history()
        if isinstance(state, ProgramStopped) and history[-1]["type"] != HistoryEventType.ExecutionAborted:
            aborted = ExecutionAbortedEventDetails(error=state.error, cause=state.cause)
            self.event_history_context.source_event_id = 0
            self.event_manager.add_event(
                self.event_history_context,
                HistoryEventType.ExecutionAborted,
                EventDetails(executionAbortedEventDetails=aborted),  # type: ignore[typeddict-item]  # one of many is usual
            )

    def set_stop(self, stop_date: datetime, cause: str | None, error: str | None) -> None:
        with self._state_mutex:
            if self._program_state is None:
                self._program_state = ProgramStopped(stop_date=stop_date, cause=cause, error=error)
        super().set_stop(stop_date=stop_date, cause=cause, error=error)

    def set_error(self, error: Any) -> None:
        with self._state_mutex:
            if not self._is_stopped():
                super().set_error(error)

    def set_timed_out(self) -> None:
        with self._state_mutex:
            if not self._is_stopped():
                super().set_timed_out()

    @property
    def next_state_name(self) -> str | None:
        return super().next_state_name

    @next_state_name.setter
    def next_state_name(self, name: str) -> None:
        with self._state_mutex:
            if not self._is_stopped():
                Environment.next_state_name.fset(self, name)  # type: ignore[attr-defined]

    @property
    def next_field_name(self) -> str | None:
        return super().next_field_name

    @next_field_name.setter
    def next_field_name(self, name: str) -> None:
        with self._state_mutex:
            if not self._is_stopped():
                Environment.next_field_name.fset(self, name)  # type: ignore[attr-defined]

    @classmethod
    def as_frame_of(cls, env: Environment, event_history_frame_cache: EventHistoryContext | None = None) -> Environment:
        return cls.as_inner_frame_of(env, env.variable_store, event_history_frame_cache)
