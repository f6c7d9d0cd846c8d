"""How long to wait: what holds for any history and any job, and what following costs in simulated time."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.following.answer import FollowedJob, poll_answer
from amplify_jobs.following.poll import timed_out
from amplify_jobs.following.record import Record
from amplify_jobs.following.wait import (
    EARLIER_JOBS,
    FIRST_WAIT_WITH_EVENTS,
    SHORTEST_WAIT,
    Deadlines,
    EarlierJob,
    Progress,
    first_look,
    left_queue,
    past_deadline,
    wait_seconds,
)
from amplify_jobs.model.job import Job, JobState, RecordKey, State, Step
from amplify_jobs.model.request import Cause, JobRequest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7", job_type="RELEASE")
KEY = RecordKey({"pk": "eu-west-1#d1#main", "sk": "job#1"})

# A day is the longest that a job may be followed for.
seconds = st.floats(0, 86_400, allow_nan=False)
spans = seconds.map(lambda value: timedelta(seconds=value))
histories = st.lists(st.builds(EarlierJob, seconds=seconds, end_event_received=st.booleans()), max_size=EARLIER_JOBS)


def minutes(value: float) -> timedelta:
    return timedelta(minutes=value)


@given(
    earlier=histories,
    queued=spans,
    running=st.none() | spans,
    polls=st.integers(0, 10_000),
    left=st.integers(-86_400, 86_400),
    received=st.booleans(),
)
def test_a_wait_is_whole_at_least_one_and_never_beyond_the_deadline(
    *, earlier: list[EarlierJob], queued: timedelta, running: timedelta | None, polls: int, left: int, received: bool
) -> None:
    progress = Progress(queued, running, polls, end_event_received=received)
    wait = wait_seconds(earlier, progress, timedelta(seconds=left))
    assert isinstance(wait, int)
    assert 1 <= wait <= max(left, 1)


@given(earlier=histories, running=spans, polls=st.integers(0, 100))
def test_far_from_the_deadline_nothing_is_asked_more_often_than_every_five_seconds(
    earlier: list[EarlierJob], running: timedelta, polls: int
) -> None:
    wait = wait_seconds(earlier, Progress(running, running, polls), timedelta(days=9))
    assert wait >= SHORTEST_WAIT.total_seconds()


@given(earlier=histories.filter(bool), running=spans, more=spans)
def test_once_the_first_look_is_over_the_waits_grow_with_the_job(
    earlier: list[EarlierJob], running: timedelta, more: timedelta
) -> None:
    first = first_look(earlier)
    assert first is not None
    running += timedelta(seconds=first)

    def wait(elapsed: timedelta) -> int:
        return wait_seconds(earlier, Progress(elapsed, elapsed, 1), timedelta(days=99))

    assert wait(running) <= wait(running + more)


@given(earlier=histories.filter(bool), sooner=spans, later=spans)
def test_before_the_first_look_the_waits_end_at_the_same_moment(
    earlier: list[EarlierJob], sooner: timedelta, later: timedelta
) -> None:
    first = first_look(earlier)
    assert first is not None
    for ran in (sooner, later):
        elapsed = ran.total_seconds()
        if elapsed < first - SHORTEST_WAIT.total_seconds():
            wait = wait_seconds(earlier, Progress(ran, ran, 0), timedelta(days=99))
            assert first <= elapsed + wait < first + 1.001


@pytest.mark.parametrize(
    ("earlier", "queued", "running", "polls", "received", "wait"),
    [
        # Nothing is known: the event is expected to tell.
        ([], 0, None, 0, False, FIRST_WAIT_WITH_EVENTS.total_seconds()),
        # It did not: the next waits are longer, and a job still in the queue is not asked for every few seconds.
        ([], 300, None, 1, False, 480),
        ([], 1500, None, 2, False, 1200),
        ([EarlierJob(300, True)], 1500, None, 3, False, 325),
        ([EarlierJob(1, True)], 3600, None, 3, False, 360),
        ([EarlierJob(300, False)], 0, None, 0, False, 307),
        # The event came, and Amplify does not show the end yet.
        ([EarlierJob(600, True)], 100, 90, 1, True, 9),
        ([], 10, None, 0, True, 5),
    ],
)
def test_waits(
    *, earlier: list[EarlierJob], queued: float, running: float | None, polls: int, received: bool, wait: int
) -> None:
    progress = Progress(
        queued=timedelta(seconds=queued),
        running=None if running is None else timedelta(seconds=running),
        polls=polls,
        end_event_received=received,
    )
    assert wait == wait_seconds(earlier, progress, timedelta(hours=6))


# ---------------------------------------------------------------- deadlines


def job_state(state: State = State.RUNNING, **members: object) -> JobState:
    return JobState.model_validate({"job": JOB, "state": state, **members})


DEADLINES = Deadlines(start_by=NOW + minutes(360), run_for=minutes(45))


@pytest.mark.parametrize(
    ("state", "left_queue_at", "now", "text"),
    [
        (State.WAITING, None, NOW + minutes(359), None),
        (State.WAITING, None, NOW + minutes(360), "startWithinMinutes"),
        # The run is not charged for the queue.
        (State.RUNNING, NOW + minutes(350), NOW + minutes(394), None),
        (State.RUNNING, NOW + minutes(350), NOW + minutes(395), "45 minutes after"),
        (State.RUNNING, NOW, NOW + minutes(46), "timeoutMinutes"),
        (State.SUCCEEDED, NOW, NOW + minutes(9_999), None),
        (State.FAILED, None, NOW + minutes(9_999), None),
    ],
)
def test_deadlines(state: State, left_queue_at: datetime | None, now: datetime, text: str | None) -> None:
    reason = past_deadline(job_state(state), left_queue_at, DEADLINES, now)
    assert (reason is None) is (text is None)
    assert text is None or text in str(reason)


def started_at(moment: datetime | None, status: str = "RUNNING") -> tuple[Step, ...]:
    return (Step(name="BUILD", status=status, started_at=moment),)


@pytest.mark.parametrize(
    ("state", "known_start", "left"),
    [
        (job_state(State.WAITING), None, None),
        (job_state(State.WAITING, steps=started_at(NOW, "PENDING")), None, None),
        (job_state(State.RUNNING, steps=started_at(NOW - minutes(3))), None, NOW - minutes(3)),
        (job_state(State.RUNNING), None, NOW),
        (job_state(State.RUNNING, steps=started_at(NOW - minutes(3))), NOW - minutes(2), NOW - minutes(2)),
        (job_state(State.SUCCEEDED, steps=started_at(NOW - minutes(3))), None, NOW - minutes(3)),
        (job_state(State.SUCCEEDED), None, None),
    ],
)
def test_when_a_job_left_the_queue(state: JobState, known_start: datetime | None, left: datetime | None) -> None:
    assert left_queue(state, known_start, NOW) == left


# ---------------------------------------------------------------- what following costs


@dataclass(frozen=True)
class Followed:
    polls: int
    transitions: int
    delay: float


REQUEST = JobRequest(
    request_id="web-0123456789abcdef0123456789abcdef",
    route="web",
    operation="start_job",
    parameters={"appId": JOB.app_id, "branchName": JOB.branch_name, "jobType": "RELEASE"},
    cause=Cause(source="github", kind="push"),
    received_at=NOW,
)
EVENT_DELAY = 4.0


def follow(duration: float, earlier: Sequence[EarlierJob], *, events: bool, queue: float = 1.0) -> Followed:
    """Do what the state machine does, on a clock of its own; times are seconds after the start."""
    ends, event_at = queue + duration, queue + duration + EVENT_DELAY
    clock, record = 0.0, Record()
    followed = FollowedJob(request=REQUEST, job=job_state(State.WAITING, started_at=NOW), key=KEY)
    while True:
        now = NOW + timedelta(seconds=clock)
        state = timed_out(followed.job, record.left_queue_at, followed.deadlines, now)
        answer = poll_answer(followed.with_state(state), record, earlier, now)
        if answer.finished:
            # Start and two announcements, and three transitions a poll: wait, get, choose.
            return Followed(record.polls, 3 + 3 * record.polls, clock - ends)
        wakes = event_at if events and clock < event_at else float("inf")
        clock = min(clock + answer.wait_seconds, wakes)
        now = NOW + timedelta(seconds=clock)
        steps = started_at(NOW + timedelta(seconds=queue)) if clock >= queue else ()
        reached = State.SUCCEEDED if clock >= ends else State.RUNNING if clock >= queue else State.WAITING
        followed = followed.with_state(job_state(reached, started_at=NOW, steps=steps))
        record = Record(
            changes=int(events and clock >= event_at),
            polls=record.polls + 1,
            left_queue_at=left_queue(followed.job, record.left_queue_at, now),
        )


def follow_plainly(duration: float) -> int:
    """How often the plain poller asks, which waits 15 seconds each time."""
    return int(duration // 15) + 1


@pytest.mark.parametrize("duration", [60, 300, 1200])
@pytest.mark.parametrize(("number", "most"), [(0, 14), (EARLIER_JOBS, 8)])
def test_with_events_a_job_costs_few_transitions_and_its_end_is_seen_at_once(
    duration: int, number: int, most: int
) -> None:
    earlier = [EarlierJob(duration, end_event_received=True)] * number
    followed = follow(duration, earlier, events=True)
    assert followed.transitions <= most
    assert followed.delay <= EVENT_DELAY + SHORTEST_WAIT.total_seconds()


@given(duration=st.floats(1, 3_000))
def test_a_first_job_whose_end_no_event_tells_is_found_soon(duration: float) -> None:
    """As somebody cancels it: at once within five minutes, later within two thirds of its time and five minutes."""
    followed = follow(duration, [], events=False)
    assert followed.delay <= 300 + duration * 2 / 3


@pytest.mark.parametrize("duration", [300, 1200])
def test_without_events_a_history_makes_polls_few_and_the_delay_small(duration: int) -> None:
    chance = random.Random(duration)
    durations = [duration * chance.lognormvariate(0, 0.1) for _ in range(300 + EARLIER_JOBS)]
    earlier = deque(
        (EarlierJob(each, end_event_received=False) for each in durations[:EARLIER_JOBS]), maxlen=EARLIER_JOBS
    )
    jobs = []
    for each in durations[EARLIER_JOBS:]:
        jobs.append(follow(each, list(earlier), events=False))
        earlier.appendleft(EarlierJob(each, end_event_received=False))
    assert fmean(job.polls for job in jobs) <= fmean(map(follow_plainly, durations)) / 3
    assert fmean(job.delay for job in jobs) <= fmean(durations) / 10


@given(duration=st.floats(1, 86_400), queue=st.floats(0, 86_400), earlier=histories, events=st.booleans())
def test_every_job_comes_to_an_end_within_its_deadlines_and_a_history_that_step_functions_can_hold(
    duration: float, queue: float, earlier: list[EarlierJob], events: bool
) -> None:
    followed = follow(duration, earlier, events=events, queue=queue)
    deadline = (REQUEST.start_within_minutes + REQUEST.timeout_minutes) * 60
    assert followed.delay + queue + duration <= deadline + 1
    # An execution's history holds 25,000 events, and a poll makes at most fifty with all its retries.
    assert followed.polls <= 500


# ---------------------------------------------------------------- jobs that send no events


def wait_of_generator(earlier: list[EarlierJob], ran: timedelta, polls: int, until_deadline: timedelta) -> int:
    progress = Progress(timedelta(0), ran, polls, sends_events=False)
    return wait_seconds(earlier, progress, until_deadline)


@given(histories)
def test_a_job_without_events_is_looked_at_within_two_seconds(earlier: list[EarlierJob]) -> None:
    assert wait_of_generator(earlier, timedelta(0), 0, timedelta(minutes=10)) <= 2


def test_the_waits_for_a_job_without_events_grow() -> None:
    ran, waits = 0.0, []
    for polls in range(40):
        waits.append(wait_of_generator([], timedelta(seconds=ran), polls, timedelta(hours=1)))
        ran += waits[-1]
    assert waits == sorted(waits)
    assert waits[:4] == [1, 1, 1, 1]
    # Ten seconds, a minute and ten minutes are each met within a fifth.
    assert sum(waits) > 600


def test_a_job_without_events_is_looked_at_when_such_jobs_ended() -> None:
    earlier = [EarlierJob(30, end_event_received=False)] * 3
    assert wait_of_generator(earlier, timedelta(seconds=1), 1, timedelta(minutes=10)) == 31


@given(histories, spans, st.integers(0, 1000), spans)
def test_a_wait_for_a_job_without_events_never_passes_its_deadline(
    earlier: list[EarlierJob], ran: timedelta, polls: int, until_deadline: timedelta
) -> None:
    wait = wait_of_generator(earlier, ran, polls, until_deadline)
    assert 1 <= wait <= max(1, until_deadline.total_seconds() + 1)
