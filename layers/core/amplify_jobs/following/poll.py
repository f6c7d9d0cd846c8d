"""Following a job: what a poll's answer means for the request, and what the state machine is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from amplify_jobs.following.wait import Deadlines, EarlierJob, past_deadline, wait_seconds
from amplify_jobs.model.job import JobState, PollAnswer, RecordKey, State
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.results import Results, all_errors, bounded

# GetJob may not show a job at once that StartJob has just named, and that neither it nor an event has shown before.
VISIBLE_AFTER = timedelta(minutes=2)
# For so long after a job has ended its results are tried to be had, before it is announced without them.
RESULTS_TRIED_FOR = timedelta(minutes=5)


# For how long past a deadline StopJob is tried before the outcome is announced without it.
STOP_TRIED_FOR = timedelta(minutes=10)


def deadlines_of(request: JobRequest, waiting_since: datetime | None = None) -> Deadlines:
    """Give the moments after which a request's job counts as timed out.

    `waiting_since` is when a job that was started again began to wait; the first waits since the request was received.
    """
    return Deadlines(
        start_by=(waiting_since or request.received_at) + timedelta(minutes=request.start_within_minutes),
        run_for=timedelta(minutes=request.timeout_minutes),
    )


def waiting_since(state: JobState, attempt: int) -> datetime | None:
    """Say when a job that was started again began to wait to be run; None of a request's first job."""
    return state.started_at if attempt > 1 else None


def timed_out(state: JobState, left_queue_at: datetime | None, deadlines: Deadlines, now: datetime) -> JobState:
    """Turn the state into TIMED_OUT, with the reason, if a deadline has passed."""
    reason = past_deadline(state, left_queue_at, deadlines, now)
    return state if reason is None else state.model_copy(update={"state": State.TIMED_OUT, "reason": reason})


def stopped_in_time_out(state: JobState, left_queue_at: datetime | None, deadlines: Deadlines) -> JobState:
    """The state of a job that was cancelled because we stopped it past its deadline: the deadline is what ended it."""
    running = state.model_copy(update={"state": State.RUNNING})
    return timed_out(running, left_queue_at, deadlines, deadlines.next_after(left_queue_at))


def with_results(state: JobState, results: Results) -> JobState:
    """Add what was collected to a state, which may know of errors already."""
    known = state.results.partial_errors if state.results is not None else ()
    errors = all_errors(known, results.partial_errors)
    return state.model_copy(update={"results": bounded(results.model_copy(update={"partial_errors": errors}))})


def vanished(state: JobState) -> JobState:
    """The state of a job that Amplify no longer knows."""
    reason = "Amplify no longer knows this job: it was deleted, or its branch or app was."
    return state.model_copy(update={"state": State.CANCELLED, "reason": reason, "gone": True})


def poll_answer(
    state: JobState,
    *,
    key: RecordKey,
    changes: int,
    polls: int,
    left_queue_at: datetime | None,
    earlier: Sequence[EarlierJob],
    request: JobRequest,
    now: datetime,
    attempt: int = 1,
) -> PollAnswer:
    """Say whether the job is at its end and to be started again, and if not, how long to wait for its next change."""
    deadlines = deadlines_of(request, waiting_since(state, attempt))
    wait = wait_seconds(
        earlier,
        queued=now - (state.started_at or request.received_at),
        running=now - left_queue_at if left_queue_at else None,
        polls=polls,
        # A job may leave the queue right after it was looked at: it could be timed out as soon as `run_for` from now.
        until_deadline=min(deadlines.next_after(left_queue_at) - now, deadlines.run_for),
        end_was_told=changes > 0,
        sends_events=state.job.sends_events,
    )
    return PollAnswer(
        # Of a job whose results were not collected it is what its status tells.
        job=state.model_copy(update={"results": bounded(state.results)}) if state.results else state,
        finished=state.state.is_outcome,
        wait_seconds=wait,
        seen=str(changes),
        key=key,
        attempt=attempt,
        retry=state.state is State.FAILED and attempt <= request.retry,
    )
