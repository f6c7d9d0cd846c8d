"""Superseding: which of several requests for the same app, branch and kind of event is the latest, and what to stop.

The time of the event decides, not the order of arrival, so that a late delivery never stops a newer job.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True)
class SupersedingRequest:
    """A request that supersedes older ones, and what says which of two is older."""

    request_id: str
    event_time: datetime
    received_at: datetime

    def is_newer_than(self, other: SupersedingRequest) -> bool:
        """Of events at the same time (hosts give whole seconds), the one received later is taken for the newer."""
        return self._order() > other._order()

    def _order(self) -> tuple[datetime, datetime, str]:
        return self.event_time, self.received_at, self.request_id


@dataclass(frozen=True)
class StartedJob:
    """A job that was started for a request."""

    request_id: str
    job_id: str


@dataclass(frozen=True)
class Latest:
    """The latest request for an app, branch and kind of event, the job that it became, if it did, and what it left.

    `to_stop` are jobs of older requests, as far as it is not certain that they were stopped. `version` counts the
    writes from 1.
    """

    asked: SupersedingRequest
    job_id: str | None = None
    to_stop: tuple[StartedJob, ...] = ()
    version: int = 1


def taken_by(asked: SupersedingRequest, found: Latest | None) -> Latest:
    """Say what to write for a request to be the latest after an older one; what is found may be it already."""
    if found is None:
        return Latest(asked)
    if found.asked == asked:
        return found
    running = (StartedJob(found.asked.request_id, found.job_id),) if found.job_id is not None else ()
    return Latest(asked, None, found.to_stop + running, found.version + 1)


def with_job(latest: Latest, job_id: str) -> Latest:
    """Say what to write when the latest request has become a job."""
    return replace(latest, job_id=job_id, version=latest.version + 1)


def with_all_stopped(latest: Latest) -> Latest:
    """Say what to write when the jobs of older requests were stopped."""
    return replace(latest, to_stop=(), version=latest.version + 1)
