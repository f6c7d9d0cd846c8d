"""Jobs and their states: what Amplify says of a job, in one form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.models import GrowingModel


class State(StrEnum):
    """Where a job stands; the last four are outcomes."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_outcome(self) -> bool:
        return self not in (State.WAITING, State.RUNNING)


# Whatever is not listed here, a status never seen before included, counts as running: only these three are the end.
_HOSTING_STATES = {
    "CREATED": State.WAITING,
    "PENDING": State.WAITING,
    "SUCCEED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "CANCELLED": State.CANCELLED,
}


def hosting_state(status: str) -> State:
    """Say what a JobStatus of Amplify Hosting (API: JobSummary.status) means."""
    return _HOSTING_STATES.get(status, State.RUNNING)


class Job(GrowingModel):
    """Which job of Amplify's it is."""

    operation: str
    app_id: str
    branch_name: str
    job_id: str
    job_type: str | None = None


class JobKey(GrowingModel):
    """The key of a job's record in the jobs table."""

    pk: str
    sk: str


def branch_key(region: str, app_id: str, branch_name: str) -> str:
    """The partition of all records of one branch."""
    return f"{region}#{app_id}#{branch_name}"


def job_key(region: str, app_id: str, branch_name: str, job_id: str) -> JobKey:
    """The key of a job's record; ids are padded so that they sort as numbers."""
    return JobKey(pk=branch_key(region, app_id, branch_name), sk=f"job#{job_id.zfill(10)}")


class Step(GrowingModel):
    """One step of a job (API: Step)."""

    name: str
    status: str
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    reason: str | None = None


class JobState(GrowingModel):
    """What a poll says: the normalised state, with the raw status, steps and times beside it.

    `supersededBy` is the request id of the newer request that this job was stopped for.
    """

    job: Job
    state: State
    status: str | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    reason: str | None = None
    steps: tuple[Step, ...] = ()
    superseded_by: str | None = None

    @property
    def left_queue_at(self) -> datetime | None:
        """When Amplify began to work on the job, as far as its steps tell."""
        starts = [
            step.started_at for step in self.steps if step.started_at and step.status not in ("CREATED", "PENDING")
        ]
        return min(starts, default=None)

    @property
    def failed_step(self) -> Step | None:
        return next((step for step in self.steps if step.status == "FAILED"), None)


class PollAnswer(GrowingModel):
    """What a start or a poll tells the state machine.

    `waitSeconds` (whole, at least 1) is how long to wait for a change; `seen` is the record's count of changes, as a
    number in a string, because DynamoDB's JSON wants it so. `attempt` counts the request's jobs from 1; `retry` is true
    of a job that failed and is to be started again.
    """

    version: Literal["1"] = "1"
    job: JobState
    finished: bool
    wait_seconds: int
    seen: str
    key: JobKey
    attempt: int = 1
    retry: bool = False


def hosting_job_state(job: Job, answer: Mapping[str, Any]) -> JobState:
    """Normalise an answer of Amplify's GetJob.

    Every member of the answer is optional, since real ones leave out what the API page calls required.
    Raises ServiceTrouble if the answer is no job at all.
    """
    body = answer.get("job")
    summary = body.get("summary") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(summary, Mapping):
        raise ServiceTrouble("Amplify's GetJob answered without a job")
    status = _text(summary.get("status"))
    listed = body.get("steps")
    steps = tuple(_step(step) for step in listed if isinstance(step, Mapping)) if isinstance(listed, list) else ()
    return JobState(
        job=job.model_copy(update={"job_type": _text(summary.get("jobType")) or job.job_type}),
        state=hosting_state(status) if status else State.RUNNING,
        status=status,
        started_at=_time(summary.get("startTime")),
        finished_at=_time(summary.get("endTime")),
        reason=next((step.reason for step in steps if step.status == "FAILED" and step.reason), None),
        steps=steps,
    )


def _step(step: Mapping[str, Any]) -> Step:
    return Step(
        name=_text(step.get("stepName")) or "?",
        status=_text(step.get("status")) or "?",
        started_at=_time(step.get("startTime")),
        finished_at=_time(step.get("endTime")),
        reason=_text(step.get("statusReason")),
    )


# botocore does not hold what it is answered against its model: a member of another type counts as left out.


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) and value.tzinfo is not None else None
