"""What a poll's answer means for the request: deadlines, reasons, and what the state machine is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.following.poll import (
    deadlines_of,
    poll_answer,
    stopped_in_time_out,
    timed_out,
    waiting_since,
    with_results,
)
from amplify_jobs.following.wait import Deadlines, EarlierJob
from amplify_jobs.model.job import Job, JobState, PollAnswer, RecordKey, State
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.model.results import PartialError, Results

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = Job(operation="start_job", app_id="d1", branch_name="main", job_id="7")
MINUTE = timedelta(minutes=1)


def request(**given: Any) -> JobRequest:
    return JobRequest(
        request_id="web-1",
        operation="start_job",
        parameters={"appId": "d1", "branchName": "main", "jobType": "RELEASE"},
        cause=Cause(source="github", kind="push"),
        received_at=RECEIVED,
        **given,
    )


def state(of: State = State.RUNNING, **given: Any) -> JobState:
    return JobState(job=JOB, state=of, **given)


@given(st.integers(1, 1440), st.integers(1, 1440), st.none() | st.integers(0, 1000))
def test_deadlines_are_counted_from_the_request_or_from_the_last_start(queue: int, run: int, later: int | None) -> None:
    since = None if later is None else RECEIVED + later * MINUTE
    deadlines = deadlines_of(request(start_within_minutes=queue, timeout_minutes=run), since)
    assert deadlines == Deadlines(start_by=(since or RECEIVED) + queue * MINUTE, run_for=run * MINUTE)


@pytest.mark.parametrize(("attempt", "since"), [(1, None), (2, RECEIVED), (3, RECEIVED)])
def test_a_first_job_waits_since_its_request(attempt: int, since: datetime | None) -> None:
    assert waiting_since(state(started_at=RECEIVED), attempt) == since


@pytest.mark.parametrize(
    ("of", "left_queue", "minutes", "reason"),
    [
        (State.RUNNING, True, 44, None),
        (State.RUNNING, True, 45, "had not ended 45 minutes after it left"),
        (State.WAITING, False, 59, None),
        (State.WAITING, False, 60, "was still in Amplify's queue"),
        (State.SUCCEEDED, True, 90, None),
    ],
)
def test_a_job_times_out_at_its_deadline(of: State, left_queue: bool, minutes: int, reason: str | None) -> None:
    deadlines = deadlines_of(request(timeout_minutes=45, start_within_minutes=60))
    left_queue_at = RECEIVED if left_queue else None
    found = timed_out(state(of), left_queue_at, deadlines, RECEIVED + minutes * MINUTE)
    if reason is None:
        assert found == state(of)
        return
    assert found.state is State.TIMED_OUT
    assert reason in (found.reason or "")
    # What we stopped for it is shown as cancelled, and has timed out all the same.
    assert stopped_in_time_out(state(State.CANCELLED), left_queue_at, deadlines) == found


@pytest.mark.parametrize(
    ("reason", "noted"), [(None, "A note."), ("", "A note."), ("It failed.", "It failed. A note.")]
)
def test_a_note_follows_the_reason(reason: str | None, noted: str) -> None:
    assert state(reason=reason).with_note("A note.") == state(reason=noted)


@pytest.mark.parametrize(
    ("of", "reason", "said"),
    [
        *((of, "x", "") for of in State if of is not State.FAILED),
        (State.FAILED, "npm ci failed", " The job before had failed: npm ci failed"),
        (State.FAILED, None, " The job before had failed: Amplify gave no reason."),
    ],
)
def test_a_superseded_job_is_cancelled_and_names_the_newer_request(of: State, reason: str | None, said: str) -> None:
    found = state(of, reason=reason).cancelled_for("web-2")
    assert (found.state, found.superseded_by) == (State.CANCELLED, "web-2")
    assert (found.reason or "").rstrip(".") == f"Superseded by request web-2, whose event is newer.{said}".rstrip(".")


A, B = PartialError(schema_name="A", error="no model"), PartialError(error="no schema")


@pytest.mark.parametrize("known", [None, (), (A,), (B,)])
def test_results_are_added_to_the_errors_that_were_known(known: tuple[PartialError, ...] | None) -> None:
    before = state(results=None if known is None else Results(partial_errors=known))
    after = with_results(before, Results(partial_errors=(B,))).results
    assert after is not None
    assert after.partial_errors == tuple(dict.fromkeys((*(known or ()), B)))


def polled(state: JobState, *, retry: int = 0, **given: Any) -> PollAnswer:
    """The answer of a first poll, a minute after the job left the queue."""
    known: dict[str, Any] = {"changes": 0, "polls": 1, "left_queue_at": RECEIVED, "earlier": ()} | given
    key = RecordKey({"pk": "eu-west-1#d1#main", "sk": "job#0000000007"})
    return poll_answer(state, key=key, request=request(retry=retry), now=RECEIVED + MINUTE, **known)


@pytest.mark.parametrize(
    ("of", "attempt", "retry", "finished", "again"),
    [
        (State.RUNNING, 1, 2, False, False),
        (State.FAILED, 1, 0, True, False),
        (State.FAILED, 1, 1, True, True),
        (State.FAILED, 1, 2, True, True),
        (State.FAILED, 2, 1, True, False),
        (State.FAILED, 2, 2, True, True),
        (State.FAILED, 3, 2, True, False),
        *((of, 1, 2, True, False) for of in State if of.is_outcome and of is not State.FAILED),
    ],
)
def test_a_failed_job_is_started_again_as_often_as_its_request_says(
    of: State, attempt: int, *, retry: int, finished: bool, again: bool
) -> None:
    answer = polled(state(of, started_at=RECEIVED), retry=retry, attempt=attempt, changes=3)
    assert (answer.finished, answer.retry, answer.attempt, answer.seen) == (finished, again, attempt, "3")
    assert answer.wait_seconds >= 1


def test_a_request_without_a_number_of_attempts_is_at_its_first() -> None:
    assert polled(state()).attempt == 1


def test_an_end_that_an_event_told_is_looked_for_soon() -> None:
    earlier = (EarlierJob(1000, told_by_event=True),)
    waits = [polled(state(), earlier=earlier, changes=changes).wait_seconds for changes in (0, 1, 2)]
    assert waits[0] > waits[1] == waits[2]


def test_a_job_that_does_not_tell_its_start_has_waited_since_its_request() -> None:
    earlier = (EarlierJob(1, told_by_event=False),)
    waits = [
        polled(state(State.WAITING, started_at=started_at), earlier=earlier, left_queue_at=None).wait_seconds
        for started_at in (None, RECEIVED, RECEIVED - 20 * MINUTE)
    ]
    assert waits[0] == waits[1] < waits[2]


@pytest.mark.parametrize(
    ("left_minutes", "now_minutes", "attempt", "longest"),
    [
        # In the queue: until the time to start runs out, or until a job that leaves it now could time out.
        (None, 0, 1, 120),
        (None, 9, 1, 60),
        # A job that was started again waits since its own start.
        (None, 9, 2, 120),
        (0, 0, 1, 120),
        (0, 1, 1, 60),
        (8, 9, 1, 60),
    ],
)
def test_no_wait_passes_a_deadline(left_minutes: int | None, now_minutes: int, attempt: int, longest: int) -> None:
    answer = poll_answer(
        state(State.WAITING if left_minutes is None else State.RUNNING, started_at=RECEIVED + 9 * MINUTE),
        key=RecordKey({"pk": "eu-west-1#d1#main", "sk": "job#0000000007"}),
        changes=0,
        polls=0,
        left_queue_at=None if left_minutes is None else RECEIVED + left_minutes * MINUTE,
        earlier=(),
        request=request(timeout_minutes=2, start_within_minutes=10),
        now=RECEIVED + now_minutes * MINUTE,
        attempt=attempt,
    )
    assert answer.wait_seconds == longest
