"""What the index knows of a request, and how news changes it.

News come late, twice and in any order: each is a part of the record of its own, so that the record is the same whatever
the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import AwareDatetime

from amplify_jobs.announcing.announcement import JobFinished, JobRejected, JobStarted, Outcome
from amplify_jobs.indexing.answers import ReportResult
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.request import JobRequest

MOST_REPORTS = 50
Part = TypeVar("Part", bound=GrowingModel)


class ExecutionNews(GrowingModel):
    """What Step Functions tells of an execution; `redrives` counts how often it was redriven.

    `is_preview` is what its removal of a preview found: false where the branch was to stay.
    """

    arn: str
    status: str
    started_at: AwareDatetime | None = None
    stopped_at: AwareDatetime | None = None
    redrives: int = 0
    is_preview: bool | None = None

    @property
    def order(self) -> tuple[int, bool]:
        return self.redrives, self.status != "RUNNING"


class StartNews(GrowingModel):
    """That the job was started, and when that was announced."""

    at: AwareDatetime
    detail: JobStarted


class EndNews(GrowingModel):
    """That the job ended, and when that was announced."""

    at: AwareDatetime
    detail: JobFinished

    @property
    def order(self) -> tuple[bool, float]:
        """An outcome follows UNKNOWN, when the execution was redriven; of two alike, the first one counts."""
        return self.detail.outcome is not Outcome.UNKNOWN, -self.at.timestamp()


class RejectionNews(GrowingModel):
    """That no job was started, and when that was announced."""

    at: AwareDatetime
    detail: JobRejected


class RequestRecord(GrowingModel):
    """What the index knows of a request; a record, or the part of one that is news.

    `supersedes` is the id of the request that gave way to this one. `asOf` is the time of the newest news.
    """

    request_id: str
    as_of: AwareDatetime
    request: JobRequest | None = None
    execution: ExecutionNews | None = None
    started: StartNews | None = None
    ended: EndNews | None = None
    rejected: RejectionNews | None = None
    reports: tuple[ReportResult, ...] = ()
    supersedes: str | None = None

    def merge(self, news: RequestRecord) -> RequestRecord:
        """The record with what is news in another one of the same request; the order of merges does not matter."""
        return RequestRecord(
            request_id=self.request_id,
            as_of=max(self.as_of, news.as_of),
            request=_best(self.request, news.request, lambda request: -request.received_at.timestamp()),
            execution=_best(self.execution, news.execution, lambda execution: execution.order),
            started=_best(self.started, news.started, lambda start: -start.at.timestamp()),
            ended=_best(self.ended, news.ended, lambda end: end.order),
            rejected=_best(self.rejected, news.rejected, lambda rejection: -rejection.at.timestamp()),
            reports=_newest_reports((*self.reports, *news.reports)),
            supersedes=max(self.supersedes or "", news.supersedes or "") or None,
        )


def _best(left: Part | None, other: Part | None, order: Callable[[Part], Any]) -> Part | None:
    """The part that is first in order; of two alike, either, as long as it is always the same."""
    parts = [part for part in (left, other) if part is not None]
    return max(parts, key=lambda part: (order(part), part.model_dump_json()), default=None)


def _newest_reports(reports: Iterable[ReportResult]) -> tuple[ReportResult, ...]:
    newest: dict[tuple[str, str | None], ReportResult] = {}
    for report in sorted(reports, key=lambda report: (report.at, report.state, report.text or "")):
        newest[report.target, report.subject] = report
    return tuple(list(newest.values())[-MOST_REPORTS:])
