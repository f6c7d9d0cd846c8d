"""Following a job: what a poll's answer means for the request, and what the state machine is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from amplify_jobs.jobs import JobKey, JobState, PollAnswer, State
from amplify_jobs.requests import JobRequest
from amplify_jobs.waiting import Deadlines, EarlierJob, past_deadline, wait_seconds

# GetJob may not show a job at once that StartJob has just named.
VISIBLE_AFTER = timedelta(minutes=2)


def deadlines_of(request: JobRequest) -> Deadlines:
    """Give the moments after which a request's job counts as timed out."""
    return Deadlines(
        start_by=request.received_at + timedelta(minutes=request.start_within_minutes),
        run_for=timedelta(minutes=request.timeout_minutes),
    )


def timed_out(state: JobState, left_queue_at: datetime | None, request: JobRequest, now: datetime) -> JobState:
    """Turn the state into TIMED_OUT, with the reason, if a deadline has passed; the job itself is left alone."""
    reason = past_deadline(state, left_queue_at, deadlines_of(request), now)
    if reason is None:
        return state
    reason += " amplify-jobs stopped following it and did not stop it."
    return state.model_copy(update={"state": State.TIMED_OUT, "reason": reason})


def vanished(state: JobState) -> JobState:
    """The state of a job that Amplify no longer knows."""
    reason = "Amplify no longer knows this job: it was deleted, or its branch or app was."
    return state.model_copy(update={"state": State.CANCELLED, "reason": reason})


def poll_answer(
    state: JobState,
    *,
    key: JobKey,
    changes: int,
    polls: int,
    left_queue_at: datetime | None,
    earlier: Sequence[EarlierJob],
    request: JobRequest,
    now: datetime,
) -> PollAnswer:
    """Say whether the job is at its end, and if not, how long to wait for its next change."""
    deadlines = deadlines_of(request)
    wait = wait_seconds(
        earlier,
        queued=now - (state.started_at or request.received_at),
        running=now - left_queue_at if left_queue_at else None,
        polls=polls,
        # A job may leave the queue right after it was looked at: it could be timed out as soon as `run_for` from now.
        until_deadline=min(deadlines.next_after(left_queue_at) - now, deadlines.run_for),
        end_was_told=changes > 0,
    )
    return PollAnswer(job=state, finished=state.state.is_outcome, wait_seconds=wait, seen=str(changes), key=key)
