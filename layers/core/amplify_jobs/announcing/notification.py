"""Reads what to announce: from the state machine's call, or from the event that an execution failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from amplify_jobs.announcing.announcement import DetailType
from amplify_jobs.errors import Superseded
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.job import Job, JobState, State
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.text import sentences


class AnnounceCall(GrowingModel):
    """The state machine's call. `request` is the execution's input, which may be no request at all.

    `job` is there when a job was started. `error` is what Step Functions tells of the failed start; with a job too, the
    failed job could not be started again. `attempts` counts the jobs of the request.
    """

    detail_type: DetailType
    request: Any
    execution: str
    job: JobState | None = None
    error: Any = None
    attempts: int | None = None


class ExecutionStatus(GrowingModel):
    """An execution that did not succeed. `input` is missing if it is too large for an event."""

    execution_arn: str
    status: str
    input: str | None = None
    error: str | None = None
    cause: str | None = None


class ExecutionStatusChange(GrowingModel):
    """EventBridge's event "Step Functions Execution Status Change"."""

    source: Literal["aws.states"]
    detail: ExecutionStatus


def event_model(event: Mapping[str, Any]) -> type[AnnounceCall | ExecutionStatusChange]:
    """Tell by `source` which of its two events the function was invoked with."""
    return ExecutionStatusChange if event.get("source") == "aws.states" else AnnounceCall


class Requests(Protocol):
    """The requests in the jobs table, as aws.jobs_table provides them."""

    def job_of_request(self, request_id: str) -> Job | None: ...

    def superseding_request(self, request_id: str) -> str | None: ...

    def stop_of_request(self, request_id: str) -> str | None: ...


@dataclass(frozen=True)
class Notification:
    """One thing to announce. `state` is there if a job was started, `reason` says why none was.

    `attempts` counts the started jobs, `superseded_by` is the id of the newer request that this one gave way to.
    `is_cancelled` says that it gave way, or that a person stopped it before it was started.
    """

    detail_type: DetailType
    request: JobRequest
    execution: str
    state: JobState | None
    reason: str = ""
    attempts: int | None = None
    superseded_by: str | None = None
    is_cancelled: bool = False

    def labels(self, audience: str) -> list[str]:
        """Name it for the record of published announcements: its own label first, then those that make it needless.

        "No longer followed" is no news after the outcome. The outcome is news after "no longer followed": the execution
        was redriven.
        """
        label = f"{self.detail_type} to {audience}"
        if self.detail_type is DetailType.JOB_FINISHED and self.state is not None and not self.state.state.is_outcome:
            return [f"{label}, not followed", label]
        return [label]


def notification_from(
    event: AnnounceCall | ExecutionStatusChange, requests: Requests, received_at: datetime
) -> Notification:
    """Make the notification that an event asks for; an unreadable request counts as received at `received_at`."""
    if isinstance(event, ExecutionStatusChange):
        return _execution_failed(event.detail, requests, received_at)
    request = readable_request(event.request, event.execution, received_at)
    is_superseded = _is_superseded(event.error)
    newer = requests.superseding_request(request.request_id) if is_superseded else None
    is_stopped = is_superseded and newer is None and requests.stop_of_request(request.request_id) is not None
    state, reason = event.job, _error_message(event.error)
    if state is not None and newer is not None:
        state = state.cancelled_for(newer)
    elif state is not None and event.error is not None:
        state = state.with_note(f"It could not be started again: {reason}")
    return Notification(
        detail_type=event.detail_type,
        request=request,
        execution=event.execution,
        state=state,
        reason=reason,
        attempts=event.attempts,
        superseded_by=newer,
        is_cancelled=newer is not None or is_stopped,
    )


def readable_request(raw: object, execution: str, received_at: datetime) -> JobRequest:
    """Read the request of an execution, or make one from its readable parts and the execution's name."""
    try:
        return JobRequest.model_validate(raw)
    except ValidationError:
        operation = raw.get("operation") if isinstance(raw, dict) else None
        parameters = raw.get("parameters") if isinstance(raw, dict) else None
        return JobRequest.model_construct(
            request_id=execution.rpartition(":")[2],
            route=None,
            operation=operation if isinstance(operation, str) else None,
            parameters=parameters if isinstance(parameters, dict) else {},
            cause=Cause(source="unknown", kind="unknown"),
            received_at=received_at,
        )


def _execution_failed(execution: ExecutionStatus, requests: Requests, received_at: datetime) -> Notification:
    request = readable_request(_json(execution.input), execution.execution_arn, received_at)
    message = _error_message({"Error": execution.error, "Cause": execution.cause})
    reason = sentences(f"amplify-jobs itself failed: its execution ended as {execution.status}", message)
    job = requests.job_of_request(request.request_id)
    if job is None:
        return Notification(DetailType.JOB_REJECTED, request, execution.execution_arn, state=None, reason=reason)
    state = JobState(job=job, state=State.RUNNING, reason=sentences(reason, "The job may still be running."))
    return Notification(DetailType.JOB_FINISHED, request, execution.execution_arn, state, reason)


def _is_superseded(error: object) -> bool:
    return isinstance(error, dict) and error.get("Error") == Superseded.__name__


def _error_message(error: object) -> str:
    """Take the message out of a Lambda error's cause, which is JSON with a stack trace that nobody should see."""
    if not isinstance(error, dict):
        return ""
    cause = _json(error.get("Cause"))
    message = cause.get("errorMessage") if isinstance(cause, dict) else None
    if isinstance(message, str):
        return message
    return " ".join(str(part) for part in (error.get("Error"), error.get("Cause")) if part)


def _json(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
