"""What the jobs table knows of a job that is being followed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from amplify_jobs.model.job import State


@dataclass(frozen=True)
class Owner:
    """The request that has a branch's job. `ended_at` is when a poll saw the job's end, None before that."""

    request_id: str
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Record:
    """A job's record as a poll reads it.

    `changes` counts the terminal status events, `polls` the polls, `left_queue_at` is None while the job is queued.
    `request_id` is the request that it was started for, None for a job that we did not start; `state` is what the last
    poll gave.
    """

    changes: int = 0
    polls: int = 0
    left_queue_at: datetime | None = None
    request_id: str | None = None
    state: State | None = None
