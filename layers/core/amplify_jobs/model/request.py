"""Job requests: one operation, its parameters in the API's own names, a request id, and the cause."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.mirror_order import MirrorOrder
from amplify_jobs.model.operations import FOLLOW_JOB, OPERATIONS, default_timeout_minutes
from amplify_jobs.model.preview_order import PreviewOrder
from amplify_jobs.model.s3_uri import S3Uri
from amplify_jobs.model.validation import invalid_input_is

REQUEST_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,79}$"
ROUTE_NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
COMMIT_MESSAGE_LIMIT = 10_000
# Announcements show the message's beginning; the whole of it travels once, as commitMessage.
CAUSE_MESSAGE_LIMIT = 1_000
JOB_REASON_LIMIT = 255

DEFAULT_START_WITHIN_MINUTES = 360
LONGEST_MINUTES = 1440
MOST_RETRIES = 5


class OnTimeout(StrEnum):
    """What becomes of a job that ran longer than its request allows."""

    STOP = "stop"
    LEAVE = "leave"


class RetryWhen(StrEnum):
    """Which failed jobs are started again: all, or only those for which a second try may help."""

    FAILED = "failed"
    TRANSIENT = "transient"


FOLLOWED = "followed"
"""The kind of the cause of a job that somebody else started: Amplify's own trigger, its console or its API."""


class Cause(GrowingModel):
    """Why a job was requested: what the announcement tells people of the event behind it.

    `pullRequest` is its number, `object` the s3:// address of the object that was written, `reason` what a sender of a
    request gave as one, `installation` that of the GitHub App whose webhook brought it. `pusher` is who pushed, or did
    to a pull request or release what the event tells, as far as the host says; `author` is who made the commit. `host`
    is the name of the repository's host where no delivery came from it, but somebody else started the job (FOLLOWED).
    """

    source: str
    kind: str
    host: str | None = None
    repository: str | None = None
    ref: str | None = None
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    message: str | None = None
    author: str | None = None
    pusher: str | None = None
    pull_request: int | None = None
    object: str | None = None
    delivery_id: str | None = None
    reason: str | None = None
    installation: int | None = None


class JobRequest(GrowingModel):
    """A command to start one job; the input of one execution of the job state machine.

    `parameters` stay as they came: start_job validates them, so that a wrong one is announced as a rejection. The
    object at `parametersUri` has those that are too large for an execution's input, as members of a JSON object.
    `timeoutMinutes` runs from the moment the job leaves Amplify's queue, `startWithinMinutes` bounds everything before.
    `retry` is how often a job that FAILED is started again, as RETRY of the same job id, and `retryWhen` says after
    which failures; requests of older versions do not have it. With `supersede` the request makes older ones of the same
    app, branch and kind (`cause.kind`) moot; `eventTime`, at most `receivedAt`, says which are older. `route` is None
    for a request that no route made. A request with a `fault` is there to be rejected and announced.
    """

    version: Literal["1"] = "1"
    request_id: Annotated[str, StringConstraints(pattern=REQUEST_ID_PATTERN)]
    route: str | None = None
    operation: str
    parameters: dict[str, Any]
    parameters_uri: S3Uri | None = None
    timeout_minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] = Field(
        default_factory=lambda members: default_timeout_minutes(members.get("operation", ""))
    )
    start_within_minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] = DEFAULT_START_WITHIN_MINUTES
    on_timeout: OnTimeout = OnTimeout.LEAVE
    retry: Annotated[int, Field(ge=0, le=MOST_RETRIES)] = 0
    retry_when: RetryWhen = RetryWhen.FAILED
    supersede: bool = False
    event_time: AwareDatetime | None = None
    mirror: MirrorOrder | None = None
    preview: PreviewOrder | None = None
    cause: Cause
    received_at: AwareDatetime
    fault: str | None = None

    def log_keys(self) -> dict[str, Any]:
        """The keys of every log line about this request."""
        return {
            "request_id": self.request_id,
            "delivery_id": self.cause.delivery_id,
            "app_id": self.app_id,
            "branch_name": self.branch_name,
        } | ({"environment_name": self.environment_name} if self.environment_name else {})

    @property
    def app_id(self) -> str | None:
        """The app that the parameters name, if it is a text."""
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


def unsupported_members(
    operation: str, supersede: bool, on_timeout: OnTimeout, retry_when: RetryWhen
) -> Iterator[tuple[str, str]]:
    """Say which members of a request or route mean nothing for its operation, and what to write instead."""
    spec = OPERATIONS.get(operation)
    if spec is None or (spec.is_hosting and operation != FOLLOW_JOB):
        return
    reason = f"no API stops a job of {operation}"
    if operation == FOLLOW_JOB:
        reason = "a job that somebody else started is never stopped"
    if supersede:
        yield "supersede", f"{reason}; leave it out"
    if on_timeout is OnTimeout.STOP:
        yield "onTimeout", f"{reason}; use leave"
    if retry_when is RetryWhen.TRANSIENT and not spec.is_hosting:
        yield "retryWhen", f"amplify-jobs reads no log of a job of {operation}; use {RetryWhen.FAILED}"


def parse_job_request(raw: object) -> JobRequest:
    """Read a job request. Raises RequestRejected, which names every fault with its path."""
    with invalid_input_is(RequestRejected):
        return JobRequest.model_validate(raw)
