"""Announcements: what is published when a job starts, ends or is rejected, for programs and for people.

The models are the details of the EventBridge events; docs/schemas has their JSON Schemas. They only ever grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, ValidationError, model_validator

from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.job import JobState, State
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.model.results import Results, bounded
from amplify_jobs.text import deeply, indented, one_line, presentable, shortened, without_controls, without_secrets

EVENT_SOURCE = "amplify-jobs"
SUBJECT_LIMIT = 99
# What a subject keeps of an app's and of a branch's name, however long the rest of it is.
_SHORTEST_NAME = 20
# Of each kind of trouble with results, in a message to people; programs get all.
MOST_LINES = 10


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


class AppNames(GrowingModel):
    """What Amplify knows of the app and the branch, as far as it answered; not `exist`ing is what it answered too."""

    exist: bool = True
    app_name: str | None = None
    default_domain: str | None = None
    display_name: str | None = None

    def completed_by(self, earlier: AppNames) -> AppNames:
        """Fill in what was known earlier; a consumer of a request's announcements meets one name of the app."""
        return AppNames(
            exist=self.exist,
            app_name=earlier.app_name or self.app_name,
            default_domain=self.default_domain or earlier.default_domain,
            display_name=self.display_name or earlier.display_name,
        )


class StackInfo(GrowingModel):
    """Where the announcing stack runs, and the patterns of its links."""

    account: str
    region: str
    console_url: str
    site_url: str


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
    def _fit_to_be_published(cls, members: Any) -> Any:
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

    The outcome is CANCELLED if a newer request, `supersededBy`, made this one moot, else REJECTED.
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


def started(request: JobRequest, state: JobState, names: AppNames, place: StackInfo, execution: str) -> JobStarted:
    """Announce that Amplify accepted the job."""
    return JobStarted(
        **_common(request, place, execution),
        job=_job(state, names),
        links=links(state, names, place),
        warnings=_warnings(state),
    )


def finished(
    request: JobRequest,
    state: JobState,
    names: AppNames,
    place: StackInfo,
    execution: str,
    *,
    attempts: int | None = None,
) -> JobFinished:
    """Announce a job's outcome; a state that is no outcome means that the job is no longer followed."""
    failed = state.failed_step
    return JobFinished(
        **_common(request, place, execution),
        job=_job(state, names),
        outcome=Outcome(state.state.value) if state.state.is_outcome else Outcome.UNKNOWN,
        duration_seconds=_duration(state),
        reason=presentable(state.reason),
        failed_step=_step(failed) if failed else None,
        steps=tuple(_step(step) for step in state.steps),
        links=links(state, names, place),
        warnings=_warnings(state),
        results=bounded(state.results) if state.results else None,
        attempts=attempts,
        superseded_by=state.superseded_by,
    )


def rejected(
    request: JobRequest,
    reason: str,
    names: AppNames,
    place: StackInfo,
    execution: str,
    *,
    superseded_by: str | None = None,
) -> JobRejected:
    """Announce that a request can't become a job, or is not to become one since a newer one superseded it."""
    return JobRejected(
        **_common(request, place, execution),
        operation=request.operation,
        app_id=request.app_id,
        app_name=presentable(names.app_name),
        branch_name=request.branch_name,
        environment_name=request.environment_name,
        reason=presentable(reason),
        outcome="REJECTED" if superseded_by is None else "CANCELLED",
        superseded_by=superseded_by,
    )


def readable_request(raw: object, execution: str, received_at: datetime) -> JobRequest:
    """Read the request of an execution, or make one that says where it came from if it can't be read."""
    try:
        return JobRequest.model_validate(raw)
    except ValidationError:
        request_id = execution.rpartition(":")[2]
        operation = raw.get("operation") if isinstance(raw, dict) else None
        parameters = raw.get("parameters") if isinstance(raw, dict) else None
        return JobRequest.model_construct(
            request_id=request_id,
            route=None,
            operation=operation if isinstance(operation, str) else None,
            parameters=parameters if isinstance(parameters, dict) else {},
            cause=Cause(source="unknown", kind="unknown"),
            received_at=received_at,
        )


def links(state: JobState, names: AppNames, place: StackInfo) -> Links:
    """Fill in the patterns of the links; one is left out whose values are not known, or that leads to what is gone."""
    values: dict[str, str | None] = {
        "region": place.region,
        "appId": state.job.app_id,
        "branchName": state.job.branch_name and state.job.branch_name.replace("/", "%2F"),
        "jobId": state.job.job_id,
        "displayName": names.display_name,
        "defaultDomain": names.default_domain,
    }
    return Links(
        console=_filled(place.console_url, values) if names.exist and not state.gone else None,
        site=_filled(place.site_url, values) if names.exist else None,
    )


def subject(detail: Announcement) -> str:
    """One line of at most 99 printable ASCII characters, as SNS wants it (API: Publish, Subject).

    Where it would be longer, the app's name is shortened first, then the branch's: what happened, which job and which
    commit is what people look for.
    """
    match detail:
        case JobFinished():
            what, name, where, which = str(detail.outcome), _name(detail.job), _place(detail.job), _number(detail.job)
        case JobStarted():
            what, name, where, which = "Started", _name(detail.job), _place(detail.job), _number(detail.job)
        case JobRejected():
            what, which = detail.outcome.capitalize(), ""
            name = detail.app_name or detail.app_id or detail.route or detail.request_id
            where = detail.branch_name or detail.environment_name or ""
        case _:
            raise TypeError(f"no subject for {type(detail).__name__}")
    commit = detail.cause.commit if detail.cause else None
    which += f" ({commit[:7]})" if commit else ""
    newer = detail.superseded_by if isinstance(detail, JobFinished | JobRejected) else None
    which += f" superseded by {newer}" if newer else ""
    what, name, where, which = (_ascii_line(part) for part in (what, name, where, which))

    def line() -> str:
        return " ".join(part for part in (f"{what}:", name, where, which) if part)

    name = _cut(name, max(len(name) - max(len(line()) - SUBJECT_LIMIT, 0), _SHORTEST_NAME))
    where = _cut(where, max(len(where) - max(len(line()) - SUBJECT_LIMIT, 0), _SHORTEST_NAME))
    return _cut(line(), SUBJECT_LIMIT)


def attributes(detail_type: DetailType, detail: Announcement) -> dict[str, str]:
    """What subscriptions to the topic can filter by: detailType, and outcome, appId, branchName and route if known."""
    job = detail.job if isinstance(detail, JobFinished | JobStarted) else detail
    values = {
        "detailType": detail_type.value,
        "outcome": detail.outcome if isinstance(detail, JobFinished | JobRejected) else None,
        "appId": getattr(job, "app_id", None),
        "branchName": getattr(job, "branch_name", None),
        "route": detail.route,
    }
    lines = {name: one_line(str(value)) for name, value in values.items() if value}
    # SNS refuses empty ones, and a name may be all of what a line can't hold.
    return {name: line for name, line in lines.items() if line}


def text(detail: Announcement) -> str:
    """What a person reads: what happened, why, to which commit of whom, and where to look.

    The first line says what happened. Each of the others is `label: value`, or goes on with a value, indented.
    """
    # A name that has a colon does not make a label of the first line.
    headline = one_line(_headline(detail)).replace(": ", " ")
    return "\n".join([headline, "", *(_line(label, value) for label, value in _facts(detail) if value), ""])


def _line(label: str, value: str) -> str:
    """The one place where values are put into the form: none of them can add a label."""
    return f"{label}: {indented(value) if label == 'Reason' else one_line(value)}"


def _headline(detail: Announcement) -> str:
    match detail:
        case JobFinished():
            took = f" after {duration(detail.duration_seconds)}" if detail.duration_seconds is not None else ""
            said = "is no longer followed" if detail.outcome is Outcome.UNKNOWN else f"{detail.outcome}{took}"
            return f"{_name(detail.job)} · {_place(detail.job)} · job {detail.job.job_id} {said}"
        case JobStarted():
            # Amplify took it; it runs once the jobs before it have ended. Nobody is told once more then.
            waits = ", and waits in Amplify's queue until it can run" if detail.job.branch_name else ""
            return f"{_name(detail.job)} · {_place(detail.job)} · job {detail.job.job_id} started{waits}"
        case JobRejected():
            parts = (detail.app_name or detail.app_id, detail.branch_name or detail.environment_name)
            what = " · ".join(part for part in parts if part)
            return f"{what or 'A request'} · no job was started"
        case _:
            raise TypeError(f"no headline for {type(detail).__name__}")


def _facts(detail: Announcement) -> list[tuple[str, str | None]]:
    cause = detail.cause
    facts: list[tuple[str, str | None]] = []
    if isinstance(detail, JobFinished):
        facts.append(("Failed step", detail.failed_step.name if detail.failed_step else None))
        again = detail.attempts is not None and detail.attempts > 1
        facts.append(("Attempts", str(detail.attempts) if again else None))
    if isinstance(detail, JobFinished | JobRejected):
        facts.append(("Reason", detail.reason))
    if isinstance(detail, JobFinished) and detail.results is not None:
        facts += _result_facts(detail.results)
    if isinstance(detail, JobFinished | JobStarted):
        facts += _few("Warning", detail.warnings)
    if cause is not None:
        message = " ".join((cause.message or "").splitlines()[:1])
        facts.append(("Commit", f"{(cause.commit or '')[:12]} {message}".strip()))
        facts.append(("Author", cause.author))
        where = " to " + cause.repository if cause.repository else ""
        facts.append(("Asked by", f"{cause.kind}{where}" + (f", route {detail.route}" if detail.route else "")))
        facts.append(("Asked because", " ".join((cause.reason or "").split())))
    if isinstance(detail, JobFinished | JobStarted):
        facts += [("Console", detail.links.console), ("Site", detail.links.site)]
    facts += [("Request", detail.request_id), ("Execution", detail.execution)]
    return facts


def _result_facts(results: Results) -> Iterator[tuple[str, str | None]]:
    if results.files:
        yield "Files", f"{len(results.files) + results.more_files} in {results.folder}"
    errors = [
        f"{error.schema_name}: {error.error}" if error.schema_name else error.error for error in results.partial_errors
    ]
    missing = [f"{file.name}: {file.reason}" if file.name else file.reason for file in results.missing]
    yield from _few("Not generated", errors)
    yield from _few("Not stored", missing)


def _few(label: str, lines: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    for line in lines[:MOST_LINES]:
        yield label, line
    if len(lines) > MOST_LINES:
        yield label, f"and {len(lines) - MOST_LINES} more"


def duration(seconds: int) -> str:
    """Say a duration the way people do, e.g. `3 min 12 s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
        f"{rest} s" if rest and not hours else "",
    ]
    return " ".join(part for part in parts if part) or "less than a second"


def _name(job: AnnouncedJob) -> str:
    return job.app_name or job.app_id


def _place(job: AnnouncedJob) -> str:
    return job.branch_name or job.environment_name or "?"


def _number(job: AnnouncedJob) -> str:
    # Only the jobs of a branch are counted; any other's id would fill the line.
    return f"#{job.job_id}" if job.branch_name else job.operation


def _ascii_line(text: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", one_line(text))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _publishable(text: str) -> str:
    return shortened(without_secrets(without_controls(text)))


def _warnings(state: JobState) -> tuple[str, ...]:
    return tuple(presentable(warning) for warning in state.job.warnings)


def _common(request: JobRequest, place: StackInfo, execution: str) -> dict[str, Any]:
    cause = request.cause
    return {
        "request_id": request.request_id,
        "route": request.route,
        "account": place.account,
        "region": place.region,
        "execution": execution,
        "cause": cause.model_copy(
            update={name: presentable(getattr(cause, name)) for name in ("message", "author", "reason")}
        ),
    }


def _job(state: JobState, names: AppNames) -> AnnouncedJob:
    job = state.job
    return AnnouncedJob(
        operation=job.operation,
        app_id=job.app_id,
        app_name=presentable(names.app_name),
        branch_name=job.branch_name,
        environment_name=job.environment_name,
        job_id=job.job_id,
        job_type=job.job_type,
        status=state.status,
        started_at=state.started_at,
        finished_at=state.finished_at,
    )


def _step(step: Any) -> AnnouncedStep:
    return AnnouncedStep(name=step.name, status=step.status, reason=presentable(step.reason))


def _duration(state: JobState) -> int | None:
    begun = state.left_queue_at or state.started_at
    if begun is None or state.finished_at is None or state.state is State.TIMED_OUT:
        return None
    return max(round((state.finished_at - begun).total_seconds()), 0)


def _filled(pattern: str, values: dict[str, str | None]) -> str | None:
    missing = [name for name in re.findall(r"\{(\w+)\}", pattern) if values.get(name) is None]
    if missing or not pattern:
        return None
    return re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), pattern)
