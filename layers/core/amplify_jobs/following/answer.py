"""The answer of a start or a poll to the state machine: whether the job has ended, and else how long to wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from amplify_jobs.following.record import Record
from amplify_jobs.following.wait import Deadlines, EarlierJob, Progress, wait_seconds
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.job import Job, JobState, RecordKey, State
from amplify_jobs.model.request import JobRequest, OnTimeout, RetryWhen
from amplify_jobs.model.results import limit_results

NOT_RETRIED = "amplify-jobs did not start it again: its log names no cause for which a second try may help."


class FollowedJob(GrowingModel):
    """A job that an execution follows; the state machine's payload for get_job.

    `job` is the last known state, `key` names the job's record. `attempt` counts the request's jobs from 1; executions
    that began before jobs were retried do not have it.
    """

    request: JobRequest
    job: JobState
    key: RecordKey
    attempt: int = 1

    @property
    def deadlines(self) -> Deadlines:
        """The deadlines: the first job waits since the request was received, a retried one since its own start."""
        return deadlines_of(self.request, self.job.started_at if self.attempt > 1 else None)

    def with_state(self, state: JobState) -> FollowedJob:
        """The same job in a newer state."""
        return self.model_copy(update={"job": state})

    def may_be_stopped(self, record: Record) -> bool:
        """Say whether this request may stop the job. A job that is not recorded as started for it is not its own."""
        return self.request.on_timeout is OnTimeout.STOP and record.request_id == self.request.request_id


class PollAnswer(GrowingModel):
    """The answer of a start or a poll to the state machine.

    `waitSeconds` (whole, at least 1) is how long to wait for a change. `seen` is the record's count of changes, as a
    number in a string, because DynamoDB's JSON wants it so. `attempt` counts the request's jobs from 1. `retry` is true
    of a failed job that is to be started again.
    """

    version: Literal["1"] = "1"
    job: JobState
    finished: bool
    wait_seconds: int
    seen: str
    key: RecordKey
    attempt: int = 1
    retry: bool = False


def deadlines_of(request: JobRequest, waiting_since: datetime | None = None) -> Deadlines:
    """Give the moments after which a request's job counts as timed out.

    `waiting_since` is when a retried job began to wait; the first job waits since the request was received.
    """
    return Deadlines(
        start_by=(waiting_since or request.received_at) + timedelta(minutes=request.start_within_minutes),
        run_for=timedelta(minutes=request.timeout_minutes),
    )


def poll_answer(followed: FollowedJob, record: Record, earlier: Sequence[EarlierJob], now: datetime) -> PollAnswer:
    """Say whether the job has ended and is to be retried, and else how long to wait for its next change."""
    request, state, deadlines = followed.request, followed.job, followed.deadlines
    left_queue_at = record.left_queue_at
    progress = Progress(
        queued=now - (state.started_at or request.received_at),
        running=now - left_queue_at if left_queue_at else None,
        polls=record.polls,
        end_event_received=record.changes > 0,
        sends_events=state.job.sends_events,
    )
    # A job may leave the queue right after the poll: it could time out as soon as `run_for` from now.
    until_deadline = min(deadlines.next_after(left_queue_at) - now, deadlines.run_for)
    may_retry = state.state is State.FAILED and followed.attempt <= request.retry
    if may_retry and not _is_retry_wanted(request, state):
        may_retry, state = False, state.with_note(NOT_RETRIED)
    return PollAnswer(
        # Without collected results, the results of a job are the errors of its status.
        job=state.model_copy(update={"results": limit_results(state.results)}) if state.results else state,
        finished=state.state.is_outcome,
        wait_seconds=wait_seconds(earlier, progress, until_deadline),
        seen=str(record.changes),
        key=followed.key,
        attempt=followed.attempt,
        retry=may_retry,
    )


def first_state(job: Job, now: datetime) -> JobState:
    """Give the state of a job that was started now, or earlier by somebody else."""
    started_at = (job.origin.started_at if job.origin else None) or now
    return JobState(job=job, state=State.WAITING, started_at=started_at)


def _is_retry_wanted(request: JobRequest, state: JobState) -> bool:
    """Whether the request wants a second try after this failure."""
    return request.retry_when is RetryWhen.FAILED or (state.failure is not None and state.failure.retry_helps)
