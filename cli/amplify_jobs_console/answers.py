"""What the console reads of the API's answers. docs/openapi.json describes the answers in full."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Seconds = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Item = TypeVar("Item")


class Answer(BaseModel):
    """A part of an answer; members that the console does not know are ignored."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )


class Page(Answer, Generic[Item]):
    """One page of a list; `next` is the token of the page after it."""

    items: list[Item] = []
    next: str | None = None
    as_of: Time | None = None


class Links(Answer):
    """Where else a job can be looked at."""

    console: str | None = None
    site: str | None = None
    log: str | None = None


class RequestSummary(Answer):
    """A request as lists show it."""

    request_id: str
    state: str
    outcome: str | None = None
    operation: str | None = None
    route: str | None = None
    app_id: str | None = None
    app_name: str | None = None
    branch_name: str | None = None
    environment_name: str | None = None
    job_id: str | None = None
    job_type: str | None = None
    attempts: Count | None = None
    requested_at: Time | None = None
    started_at: Time | None = None
    ended_at: Time | None = None
    duration_seconds: Seconds | None = None
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
    links: Links = Links()


class Event(Answer):
    """What triggered a request."""

    source: str | None = None
    kind: str | None = None
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


class Failure(Answer):
    """Why a build failed."""

    cause: str | None = None
    summary: str | None = None
    advice: str | None = None
    phase: str | None = None
    command: str | None = None
    excerpt: str | None = None
    who: str | None = None
    retry_helps: bool = False


class Step(Answer):
    """A step of a job."""

    name: str
    status: str | None = None
    started_at: Time | None = None
    ended_at: Time | None = None
    reason: str | None = None


class Moment(Answer):
    """Something that happened in the life of a request."""

    time: Time | None = None
    what: str | None = None
    text: str | None = None


class SentAnnouncement(Answer):
    """An announcement of a request."""

    detail_type: str
    at: Time | None = None


class SentReport(Answer):
    """What a target of reports knows of a request."""

    target: str
    kind: str | None = None
    subject: str | None = None
    state: str | None = None
    at: Time | None = None
    text: str | None = None


class Execution(Answer):
    """The execution of a request."""

    arn: str | None = None
    status: str | None = None


class RequestStory(RequestSummary):
    """A request with everything that is known of it."""

    event: Event | None = None
    parameters: dict[str, Any] | None = None
    warnings: list[str] = []
    failure: Failure | None = None
    steps: list[Step] = []
    timeline: list[Moment] = []
    announcements: list[SentAnnouncement] = []
    reports: list[SentReport] = []
    execution: Execution | None = None
    superseded_by: str | None = None
    supersedes: str | None = None
    results: Any = None
    is_live: bool = False
    notes: list[str] = []


class LogPart(Answer):
    """A part of a log; `offset` is where the next part begins, `failingLines` counts from 1."""

    step: str | None = None
    text: str = ""
    offset: Count = 0
    complete: bool = True
    failing_lines: tuple[Count, Count] | None = None


class LiveCommit(Answer):
    """What a branch serves."""

    commit: str | None = None
    job_id: str | None = None
    at: Time | None = None
    request_id: str | None = None


class BranchSummary(Answer):
    """A branch of an app: what it serves, what was asked for last, what runs."""

    app_id: str
    app_name: str | None = None
    branch_name: str
    live: LiveCommit | None = None
    last: RequestSummary | None = None
    running: RequestSummary | None = None
    badge: str | None = None


class DeliverySummary(Answer):
    """A delivery as lists show it."""

    delivery_id: str
    source: str | None = None
    provider: str | None = None
    received_at: Time | None = None
    kind: str | None = None
    repository: str | None = None
    ref: str | None = None
    commit: str | None = None
    requests: Count | None = None
    summary: str | None = None


class Decision(Answer):
    """What a route decided about an event."""

    route: str | None = None
    matched: bool = False
    reason: str | None = None
    request_id: str | None = None


class Delivery(DeliverySummary):
    """A delivery with the decision of each route."""

    decisions: list[Decision] = []
    is_replayable: bool = False


class Routes(Answer):
    """The routes in effect."""

    routes: dict[str, Any] = {}
    pushed_at: Time | None = None


class Schedule(Answer):
    """A schedule and the next times at which it fires."""

    name: str
    expression: str | None = None
    timezone: str | None = None
    route: str | None = None
    next: list[Time] = []
    state: str | None = None


class Health(Answer):
    """How old the index is, and what is wrong with it."""

    as_of: Time | None = None
    lag_seconds: Seconds | None = None
    warnings: list[str] = []


class Accepted(Answer):
    """The API took an order."""

    request_id: str | None = None
