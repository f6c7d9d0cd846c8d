"""Job requests: one operation, its parameters in the API's own names, a request id, who asked and why."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError, model_validator

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.base import GrowingModel, Model
from amplify_jobs.model.s3_uri import S3Uri
from amplify_jobs.model.validation import faults

REQUEST_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,79}$"
ROUTE_NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
COMMIT_MESSAGE_LIMIT = 10_000
JOB_REASON_LIMIT = 255

DEFAULT_TIMEOUT_MINUTES = 60
# Code and models are generated in seconds; the Amplify CLI itself gives up after two minutes.
DEFAULT_TIMEOUT_MINUTES_OF_GENERATORS = 10
DEFAULT_START_WITHIN_MINUTES = 360
LONGEST_MINUTES = 1440
MOST_RETRIES = 5


class Operation(StrEnum):
    """The API operation that a request asks for, in boto3's own names."""

    START_JOB = "start_job"
    START_DEPLOYMENT = "start_deployment"
    START_CODEGEN_JOB = "start_codegen_job"
    GENERATE_BACKEND_API_MODELS = "generate_backend_api_models"


def default_timeout_minutes(operation: str) -> int:
    """How long a job of an operation may run where nobody says."""
    generators = (Operation.START_CODEGEN_JOB, Operation.GENERATE_BACKEND_API_MODELS)
    return DEFAULT_TIMEOUT_MINUTES_OF_GENERATORS if operation in generators else DEFAULT_TIMEOUT_MINUTES


class JobType(StrEnum):
    """Amplify's JobType (StartJob)."""

    RELEASE = "RELEASE"
    RETRY = "RETRY"
    MANUAL = "MANUAL"
    WEB_HOOK = "WEB_HOOK"


class OnTimeout(StrEnum):
    """What becomes of a job that ran longer than its request allows."""

    STOP = "stop"
    LEAVE = "leave"


AppId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20, pattern=r"^d[a-z0-9]+$"),
    Field(
        description="The app's id as Amplify shows it: d, then small letters and digits, at most 20.",
        examples=["d1a2b3c4d5e6"],
    ),
]
BranchName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    Field(description="The name of a branch of the app, at most 255 characters.", examples=["main", "{branch}"]),
]
JobId = Annotated[str, StringConstraints(max_length=255, pattern=r"^[0-9]+$")]


class StartJobParameters(Model):
    """The input of Amplify's StartJob, with its lengths and patterns.

    Source: Amplify API reference, StartJob, and botocore's model of it. jobId is required for RETRY.
    """

    app_id: AppId
    branch_name: BranchName
    job_type: JobType = Field(description="The kind of job. RELEASE builds the branch, RETRY runs jobId again.")
    job_id: JobId | None = Field(
        default=None, description="The number of the job that RETRY runs again.", examples=["12"]
    )
    job_reason: Annotated[str, StringConstraints(max_length=JOB_REASON_LIMIT)] | None = Field(
        default=None,
        description=f"The reason for the job, at most {JOB_REASON_LIMIT} characters.",
        examples=["{message}"],
    )
    commit_id: Annotated[str, StringConstraints(max_length=255)] | None = Field(
        default=None, description="The commit's id, at most 255 characters.", examples=["{commit}"]
    )
    commit_message: Annotated[str, StringConstraints(max_length=COMMIT_MESSAGE_LIMIT)] | None = Field(
        default=None,
        description=f"The commit's message, at most {COMMIT_MESSAGE_LIMIT} characters.",
        examples=["{message}"],
    )
    commit_time: datetime | None = Field(
        default=None, description="The commit's time in ISO 8601.", examples=["2026-01-31T12:00:00Z"]
    )

    @model_validator(mode="after")
    def _retry_names_its_job(self) -> StartJobParameters:
        if self.job_type is JobType.RETRY and self.job_id is None:
            raise ValueError("jobId is required when jobType is RETRY: name the job to run again")
        return self


class Cause(GrowingModel):
    """Why a job was requested: what the announcement tells people of the event behind it.

    `pullRequest` is its number, `object` the s3:// address of the object that was written, `reason` what a sender of a
    request gave as one.
    """

    source: str
    kind: str
    repository: str | None = None
    ref: str | None = None
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    message: str | None = None
    author: str | None = None
    pull_request: int | None = None
    object: str | None = None
    delivery_id: str | None = None
    reason: str | None = None


class JobRequest(GrowingModel):
    """A command to start one job; the input of one execution of the job state machine.

    `parameters` stay as they came: the start function validates them, so that a bad one is announced as a rejection.
    What of them is too large for an execution's input lies at `parametersUri`: a JSON object whose members are added.
    `timeoutMinutes` runs from the moment the job leaves Amplify's queue, `startWithinMinutes` bounds everything before.
    `retry` is how often a job that FAILED is started again, as RETRY of the same job id. With `supersede` the request
    makes older ones of the same app, branch and kind (`cause.kind`) moot; `eventTime`, at most `receivedAt`, says which
    are older. `route` is None for a job that was asked for outright.
    `fault` is what was found wrong before the request was made: such a request is there to be rejected and announced.
    """

    version: Literal["1"] = "1"
    request_id: Annotated[str, StringConstraints(pattern=REQUEST_ID_PATTERN)]
    route: str | None = None
    operation: str
    parameters: dict[str, Any]
    parameters_uri: S3Uri | None = None
    timeout_minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] = Field(
        default_factory=lambda given: default_timeout_minutes(given.get("operation", ""))
    )
    start_within_minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] = DEFAULT_START_WITHIN_MINUTES
    on_timeout: OnTimeout = OnTimeout.LEAVE
    retry: Annotated[int, Field(ge=0, le=MOST_RETRIES)] = 0
    supersede: bool = False
    event_time: AwareDatetime | None = None
    cause: Cause
    received_at: AwareDatetime
    fault: str | None = None

    def log_keys(self) -> dict[str, Any]:
        """What every log line about this request carries."""
        return {
            "request_id": self.request_id,
            "delivery_id": self.cause.delivery_id,
            "app_id": self.app_id,
            "branch_name": self.branch_name,
        } | ({"environment_name": self.environment_name} if self.environment_name else {})

    @property
    def app_id(self) -> str | None:
        """The app that the parameters name, as far as they can be understood."""
        return self._text("appId", "AppId")

    @property
    def branch_name(self) -> str | None:
        return self._text("branchName")

    @property
    def environment_name(self) -> str | None:
        """The backend environment; Amplify Backend alone begins names with capitals."""
        return self._text("environmentName", "BackendEnvironmentName")

    def _text(self, *names: str) -> str | None:
        values = (self.parameters.get(name) for name in names)
        return next((value for value in values if isinstance(value, str)), None)


def job_request(raw: object) -> JobRequest:
    """Read a job request. Raises RequestRejected naming every fault with its path."""
    try:
        return JobRequest.model_validate(raw)
    except ValidationError as error:
        raise RequestRejected("; ".join(faults(error))) from None
