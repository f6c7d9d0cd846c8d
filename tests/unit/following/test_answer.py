"""The answer to the state machine: deadlines, whether the job is retried, and how long to wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.following.answer import NOT_RETRIED, FollowedJob, PollAnswer, deadlines_of, first_state, poll_answer
from amplify_jobs.following.record import Record
from amplify_jobs.following.wait import Deadlines, EarlierJob
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.job import Job, JobOrigin, State
from amplify_jobs.model.request import RetryWhen
from tests.support.followed_jobs import MINUTE, RECEIVED, followed_job, request, state


@given(st.integers(1, 1440), st.integers(1, 1440), st.none() | st.integers(0, 1000))
def test_deadlines_are_counted_from_the_request_or_from_the_last_start(queue: int, run: int, later: int | None) -> None:
    since = None if later is None else RECEIVED + later * MINUTE
    deadlines = deadlines_of(request(start_within_minutes=queue, timeout_minutes=run), since)
    assert deadlines == Deadlines(start_by=(since or RECEIVED) + queue * MINUTE, run_for=run * MINUTE)


@pytest.mark.parametrize(("attempt", "since"), [(1, RECEIVED), (2, RECEIVED + MINUTE), (3, RECEIVED + MINUTE)])
def test_a_first_job_waits_since_its_request_and_a_retried_one_since_its_start(attempt: int, since: datetime) -> None:
    followed = followed_job(state(started_at=RECEIVED + MINUTE), attempt=attempt)
    assert followed.deadlines == deadlines_of(followed.request, since)


@pytest.mark.parametrize("since", [None, RECEIVED - MINUTE])
def test_a_job_of_others_waits_since_their_start_and_another_one_since_now(since: datetime | None) -> None:
    origin = None if since is None else JobOrigin(started_at=since)
    job = Job(operation="follow_job", app_id="d1", branch_name="main", job_id="7", origin=origin)
    first = first_state(job, RECEIVED)
    assert (first.state, first.started_at) == (State.WAITING, since or RECEIVED)


def polled(followed: FollowedJob, record: Record | None = None, *, earlier: Sequence[EarlierJob] = ()) -> PollAnswer:
    """The answer of a poll a minute after the job left the queue; the first one, unless the record says otherwise."""
    return poll_answer(followed, record or Record(polls=1, left_queue_at=RECEIVED), earlier, RECEIVED + MINUTE)


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
    followed = followed_job(state(of, started_at=RECEIVED), attempt=attempt, request=request(retry=retry))
    answer = polled(followed, Record(changes=3, polls=1, left_queue_at=RECEIVED))
    assert (answer.finished, answer.retry, answer.attempt, answer.seen) == (finished, again, attempt, "3")
    assert answer.wait_seconds >= 1


@pytest.mark.parametrize(
    ("of", "attempt", "retry_helps", "again"),
    [
        (State.FAILED, 1, True, True),
        (State.FAILED, 2, True, True),
        (State.FAILED, 3, True, False),
        (State.FAILED, 1, False, False),
        # No log was read.
        (State.FAILED, 1, None, False),
        (State.TIMED_OUT, 1, True, False),
    ],
)
def test_a_request_may_want_a_retry_only_where_it_helps(
    of: State, attempt: int, retry_helps: bool | None, again: bool
) -> None:
    failure = None if retry_helps is None else Failure(cause="network", summary="It failed", retry_helps=retry_helps)
    followed = followed_job(
        state(of, started_at=RECEIVED, reason="Step BUILD failed.", failure=failure),
        attempt=attempt,
        request=request(retry=2, retry_when=RetryWhen.TRANSIENT),
    )
    answer = polled(followed)
    is_for_its_cause = of is State.FAILED and not retry_helps
    assert (answer.finished, answer.retry) == (True, again)
    assert answer.job.reason == f"Step BUILD failed.{f' {NOT_RETRIED}' if is_for_its_cause else ''}"


@pytest.mark.parametrize("retry", [0, 2])
def test_a_job_that_is_not_to_be_retried_has_no_note_on_it(retry: int) -> None:
    failed = state(State.FAILED, started_at=RECEIVED, reason="Step BUILD failed.")
    last_attempt = followed_job(failed, attempt=retry + 1, request=request(retry=retry, retry_when=RetryWhen.TRANSIENT))
    assert polled(last_attempt).job == failed


def test_a_request_of_an_older_version_is_retried_after_each_failure() -> None:
    event = followed_job(state(State.FAILED), request=request(retry=1)).model_dump(mode="json", by_alias=True)
    del event["request"]["retryWhen"]
    assert polled(FollowedJob.model_validate(event)).retry


def test_a_request_without_a_number_of_attempts_is_at_its_first() -> None:
    event = followed_job(state()).model_dump(mode="json", by_alias=True, exclude={"attempt"})
    assert polled(FollowedJob.model_validate(event)).attempt == 1


def test_an_end_that_an_event_told_is_looked_for_soon() -> None:
    earlier = (EarlierJob(1000, end_event_received=True),)
    records = [Record(changes, polls=1, left_queue_at=RECEIVED) for changes in (0, 1, 2)]
    waits = [polled(followed_job(state()), record, earlier=earlier).wait_seconds for record in records]
    assert waits[0] > waits[1] == waits[2]


def test_a_job_that_does_not_tell_its_start_has_waited_since_its_request() -> None:
    earlier = (EarlierJob(1, end_event_received=False),)
    waits = [
        polled(followed_job(state(State.WAITING, started_at=started_at)), Record(polls=1), earlier=earlier).wait_seconds
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
    current = state(State.WAITING if left_minutes is None else State.RUNNING, started_at=RECEIVED + 9 * MINUTE)
    short = request(timeout_minutes=2, start_within_minutes=10)
    record = Record(left_queue_at=None if left_minutes is None else RECEIVED + left_minutes * MINUTE)
    followed = followed_job(current, attempt=attempt, request=short)
    answer = poll_answer(followed, record, (), RECEIVED + now_minutes * MINUTE)
    assert answer.wait_seconds == longest


def test_what_an_older_version_wrote_and_a_newer_one_adds_is_read() -> None:
    """Executions keep their definition, and their data, while functions become new."""
    job = {"operation": "start_job", "appId": "d1", "branchName": "main", "jobId": "7"}
    answer = PollAnswer.model_validate(
        {
            "version": "1",
            "job": {"job": job, "state": "RUNNING", "new": 1},
            "finished": False,
            "waitSeconds": 5,
            "seen": "0",
            "key": {"pk": "p", "sk": "s"},
            "added": {"by": "a later version"},
        }
    )
    assert answer.job.job.job_type is None
