"""Superseding: which of several requests for the same app, branch and kind of event is the latest, and what to stop.

The time of the event decides, not the order of arrival, so that a late delivery never stops a newer job.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True)
class SupersedingRequest:
    """A request that supersedes older ones, with the times that say which of two is older."""

    request_id: str
    event_time: datetime
    received_at: datetime

    def is_newer_than(self, other: SupersedingRequest) -> bool:
        """Of events at the same time (hosts give whole seconds), the one received later is the newer."""
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
    """The latest request of a branch and kind of event, its job once it has one, and what older requests left.

    `to_stop` are jobs of older requests that may still run. `version` counts the writes from 1.
    """

    request: SupersedingRequest
    job_id: str | None = None
    to_stop: tuple[StartedJob, ...] = ()
    version: int = 1

    def with_job(self, job_id: str) -> Latest:
        """The next version: the request has become a job."""
        return replace(self, job_id=job_id, version=self.version + 1)

    def with_all_stopped(self) -> Latest:
        """The next version: the jobs of older requests were stopped."""
        return replace(self, to_stop=(), version=self.version + 1)


def claim(request: SupersedingRequest, current: Latest | None) -> Latest:
    """Say what to write to make a request the latest, given the older one that is; it may be the latest already."""
    if current is None:
        return Latest(request)
    if current.request == request:
        return current
    running = (StartedJob(current.request.request_id, current.job_id),) if current.job_id is not None else ()
    return Latest(request, None, current.to_stop + running, current.version + 1)
