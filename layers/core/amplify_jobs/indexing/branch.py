"""What the index knows of a branch: its last request, its last result, and what is live there."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.indexing.answers import LiveCommit, RequestSummary
from amplify_jobs.indexing.summary import KEPT, REMOVED
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.operations import REMOVE_PREVIEW

# A job that was cancelled says nothing of the branch.
_RESULTS = frozenset({Outcome.SUCCEEDED.value, Outcome.FAILED.value, Outcome.TIMED_OUT.value})
_STATES = ("RECEIVED", "STARTED", "REJECTED", "FINISHED")


class BranchRecord(GrowingModel):
    """A branch of an app, or the part of one that a request tells. `result` is the newest request with a result.

    `removed_at` is when it was last taken away as a preview: what was live before is live no more.
    """

    app_id: str
    branch_name: str
    app_name: str | None = None
    live: LiveCommit | None = None
    last: RequestSummary | None = None
    result: RequestSummary | None = None
    removed_at: AwareDatetime | None = None

    def merge(self, news: BranchRecord) -> BranchRecord:
        """The record with what is newer in another one of the same branch; the order of merges does not matter."""
        removed_at = max((at for at in (self.removed_at, news.removed_at) if at), default=None)
        live = (each for each in (self.live, news.live) if each and not _is_gone(each, removed_at))
        return BranchRecord(
            app_id=self.app_id,
            branch_name=self.branch_name,
            app_name=self.app_name or news.app_name,
            live=max(live, key=_job_number, default=None),
            last=_newest(self.last, news.last),
            result=_newest(self.result, news.result),
            removed_at=removed_at,
        )


def branch_news(request: RequestSummary) -> BranchRecord | None:
    """What a request tells of its branch; None if it has none, or is to take away what may be no preview."""
    if request.app_id is None or request.branch_name is None:
        return None
    if request.operation == REMOVE_PREVIEW and request.outcome in (None, KEPT):
        return None
    live = None
    if request.outcome == Outcome.SUCCEEDED and request.job_id is not None:
        live = LiveCommit(
            commit=request.commit_built or request.commit,
            job_id=request.job_id,
            at=request.ended_at,
            request_id=request.request_id,
        )
    return BranchRecord(
        app_id=request.app_id,
        branch_name=request.branch_name,
        app_name=request.app_name,
        live=live,
        last=request,
        result=request if request.outcome in _RESULTS else None,
        removed_at=request.ended_at if request.outcome == REMOVED else None,
    )


def _is_gone(live: LiveCommit, removed_at: datetime | None) -> bool:
    return removed_at is not None and live.at is not None and live.at <= removed_at


def _newest(left: RequestSummary | None, other: RequestSummary | None) -> RequestSummary | None:
    return max((request for request in (left, other) if request), key=_order, default=None)


def _order(request: RequestSummary) -> tuple[float, str, int, int, str]:
    """Requests in the order in which they were made; of one, what knows more of it comes later."""
    requested = request.requested_at.timestamp() if request.requested_at else 0.0
    fact_count = len(request.model_dump(exclude_none=True))
    return requested, request.request_id, _STATES.index(request.state), fact_count, request.model_dump_json()


def _job_number(live: LiveCommit) -> tuple[int, str]:
    """Amplify's jobs of a branch count up, and the newest that succeeded is live."""
    return int(live.job_id) if live.job_id.isdecimal() else 0, live.model_dump_json()
