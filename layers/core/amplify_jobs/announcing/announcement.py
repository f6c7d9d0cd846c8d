"""Announcements: the details of the EventBridge events that tell of a job's start, end or rejection.

The models are a published contract: docs/schemas has their JSON Schemas. They only ever grow.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, model_validator

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.request import Cause
from amplify_jobs.model.results import Results
from amplify_jobs.text import deeply, shortened, without_controls, without_secrets

EVENT_SOURCE = "amplify-jobs"


class DetailType(StrEnum):
    """The detail-types of our events."""

    JOB_STARTED = "Job Started"
    JOB_FINISHED = "Job Finished"
    JOB_REJECTED = "Job Rejected"


class Outcome(StrEnum):
    """How a job ended. UNKNOWN: amplify-jobs itself failed while it followed the job, which may still be running."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"
    UNKNOWN = "UNKNOWN"


class AnnouncedJob(GrowingModel):
    """The job, in Amplify's words: of a branch if it is one of Amplify Hosting's, else of a backend environment."""

    operation: str
    app_id: str
    app_name: str | None = None
    branch_name: str | None = None
    environment_name: str | None = None
    job_id: str
    job_type: str | None = None
    status: str | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None


class AnnouncedStep(GrowingModel):
    """A step of the job."""

    name: str
    status: str
    reason: str | None = None


class Links(GrowingModel):
    """Where a person can look; never a signed URL."""

    console: str | None = None
    site: str | None = None


class Announcement(GrowingModel):
    """What all three have in common. `execution` is the ARN of the state machine's execution."""

    version: Literal["1"] = "1"
    request_id: str
    route: str | None = None
    account: str
    region: str
    execution: str
    cause: Cause | None = None
    requested_at: AwareDatetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _clean_texts(cls, members: Any) -> Any:
        # Whatever a text comes from, and whichever member is added later.
        return deeply(_publishable, members)


class JobStarted(Announcement):
    """Amplify accepted the job. `warnings` is what was found in the request, and did not keep it from being started."""

    job: AnnouncedJob
    links: Links
    warnings: tuple[str, ...] = ()


class JobFinished(Announcement):
    """The job came to its end, or is no longer followed. `durationSeconds` runs from leaving Amplify's queue.

    `results` is there for jobs that generate something: the files in the stack's bucket, what could not be generated,
    and what could not be stored.
    `attempts` counts the request's jobs, of which this is the last; None if that is not known. `supersededBy` is the
    request id of the newer request that the job was stopped, or not started again, for.
    """

    job: AnnouncedJob
    outcome: Outcome
    duration_seconds: int | None = None
    reason: str | None = None
    failed_step: AnnouncedStep | None = None
    steps: tuple[AnnouncedStep, ...] = ()
    links: Links
    warnings: tuple[str, ...] = ()
    results: Results | None = None
    attempts: int | None = None
    superseded_by: str | None = None
    failure: Failure | None = None
    commit_built: str | None = None


class JobRejected(Announcement):
    """No job was started, and none will be: the reason says why.

    The outcome is CANCELLED if a newer request, `supersededBy`, made this one moot, or a person stopped it. Else it is
    REJECTED.
    """

    operation: str | None = None
    app_id: str | None = None
    app_name: str | None = None
    branch_name: str | None = None
    environment_name: str | None = None
    reason: str
    outcome: Literal["REJECTED", "CANCELLED"] = "REJECTED"
    superseded_by: str | None = None


DETAILS: dict[DetailType, type[Announcement]] = {
    DetailType.JOB_STARTED: JobStarted,
    DetailType.JOB_FINISHED: JobFinished,
    DetailType.JOB_REJECTED: JobRejected,
}


def _publishable(text: str) -> str:
    return shortened(without_secrets(without_controls(text)))
