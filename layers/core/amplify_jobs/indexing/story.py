"""Tells the whole story of a request, from what the index knows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_jobs.announcing.announcement import DetailType
from amplify_jobs.announcing.text import duration
from amplify_jobs.indexing.answers import (
    ExecutionState,
    PublishedAnnouncement,
    RequestStory,
    StepState,
    TimelineEntry,
)
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.indexing.summary import (
    KEPT,
    REMOVED,
    cause_of,
    details,
    ended_at,
    is_removal,
    member_of,
    removed_at,
    requested_at,
    summary,
)
from amplify_jobs.model.request import Cause
from amplify_jobs.text import deeply, presentable

# Parameters travel whole in the execution; here they are for people.
_PARAMETERS_LIMIT = 20_000
_REMOVALS = {
    REMOVED: "The preview {} is gone.",
    KEPT: "The branch {} stays: it is no preview of amplify-jobs, or a newer event of the pull request needs it.",
}


def story(record: RequestRecord) -> RequestStory:
    """Everything that the index knows of a request."""
    ended = record.ended.detail if record.ended else None
    cause = cause_of(record)
    return RequestStory(
        **dict(summary(record)),
        event=cause and _presentable(cause),
        parameters=shown_parameters(record.request.parameters) if record.request else {},
        warnings=member_of(details(record), "warnings") or (),
        failure=ended.failure if ended else None,
        steps=tuple(
            StepState(name=step.name, status=step.status, reason=step.reason) for step in (ended.steps if ended else ())
        ),
        # Events of EventBridge name whole seconds: within one, the order in which things follow from each other counts.
        timeline=tuple(sorted(_timeline(record), key=lambda entry: entry.time.replace(microsecond=0))),
        announcements=tuple(_announcements(record)),
        reports=record.reports,
        execution=_execution(record),
        superseded_by=member_of(details(record), "superseded_by"),
        supersedes=record.supersedes,
        results=ended.results if ended else None,
        as_of=record.as_of,
    )


def shown_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request without what signs or is secret; none if they are too large to be shown."""
    shown: dict[str, Any] = deeply(presentable, parameters)
    return shown if len(json.dumps(shown)) <= _PARAMETERS_LIMIT else {}


def _presentable(cause: Cause) -> Cause:
    shown: Cause = deeply(presentable, cause)
    return shown


def _execution(record: RequestRecord) -> ExecutionState | None:
    if record.execution is not None:
        return ExecutionState(arn=record.execution.arn, status=record.execution.status)
    return next((ExecutionState(arn=detail.execution) for detail in details(record)), None)


def _announcements(record: RequestRecord) -> Iterator[PublishedAnnouncement]:
    news = (
        (DetailType.JOB_STARTED, record.started),
        (DetailType.JOB_REJECTED, record.rejected),
        (DetailType.JOB_FINISHED, record.ended),
    )
    for detail_type, announced in news:
        if announced is not None:
            yield PublishedAnnouncement(detail_type=detail_type, at=announced.at)


def _timeline(record: RequestRecord) -> Iterator[TimelineEntry]:
    cause, shown = cause_of(record), summary(record)
    if (time := requested_at(record)) is not None:
        origin = f"a {cause.kind.replace('_', ' ')} of {cause.source}" if cause else "an unknown sender"
        by = f" by route {shown.route}" if shown.route else ""
        yield TimelineEntry(time=time, what="received", text=f"The request was made{by} for {origin}.")
    execution = record.execution
    if execution is not None and execution.started_at is not None:
        yield TimelineEntry(time=execution.started_at, what="execution", text="The execution started.")
    if shown.started_at is not None and shown.job_id is not None:
        yield TimelineEntry(time=shown.started_at, what="started", text=f"Job {shown.job_id} started.")
    if record.ended is not None and (time := ended_at(record)) is not None:
        took = f" after {duration(shown.duration_seconds)}" if shown.duration_seconds is not None else ""
        attempts = f", attempt {shown.attempts}" if (shown.attempts or 1) > 1 else ""
        text = f"Job {shown.job_id}{attempts} ended{took}: {shown.outcome}."
        yield TimelineEntry(time=time, what="ended", text=text)
    elif record.rejected is not None:
        text = f"{'Not removed' if is_removal(record) else 'No job was started'}: {record.rejected.detail.reason}"
        yield TimelineEntry(time=record.rejected.at, what="rejected", text=text)
    elif (time := removed_at(record)) is not None:
        outcome = shown.outcome or REMOVED
        yield TimelineEntry(time=time, what=outcome.lower(), text=_REMOVALS[outcome].format(shown.branch_name))
    for announcement in _announcements(record):
        yield TimelineEntry(time=announcement.at, what="announced", text=f"{announcement.detail_type} was announced.")
    for report in record.reports:
        text = f"The report to {report.target} is {report.state}."
        yield TimelineEntry(time=report.at, what="reported", text=text)
