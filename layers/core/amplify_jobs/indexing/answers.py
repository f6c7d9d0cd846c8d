"""What the API answers about requests: the models are a published contract (docs/openapi.json), and only ever grow."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import AwareDatetime, Field

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.request import Cause
from amplify_jobs.model.results import Results

Item = TypeVar("Item")


class RequestState(StrEnum):
    """Where a request stands: RECEIVED until its job is started, STARTED until it ends, REJECTED without a job.

    One that takes a preview away is RECEIVED until it has done so, and then FINISHED with the outcome REMOVED, or
    KEPT if it was to stay.
    """

    RECEIVED = "RECEIVED"
    STARTED = "STARTED"
    FINISHED = "FINISHED"
    REJECTED = "REJECTED"

    @property
    def is_end(self) -> bool:
        return self in (RequestState.FINISHED, RequestState.REJECTED)


class RequestLinks(GrowingModel):
    """Where a person can look; `log` is a path of this API. Never a signed URL."""

    console: str | None = None
    site: str | None = None
    log: str | None = None


class RequestSummary(GrowingModel):
    """A request as lists show it.

    `commit` is the one that was asked for, `commitBuilt` the one that Amplify built. `trigger` is the kind of event.
    `pusher` is who pushed, or did to a pull request or release what the event tells; `author` is who made the commit.
    """

    request_id: str
    state: RequestState
    outcome: str | None = None
    operation: str | None = None
    route: str | None = None
    app_id: str | None = None
    app_name: str | None = None
    branch_name: str | None = None
    environment_name: str | None = None
    job_id: str | None = None
    job_type: str | None = None
    attempts: int | None = None
    requested_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    duration_seconds: int | None = None
    repository: str | None = None
    ref: str | None = None
    commit: str | None = None
    commit_built: str | None = None
    commit_message: str | None = None
    author: str | None = None
    pusher: str | None = None
    trigger: str | None = None
    reason: str | None = None
    failure_summary: str | None = None
    links: RequestLinks = RequestLinks()


class StepState(GrowingModel):
    """A step of a job (API: Step); the times are there where Amplify tells them."""

    name: str
    status: str
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    reason: str | None = None


class TimelineEntry(GrowingModel):
    """One thing that happened to a request: `what` is one word for programs, `text` a sentence for people."""

    time: AwareDatetime
    what: str
    text: str


class PublishedAnnouncement(GrowingModel):
    """An announcement of a request, by the time of its event on the bus."""

    detail_type: str
    at: AwareDatetime


class ReportResult(GrowingModel):
    """What became of a report: `state` is sent, unchanged, outdated, refused, stopped or waiting."""

    target: str
    kind: str
    subject: str | None = None
    state: str
    at: AwareDatetime
    text: str | None = None


class ExecutionState(GrowingModel):
    """The execution of a request, as Step Functions told last."""

    arn: str
    status: str | None = None


class RequestStory(RequestSummary):
    """A request with its whole story.

    `asOf` is when the index heard of it last. `isLive` says whether the steps are what Amplify says now. `notes` say
    what could not be read now.
    """

    event: Cause | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None
    steps: tuple[StepState, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    announcements: tuple[PublishedAnnouncement, ...] = ()
    reports: tuple[ReportResult, ...] = ()
    execution: ExecutionState | None = None
    superseded_by: str | None = None
    supersedes: str | None = None
    results: Results | None = None
    as_of: AwareDatetime
    is_live: bool = False
    notes: tuple[str, ...] = ()


class LogText(GrowingModel):
    """A part of a step's log, without secrets; `offset` is where the next part begins, in characters of the log.

    `complete` says that no more will come. `failingLines` are the first and last line, counted from 1 over the whole
    log, of what the failure's excerpt shows.
    """

    step: str | None = None
    text: str
    offset: int
    complete: bool
    failing_lines: tuple[int, int] | None = None
    as_of: AwareDatetime


class Page(GrowingModel, Generic[Item]):
    """A page of a list. It may have fewer items than `limit`, even none: `next` alone says whether more follow."""

    items: tuple[Item, ...]
    next: str | None = None
    as_of: AwareDatetime


class LiveCommit(GrowingModel):
    """What the last job of a branch that succeeded has brought live, as far as this stack followed it."""

    commit: str | None = None
    job_id: str
    at: AwareDatetime | None = None
    request_id: str


class BranchState(GrowingModel):
    """A branch of an app: what is live there, its last request, and the newest that has not ended.

    `badge` is the path of the branch's badge at the API; null while badges are switched off.
    """

    app_id: str
    app_name: str | None = None
    branch_name: str
    live: LiveCommit | None = None
    last: RequestSummary | None = None
    running: RequestSummary | None = None
    badge: str | None = None


class Health(GrowingModel):
    """How current the index is: `asOf` is its newest write, `lagSeconds` how old the news was that it wrote."""

    as_of: AwareDatetime | None = None
    lag_seconds: int | None = None
    warnings: tuple[str, ...] = ()


class RequestAccepted(GrowingModel):
    """A request that was accepted, or the one that an order concerns."""

    request_id: str


class Problem(GrowingModel):
    """An error (RFC 9457, application/problem+json)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
