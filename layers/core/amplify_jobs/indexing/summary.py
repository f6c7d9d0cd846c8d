"""Makes the summary of a request, as lists show it, from what the index knows of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from amplify_jobs.announcing.announcement import Announcement, Links
from amplify_jobs.indexing.answers import RequestLinks, RequestState, RequestSummary
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.model.operations import REMOVE_PREVIEW
from amplify_jobs.model.request import Cause
from amplify_jobs.text import one_line, presentable, shortened

REMOVED = "REMOVED"
"""The outcome of a request that took a preview away, beside those of announcements."""
KEPT = "KEPT"
"""The outcome of a request that had none to take away: the branch is no preview, or a newer event needs it."""
MESSAGE_LIMIT = 200
REASON_LIMIT = 300


def summary(record: RequestRecord) -> RequestSummary:
    """What lists show of a request."""
    cause = cause_of(record) or Cause(source="unknown", kind="unknown")
    ended = record.ended.detail if record.ended else None
    failure = ended.failure if ended else None
    branch, job_id = _member(record, "branch_name"), _of_job(record, "job_id")
    return RequestSummary(
        request_id=record.request_id,
        state=state(record),
        outcome=outcome(record),
        operation=_member(record, "operation"),
        route=_detail_or_request(record, "route"),
        app_id=_member(record, "app_id"),
        app_name=_member(record, "app_name"),
        branch_name=branch,
        environment_name=_member(record, "environment_name"),
        job_id=job_id,
        job_type=_of_job(record, "job_type"),
        attempts=ended.attempts if ended else None,
        requested_at=requested_at(record),
        started_at=_started_at(record),
        ended_at=ended_at(record),
        duration_seconds=ended.duration_seconds if ended else None,
        repository=presentable(cause.repository),
        ref=presentable(cause.ref),
        commit=cause.commit,
        commit_built=ended.commit_built if ended else None,
        commit_message=_first_line(cause.message),
        author=presentable(cause.author, MESSAGE_LIMIT),
        pusher=presentable(cause.pusher, MESSAGE_LIMIT),
        trigger=cause.kind,
        reason=shortened(one_line(reason), REASON_LIMIT) if (reason := _reason(record)) else None,
        failure_summary=shortened(one_line(failure.summary), REASON_LIMIT) if failure else None,
        links=_links(record, has_log=branch is not None and job_id is not None),
    )


def state(record: RequestRecord) -> RequestState:
    """Where the request stands, as far as the index knows."""
    if record.ended is not None:
        return RequestState.FINISHED
    if record.rejected is not None:
        return RequestState.REJECTED
    if is_removal(record):
        return RequestState.FINISHED if removed_at(record) else RequestState.RECEIVED
    return RequestState.RECEIVED if record.started is None else RequestState.STARTED


def outcome(record: RequestRecord) -> str | None:
    """The outcome in the words of announcements, REMOVED or KEPT; None while the request goes on."""
    if record.ended is not None:
        return record.ended.detail.outcome.value
    if record.rejected is not None:
        return record.rejected.detail.outcome
    if removed_at(record) is None:
        return None
    return KEPT if record.execution is not None and record.execution.is_preview is False else REMOVED


def is_removal(record: RequestRecord) -> bool:
    """Whether the request takes a preview away, and starts no job."""
    return record.request is not None and record.request.operation == REMOVE_PREVIEW


def removed_at(record: RequestRecord) -> datetime | None:
    """When a request had taken its preview away, or kept it: that is not announced, but its execution ends."""
    execution = record.execution
    is_done = is_removal(record) and record.rejected is None and execution is not None
    return execution.stopped_at if is_done and execution and execution.status == "SUCCEEDED" else None


def details(record: RequestRecord) -> list[Announcement]:
    """What was announced of the request, the newest first."""
    announced = (record.ended, record.rejected, record.started)
    return [news.detail for news in announced if news is not None]


def cause_of(record: RequestRecord) -> Cause | None:
    """The cause as announced, or as the request has it."""
    announced = next((detail.cause for detail in details(record) if detail.cause is not None), None)
    return announced or (record.request.cause if record.request else None)


def requested_at(record: RequestRecord) -> datetime | None:
    """When the request was received."""
    announced = next((detail.requested_at for detail in details(record) if detail.requested_at is not None), None)
    return announced or (record.request.received_at if record.request else None)


def ended_at(record: RequestRecord) -> datetime | None:
    """When the job ended, the request was rejected, or the preview was gone."""
    if record.ended is not None:
        return record.ended.detail.job.finished_at or record.ended.at
    return record.rejected.at if record.rejected is not None else removed_at(record)


def _started_at(record: RequestRecord) -> datetime | None:
    announced_at: datetime | None = _of_job(record, "started_at")
    return announced_at or (record.started.at if record.started else None)


def _reason(record: RequestRecord) -> str | None:
    if record.ended is not None:
        return record.ended.detail.reason
    return record.rejected.detail.reason if record.rejected is not None else None


def _links(record: RequestRecord, *, has_log: bool) -> RequestLinks:
    announced = next((news.detail.links for news in (record.ended, record.started) if news is not None), Links())
    log = f"/requests/{quote(record.request_id)}/log" if has_log else None
    return RequestLinks(console=announced.console, site=announced.site, log=log)


def _first_line(message: str | None) -> str | None:
    line = one_line((message or "").strip().partition("\n")[0])
    return presentable(line, MESSAGE_LIMIT) or None


def _member(record: RequestRecord, name: str) -> Any:
    """A member of the announced job, of a rejection, or of the request."""
    return _of_job(record, name) or _detail_or_request(record, name)


def _of_job(record: RequestRecord, name: str) -> Any:
    return member_of((news.detail.job for news in (record.ended, record.started) if news is not None), name)


def _detail_or_request(record: RequestRecord, name: str) -> Any:
    return member_of((*details(record), record.request), name)


def member_of(parts: Iterable[object], name: str) -> Any:
    """The first value of a member in parts that have it or not; None, an empty one and a missing one are no values."""
    values = (getattr(part, name, None) for part in parts)
    return next((value for value in values if value), None)
