"""What there is to announce: read from the state machine's call, or from the event that an execution failed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from amplify_jobs.announcing.announcement import (
    Announcement,
    AppNames,
    DetailType,
    StackInfo,
    finished,
    readable_request,
    rejected,
    started,
)
from amplify_jobs.errors import Superseded
from amplify_jobs.model.job import Job, JobState, State
from amplify_jobs.model.request import JobRequest
from amplify_jobs.text import sentences


class Requests(Protocol):
    """What is asked of the jobs table; aws.jobs_table does it."""

    def job_of_request(self, request_id: str) -> Job | None: ...

    def superseding_request(self, request_id: str) -> str | None: ...


@dataclass(frozen=True)
class Notification:
    """One thing to announce; `state` is there when a job was started, `reason` when none was.

    `attempts` counts the jobs that were started, `superseded_by` names the newer request that this one gave way to.
    """

    detail_type: DetailType
    request: JobRequest
    execution: str
    state: JobState | None
    reason: str
    attempts: int | None = None
    superseded_by: str | None = None

    def labels(self, audience: str) -> list[str]:
        """Name it for the record of what was said to whom: its own label first, then those that make it needless.

        That a job is no longer followed is no news after its outcome, but the outcome is news after that, when the
        execution was redriven.
        """
        said = f"{self.detail_type} to {audience}"
        if self.detail_type is DetailType.JOB_FINISHED and self.state is not None and not self.state.state.is_outcome:
            return [f"{said}, not followed", said]
        return [said]


def notification_from(event: dict[str, Any], requests: Requests, now: datetime) -> Notification:
    """Read what is to be announced.

    `event` is the state machine's payload ({detailType, request, execution, job or error or, when a failed job could
    not be started again, both, and attempts}) or EventBridge's "Step Functions Execution Status Change".
    """
    if event.get("source") == "aws.states":
        return _execution_failed(event["detail"], requests, now)
    execution, error = event["execution"], event.get("error")
    request = readable_request(event["request"], execution, now)
    newer = requests.superseding_request(request.request_id) if _is_superseded(error) else None
    state = JobState.model_validate(event["job"]) if "job" in event else None
    reason = _error_message(error)
    if state is not None and newer is not None:
        state = state.cancelled_for(newer)
    elif state is not None and error is not None:
        state = state.with_note(f"It could not be started again: {reason}")
    return Notification(
        detail_type=DetailType(event["detailType"]),
        request=request,
        execution=execution,
        state=state,
        reason=reason,
        attempts=event.get("attempts"),
        superseded_by=newer,
    )


def announcement(said: Notification, names: AppNames, place: StackInfo) -> Announcement:
    """Make the event's detail of an occasion."""
    if said.state is None:
        return rejected(said.request, said.reason, names, place, said.execution, superseded_by=said.superseded_by)
    if said.detail_type is DetailType.JOB_STARTED:
        return started(said.request, said.state, names, place, said.execution)
    return finished(said.request, said.state, names, place, said.execution, attempts=said.attempts)


def _execution_failed(detail: dict[str, Any], requests: Requests, now: datetime) -> Notification:
    # The input is left out when it is too large for an event, and is then unknown here.
    request = readable_request(_json(detail.get("input")), detail["executionArn"], now)
    said = _error_message({"Error": detail.get("error"), "Cause": detail.get("cause")})
    reason = sentences(f"amplify-jobs itself failed: its execution ended as {detail['status']}", said)
    job = requests.job_of_request(request.request_id)
    state = (
        None
        if job is None
        else JobState(job=job, state=State.RUNNING, reason=sentences(reason, "The job may still be running."))
    )
    return Notification(
        detail_type=DetailType.JOB_REJECTED if state is None else DetailType.JOB_FINISHED,
        request=request,
        execution=detail["executionArn"],
        state=state,
        reason=reason,
    )


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
