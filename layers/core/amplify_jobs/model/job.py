"""Jobs and their states, in one form for all of Amplify's services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from pydantic import AwareDatetime

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.results import Results
from amplify_jobs.text import sentences


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


# Every other status, an unknown one included, counts as running: only the last three are the end.
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


class JobOrigin(GrowingModel):
    """What Amplify tells of a job that somebody else started (APIs: GetJob, GetApp).

    `commit` is None of a job that builds the tip of its branch. `host` and `repository` name the app's repository.
    """

    started_at: AwareDatetime | None = None
    commit: str | None = None
    message: str | None = None
    host: str | None = None
    repository: str | None = None


class Job(GrowingModel):
    """A job of Amplify: a branch's if Amplify Hosting runs it, else a backend environment's.

    `warnings` are faults of the request that did not keep the job from starting. `origin` is there if somebody else
    started the job.
    """

    operation: str
    app_id: str
    branch_name: str | None = None
    environment_name: str | None = None
    job_id: str
    job_type: str | None = None
    warnings: tuple[str, ...] = ()
    origin: JobOrigin | None = None

    def require_branch(self) -> str:
        """Give the branch of a job of Amplify Hosting. Raises ValueError for any other job."""
        if self.branch_name is None:
            raise ValueError(f"a job of {self.operation} has no branch")
        return self.branch_name

    def require_environment(self) -> str:
        """Give the backend environment of a job that generates something. Raises ValueError for any other job."""
        if self.environment_name is None:
            raise ValueError(f"a job of {self.operation} has no environment")
        return self.environment_name

    @property
    def place(self) -> str:
        """The branch or environment, for people."""
        return self.branch_name or self.environment_name or "?"

    @property
    def sends_events(self) -> bool:
        """Whether an event tells of its end; only Amplify Hosting sends any."""
        return self.branch_name is not None


@dataclass(frozen=True)
class BranchRef:
    """A branch of an app in a Region, by its names."""

    region: str
    app_id: str
    name: str


@dataclass(frozen=True)
class JobRef:
    """A job of Amplify Hosting, by what its status events name it by."""

    branch: BranchRef
    job_id: str


RecordKey = NewType("RecordKey", dict[str, str])
"""Which record of the jobs table a job has. The table alone makes and reads it; the state machine passes it on."""


class Step(GrowingModel):
    """One step of a job (API: Step)."""

    name: str
    status: str
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    reason: str | None = None


@dataclass(frozen=True)
class StepAddress:
    """Where the log of a step is (API: Step.logUrl): a signed address, a secret as long as it works."""

    step: Step
    log_url: str | None


class JobState(GrowingModel):
    """What a poll says: the normalised state, with the raw status, steps and times beside it.

    `supersededBy` is the request id of the newer request that this job was stopped for; `gone` is true of a job that
    Amplify no longer knows. `failure` is why the job failed, and `commitBuilt` the commit that Amplify switched to, as
    its logs tell.
    """

    job: Job
    state: State
    status: str | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    reason: str | None = None
    steps: tuple[Step, ...] = ()
    results: Results | None = None
    superseded_by: str | None = None
    gone: bool = False
    failure: Failure | None = None
    commit_built: str | None = None

    @property
    def left_queue_at(self) -> datetime | None:
        """When Amplify began to work on the job, as far as its steps tell; what has no queue began when it started."""
        if not self.job.sends_events:
            return self.started_at
        starts = [
            step.started_at for step in self.steps if step.started_at and step.status not in ("CREATED", "PENDING")
        ]
        return min(starts, default=None)

    def with_note(self, note: str) -> JobState:
        """Add a sentence to the reason."""
        return self.model_copy(update={"reason": sentences(self.reason, note)})

    def cancelled_for(self, newer: str) -> JobState:
        """The state of a job that ended, or is not started again, because of a newer request."""
        reason = f"Superseded by request {newer}, whose event is newer."
        if self.state is State.FAILED:
            reason = sentences(reason, f"The job before had failed: {self.reason or 'Amplify gave no reason.'}")
        return self.model_copy(update={"state": State.CANCELLED, "reason": reason, "superseded_by": newer})

    @property
    def failed_step(self) -> Step | None:
        return next((step for step in self.steps if step.status == "FAILED"), None)
