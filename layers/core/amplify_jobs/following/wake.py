"""Waking the executions that wait for a job's end, when an event tells of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from amplify_jobs.following.ending_calls import DETAIL_TYPE, EndingCallEvent
from amplify_jobs.following.status_change import StatusChangeEvent
from amplify_jobs.model.job import JobRef


def event_model(event: Mapping[str, Any]) -> type[StatusChangeEvent | EndingCallEvent]:
    """Tell by `detail-type` which of the two events it is."""
    return EndingCallEvent if event.get("detail-type") == DETAIL_TYPE else StatusChangeEvent


class Jobs(Protocol):
    """The jobs table, as aws.jobs_table provides it."""

    def followed_jobs(
        self, region: str, app_id: str, branch_names: Collection[str] = (), job_id: str | None = None
    ) -> list[JobRef]: ...

    def record_status_change(self, job: JobRef, now: datetime) -> str | None: ...


class Tokens(Protocol):
    """The task tokens of executions, as aws.task_tokens provides them."""

    def wake(self, token: str) -> bool: ...


@dataclass(frozen=True)
class Waker:
    """Wakes executions by the tokens in this table; `now` is the clock."""

    jobs: Jobs
    tokens: Tokens
    now: Callable[[], datetime]

    def ended_jobs(self, event: StatusChangeEvent | EndingCallEvent) -> list[JobRef]:
        """List the jobs whose end an event tells. Raises ServiceTrouble."""
        if isinstance(event, EndingCallEvent):
            call = event.call
            return self.jobs.followed_jobs(event.region, call.app_id, call.branch_names, call.job_id)
        return [event.job] if event.tells_end else []

    def wake(self, job: JobRef) -> bool:
        """Count the end of a job and wake its execution; False if it does not wait. Raises ServiceTrouble."""
        # Counted first, so that a poll under way notices that it may have been too early.
        token = self.jobs.record_status_change(job, self.now())
        return token is not None and self.tokens.wake(token)
