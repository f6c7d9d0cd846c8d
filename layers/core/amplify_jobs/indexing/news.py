"""Reads the messages of the queue of the index: events of EventBridge, and what intake and reports write there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from amplify_jobs.announcing.announcement import EVENT_SOURCE, DetailType, JobFinished, JobRejected, JobStarted
from amplify_jobs.errors import UnreadableMessageError
from amplify_jobs.indexing.answers import ReportResult
from amplify_jobs.indexing.record import EndNews, ExecutionNews, RejectionNews, RequestRecord, StartNews
from amplify_jobs.indexing.story import shown_parameters
from amplify_jobs.intake.record import DeliveryRecord
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.reporting.outcome import ReportOutcome

EXECUTIONS = "aws.states"


class _Removal(GrowingModel):
    """The answer of the state RemovePreview."""

    is_preview: bool


class _Output(GrowingModel):
    """The output of an execution that was to take a preview away."""

    removal: _Removal


@dataclass(frozen=True)
class News:
    """What a message tells: of requests, or of a delivery."""

    at: datetime
    requests: tuple[RequestRecord, ...] = ()
    delivery: DeliveryRecord | None = None


def read_news(body: str) -> News:
    """Read a message. Raises UnreadableMessageError, which repeats nothing of it."""
    with invalid_input_is(UnreadableMessageError):
        try:
            message = json.loads(body)
            match message:
                case {"record": "delivery"}:
                    delivery = DeliveryRecord.model_validate(message)
                    return News(delivery.received_at, delivery=delivery)
                case {"record": "report"}:
                    return _of_report(ReportOutcome.model_validate(message))
                case {"source": source, "detail-type": detail_type, "detail": dict(detail), "time": time}:
                    at = datetime.fromisoformat(time)
                    if source == EXECUTIONS:
                        return News(at, (_of_execution(detail, at),))
                    if source == EVENT_SOURCE:
                        return News(at, tuple(_of_announcement(DetailType(detail_type), detail, at)))
        except (ValueError, TypeError, KeyError) as error:
            if type(error).__module__.startswith("pydantic"):
                raise
            raise UnreadableMessageError(f"the message is no news: {type(error).__name__}") from None
    raise UnreadableMessageError("the message is neither an event nor a record")


def _of_report(outcome: ReportOutcome) -> News:
    report = ReportResult(**outcome.model_dump(exclude={"version", "record", "request_id"}))
    return News(outcome.at, (RequestRecord(request_id=outcome.request_id, as_of=outcome.at, reports=(report,)),))


def _of_execution(detail: Mapping[str, Any], at: datetime) -> RequestRecord:
    """News of "Step Functions Execution Status Change"; an input that is too large for an event is missing."""
    arn, text = detail["executionArn"], detail.get("input")
    return RequestRecord(
        request_id=arn.rpartition(":")[2],
        as_of=at,
        request=_request(text) if isinstance(text, str) else None,
        execution=ExecutionNews(
            arn=arn,
            status=detail["status"],
            started_at=_time(detail.get("startDate")),
            stopped_at=_time(detail.get("stopDate")),
            redrives=detail.get("redriveCount") or 0,
            is_preview=_is_preview(detail.get("output")),
        ),
    )


def _is_preview(output: object) -> bool | None:
    """What the state RemovePreview found; None for executions without it, and an output too large for an event."""
    try:
        return _Output.model_validate_json(output).removal.is_preview if isinstance(output, str) else None
    except ValidationError:
        return None


def _request(text: str) -> JobRequest | None:
    """The request, with as much of its parameters as people see; None for what is none, and will be rejected."""
    try:
        request = JobRequest.model_validate_json(text)
    except ValidationError:
        return None
    return request.model_copy(update={"parameters": shown_parameters(request.parameters)})


def _of_announcement(detail_type: DetailType, detail: Mapping[str, Any], at: datetime) -> list[RequestRecord]:
    request_id = str(detail["requestId"])
    match detail_type:
        case DetailType.JOB_STARTED:
            started = StartNews(at=at, detail=JobStarted.model_validate(detail))
            news = RequestRecord(request_id=request_id, as_of=at, started=started)
        case DetailType.JOB_FINISHED:
            ended = EndNews(at=at, detail=JobFinished.model_validate(detail))
            news = RequestRecord(request_id=request_id, as_of=at, ended=ended)
        case DetailType.JOB_REJECTED:
            rejected = RejectionNews(at=at, detail=JobRejected.model_validate(detail))
            news = RequestRecord(request_id=request_id, as_of=at, rejected=rejected)
    newer = detail.get("supersededBy")
    return [news, *([RequestRecord(request_id=str(newer), as_of=at, supersedes=request_id)] if newer else [])]


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
