"""What a poll does: the states that it decides, the stops, the results, and what it records and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from amplify_jobs.errors import AmplifyJobsError, NotFoundError, RequestRejected, ServiceTrouble, Throttled
from amplify_jobs.following.answer import PollAnswer, deadlines_of
from amplify_jobs.following.collect import CollectionResult
from amplify_jobs.following.log_analysis import Analysis
from amplify_jobs.following.poll import Poll, PollResult, stopped_in_time_out, timed_out, with_results
from amplify_jobs.following.record import Record
from amplify_jobs.following.wait import EarlierJob
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.job import Job, JobState, RecordKey, State, Step
from amplify_jobs.model.request import JobRequest, OnTimeout
from amplify_jobs.model.results import MissingFile, PartialError, Results
from tests.support.followed_jobs import JOB, KEY, MINUTE, RECEIVED, REQUEST, followed_job, request, state

SECOND = timedelta(seconds=1)
STARTED = RECEIVED + MINUTE
NOW = STARTED + MINUTE


def nothing() -> None:
    """Nothing happens meanwhile."""


@dataclass
class World:
    """Amplify, the jobs table and the collector around one job, and the time of day.

    `answer` is what GetJob answers or raises, `refusal` what StopJob raises. `record` is the job's, `newer` the request
    that superseded its own.
    """

    answer: JobState | AmplifyJobsError
    now: datetime
    record: Record = field(default_factory=Record)
    refusal: AmplifyJobsError | None = None
    newer: str | None = None
    earlier: Sequence[EarlierJob] = ()
    collection: CollectionResult = field(default_factory=lambda: CollectionResult(Results()))
    analysis: Analysis = field(default_factory=Analysis)
    meanwhile: Callable[[], None] = nothing
    stopped: list[str] = field(default_factory=list)
    recorded: list[tuple[State, datetime | None]] = field(default_factory=list)
    collected: list[Job] = field(default_factory=list)
    analysed: list[State] = field(default_factory=list)

    def get_job(self, job: Job) -> JobState:
        self.meanwhile()
        if isinstance(self.answer, AmplifyJobsError):
            raise self.answer
        return self.answer.model_copy(update={"job": job})

    def stop_job(self, job: Job) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.stopped.append(job.job_id)

    def record_poll(self, key: RecordKey, now: datetime) -> Record:
        assert (key, now) == (KEY, self.now)
        self.record = Record(
            self.record.changes,
            self.record.polls + 1,
            self.record.left_queue_at,
            self.record.request_id,
            self.record.state,
        )
        return self.record

    def record_state(self, key: RecordKey, state: JobState, left_queue_at: datetime | None, now: datetime) -> None:
        assert key == KEY
        self.recorded.append((state.state, left_queue_at))
        changes, polls, request_id = self.record.changes, self.record.polls, self.record.request_id
        self.record = Record(changes, polls, left_queue_at, request_id, state.state)

    def earlier_jobs(self, key: RecordKey) -> Sequence[EarlierJob]:
        assert key == KEY
        return self.earlier

    def superseding_request(self, request_id: str) -> str | None:
        assert request_id == REQUEST.request_id
        return self.newer

    def collect(self, job: Job, request: JobRequest, until: float) -> CollectionResult:
        assert request.request_id == REQUEST.request_id
        self.collected.append(job)
        return self.collection

    def analyse(self, state: JobState, request: JobRequest, until: float) -> Analysis:
        assert request.request_id == REQUEST.request_id
        self.analysed.append(state.state)
        return self.analysis


WAITING = state(State.WAITING, started_at=STARTED)


def poll(world: World, request: JobRequest = REQUEST, last: JobState = WAITING, attempt: int = 1) -> PollResult:
    services = dict.fromkeys(("start_job", "start_codegen_job"), world)
    poller = Poll(services, world, world, world, Logger(service="test", level="CRITICAL"), lambda: world.now)
    return poller.poll(followed_job(last, attempt=attempt, request=request), lambda: 0)


def polled(world: World, request: JobRequest = REQUEST, last: JobState = WAITING, attempt: int = 1) -> JobState:
    """The state that a poll answers."""
    return poll(world, request, last, attempt).answer.job


def built(since: datetime | None, status: str = "RUNNING") -> tuple[Step, ...]:
    return (Step(name="BUILD", status=status, started_at=since),)


def reason_of(state: JobState) -> str:
    return state.reason or ""


@pytest.mark.parametrize("of", State)
def test_the_state_is_recorded_and_answered(of: State) -> None:
    world = World(state(of, steps=built(STARTED)), now=STARTED + MINUTE)
    result = poll(world)
    answer = result.answer
    assert (answer.job.state, answer.finished, answer.key, result.polls) == (of, of.is_outcome, KEY, 1)
    assert answer.wait_seconds >= 1
    assert world.recorded == [(of, None if of is State.WAITING else STARTED)]
    assert world.stopped == []
    # A job whose end events tell leaves nothing that is collected.
    assert world.collected == []


@pytest.mark.parametrize(
    ("of", "minutes_ago", "delay"),
    [
        (State.SUCCEEDED, 2, 2 * MINUTE),
        # Amplify's clock may be ahead.
        (State.SUCCEEDED, -1, 0 * MINUTE),
        (State.FAILED, None, None),
        (State.RUNNING, 2, None),
    ],
)
def test_the_delay_until_an_end_is_detected(of: State, minutes_ago: int | None, delay: timedelta | None) -> None:
    now = STARTED + 9 * MINUTE
    finished_at = None if minutes_ago is None else now - minutes_ago * MINUTE
    assert poll(World(state(of, finished_at=finished_at), now)).detection_delay == delay


def test_a_job_that_does_not_tell_its_start_keeps_the_one_that_was_known() -> None:
    assert polled(World(state(State.RUNNING), STARTED + MINUTE)).started_at == STARTED
    assert polled(World(state(State.RUNNING, started_at=RECEIVED), STARTED + MINUTE)).started_at == RECEIVED


# ---------------------------------------------------------------- deadlines


def test_the_queue_is_not_charged_to_the_run() -> None:
    now = RECEIVED + 300 * MINUTE
    answer = poll(World(state(steps=built(now - 44.5 * MINUTE)), now), request(timeout_minutes=45)).answer
    assert answer.finished is False
    assert answer.wait_seconds <= 30


def test_a_job_that_runs_too_long_is_timed_out_and_left_alone() -> None:
    now = RECEIVED + 60 * MINUTE
    world = World(state(steps=built(now - 46 * MINUTE)), now)
    ended = polled(world, request(timeout_minutes=45))
    assert ended.state is State.TIMED_OUT
    assert "45 minutes after it left Amplify's queue" in reason_of(ended)
    assert "did not stop it" in reason_of(ended)
    assert world.stopped == []


def test_a_job_that_stays_in_the_queue_is_timed_out() -> None:
    ended = polled(World(state(State.WAITING), RECEIVED + 31 * MINUTE), request(start_within_minutes=30))
    assert ended.state is State.TIMED_OUT
    assert "still in Amplify's queue" in reason_of(ended)


def test_when_a_job_left_the_queue_is_remembered() -> None:
    """Amplify may show a job running without saying since when; its time runs from the first poll that shows it."""
    world = World(state(State.RUNNING), STARTED)
    for minutes in (0, 20, 44):
        world.now = STARTED + minutes * MINUTE
        assert polled(world, request(timeout_minutes=45)).state is State.RUNNING
    assert world.recorded == [(State.RUNNING, STARTED)] * 3
    world.now = STARTED + 46 * MINUTE
    assert polled(world, request(timeout_minutes=45)).state is State.TIMED_OUT


def test_a_job_that_ended_late_has_its_outcome() -> None:
    now = RECEIVED + 120 * MINUTE
    ended = state(State.SUCCEEDED, steps=built(now - 90 * MINUTE), finished_at=now - MINUTE)
    assert polled(World(ended, now), request(timeout_minutes=45)).state is State.SUCCEEDED


@pytest.mark.parametrize(("attempt", "of"), [(1, State.TIMED_OUT), (2, State.WAITING)])
def test_the_time_to_start_begins_anew_with_each_attempt(attempt: int, of: State) -> None:
    now = RECEIVED + 90 * MINUTE
    last = state(State.WAITING, started_at=now - 5 * MINUTE)
    answer = poll(World(last, now), request(start_within_minutes=30, retry=1), last, attempt).answer
    assert answer.job.state is of
    if attempt == 2:
        assert answer.wait_seconds <= 25 * 60


# ---------------------------------------------------------------- jobs that are stopped

STOPPING = request(timeout_minutes=45, on_timeout=OnTimeout.STOP)


def overdue(minutes: float = 1, **more: Any) -> World:
    """A job that has run so long past its deadline, and is recorded as started for its request."""
    now = RECEIVED + 200 * MINUTE
    record = more.pop("record", Record(request_id=REQUEST.request_id))
    return World(state(steps=built(now - (45 + minutes) * MINUTE)), now, record, **more)


def test_a_job_that_runs_too_long_is_stopped_where_its_request_says_so() -> None:
    world = overdue()
    answer = poll(world, STOPPING).answer
    assert (answer.job.state, answer.finished, answer.retry) == (State.TIMED_OUT, True, False)
    assert reason_of(answer.job).endswith("(timeoutMinutes). amplify-jobs stopped it.")
    assert world.stopped == [JOB.job_id]


@pytest.mark.parametrize("record", [Record(), Record(request_id="web-of-somebody-else")])
def test_a_job_that_was_not_started_for_the_request_is_never_stopped(record: Record) -> None:
    world = overdue(record=record)
    ended = polled(world, STOPPING)
    assert ended.state is State.TIMED_OUT
    assert "did not stop it" in reason_of(ended)
    assert world.stopped == []


REFUSALS = [
    Throttled("StopJob: Rate exceeded"),
    ServiceTrouble("StopJob: no answer"),
    # It may have been stopped by a call whose answer was lost.
    RequestRejected("StopJob: BadRequestException: Job 7 is CANCELLED"),
]


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("minutes", [1, 9, 9.99])
def test_for_ten_minutes_past_its_deadline_a_stop_is_tried_again(refusal: AmplifyJobsError, minutes: float) -> None:
    world = overdue(minutes, refusal=refusal)
    with pytest.raises(ServiceTrouble, match="StopJob"):
        poll(world, STOPPING)
    assert world.recorded[-1][0] is State.TIMED_OUT
    # If it did arrive, Amplify now shows the job as cancelled; the deadline ended it all the same.
    assert isinstance(world.answer, JobState)
    world.answer = world.answer.model_copy(update={"state": State.CANCELLED})
    answer = poll(world, STOPPING).answer
    assert (answer.job.state, answer.finished) == (State.TIMED_OUT, True)
    assert reason_of(answer.job).endswith("(timeoutMinutes). amplify-jobs stopped it.")


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("minutes", [10, 11])
def test_ten_minutes_past_its_deadline_a_job_that_cannot_be_stopped_is_announced(
    refusal: AmplifyJobsError, minutes: float
) -> None:
    answer = poll(overdue(minutes, refusal=refusal), STOPPING).answer
    assert (answer.job.state, answer.finished) == (State.TIMED_OUT, True)
    assert reason_of(answer.job).endswith(f"could not stop it: {refusal}")


def test_a_job_that_ended_before_it_could_be_stopped_has_its_outcome() -> None:
    world = overdue(refusal=Throttled("StopJob"))
    with pytest.raises(ServiceTrouble):
        poll(world, STOPPING)
    world.answer = state(State.SUCCEEDED, finished_at=world.now)
    assert polled(world, STOPPING).state is State.SUCCEEDED


@pytest.mark.parametrize(
    ("record", "request_"),
    [
        # It was timed out, but not stopped by this request.
        (Record(request_id="web-of-somebody-else", state=State.TIMED_OUT), STOPPING),
        (Record(request_id=REQUEST.request_id, state=State.TIMED_OUT), request(timeout_minutes=45)),
        (Record(request_id=REQUEST.request_id, state=State.RUNNING), STOPPING),
    ],
)
def test_a_job_that_somebody_cancelled_is_cancelled(record: Record, request_: JobRequest) -> None:
    world = overdue(record=record)
    world.answer = state(State.CANCELLED)
    assert polled(world, request_) == state(State.CANCELLED, started_at=STARTED)
    assert world.stopped == []


SUPERSEDING = request(supersede=True)


def test_a_job_that_was_stopped_for_a_newer_request_says_so() -> None:
    ended = polled(World(state(State.CANCELLED), STARTED, newer="web-2"), SUPERSEDING)
    assert (ended.state, ended.superseded_by) == (State.CANCELLED, "web-2")
    assert "web-2" in reason_of(ended)


@pytest.mark.parametrize("of", [State.SUCCEEDED, State.FAILED, State.RUNNING])
def test_a_job_that_the_stop_came_too_late_for_has_its_outcome(of: State) -> None:
    ended = polled(World(state(of, steps=built(STARTED)), STARTED, newer="web-2"), SUPERSEDING)
    assert (ended.state, ended.superseded_by) == (of, None)


@pytest.mark.parametrize(("newer", "request_"), [(None, SUPERSEDING), ("web-2", REQUEST)])
def test_a_job_that_a_person_stopped_was_not_superseded(newer: str | None, request_: JobRequest) -> None:
    ended = polled(World(state(State.CANCELLED), STARTED, newer=newer), request_)
    assert (ended.state, ended.superseded_by) == (State.CANCELLED, None)


# ---------------------------------------------------------------- jobs that are retried


@pytest.mark.parametrize(
    ("of", "retry", "attempts"),
    [
        (State.FAILED, 0, []),
        (State.FAILED, 2, [1, 2]),
        (State.SUCCEEDED, 2, []),
        (State.CANCELLED, 2, []),
        (State.RUNNING, 2, []),
    ],
)
def test_a_failed_job_is_retried_as_often_as_its_request_says(of: State, retry: int, attempts: list[int]) -> None:
    answers = [poll(World(state(of), STARTED), request(retry=retry), attempt=attempt).answer for attempt in (1, 2, 3)]
    assert [answer.attempt for answer in answers] == [1, 2, 3]
    assert [answer.attempt for answer in answers if answer.retry] == attempts


def test_a_job_that_timed_out_is_not_retried() -> None:
    answer = poll(overdue(), request(timeout_minutes=45, on_timeout=OnTimeout.STOP, retry=2)).answer
    assert (answer.job.state, answer.retry) == (State.TIMED_OUT, False)


# ---------------------------------------------------------------- trouble

NOT_FOUND = NotFoundError("GetJob: NotFoundException: Job 7 not found")


@pytest.mark.parametrize("since", [2 * MINUTE, 9 * MINUTE])
def test_a_job_that_amplify_no_longer_knows_is_gone(since: timedelta) -> None:
    answer = poll(World(NOT_FOUND, STARTED + since)).answer
    assert (answer.job.state, answer.finished, answer.job.gone) == (State.CANCELLED, True, True)
    assert "no longer knows this job" in reason_of(answer.job)


def test_a_job_that_does_not_tell_its_start_may_have_been_seen() -> None:
    assert polled(World(NOT_FOUND, STARTED), last=state(State.WAITING)).gone is True


@pytest.mark.parametrize("since", [10 * SECOND, 119 * SECOND])
def test_a_job_that_amplify_does_not_show_yet_is_polled_again(since: timedelta) -> None:
    with pytest.raises(ServiceTrouble, match="NotFound"):
        poll(World(NOT_FOUND, STARTED + since))


@pytest.mark.parametrize("record", [Record(state=State.RUNNING), Record(changes=1)])
def test_a_job_that_was_seen_before_is_gone_at_once(record: Record) -> None:
    """As when its app is deleted right after it began: nothing waits until it could have been shown."""
    answer = poll(World(NOT_FOUND, STARTED + 10 * SECOND, record)).answer
    assert (answer.job.state, answer.finished, answer.job.gone) == (State.CANCELLED, True, True)


TROUBLES = [Throttled("GetJob: slow"), ServiceTrouble("GetJob: no answer"), RequestRejected("GetJob: not allowed")]


@pytest.mark.parametrize("error", TROUBLES)
def test_trouble_with_amplify_is_tried_again(error: AmplifyJobsError) -> None:
    world = World(error, STARTED + MINUTE)
    with pytest.raises(ServiceTrouble, match="GetJob") as caught:
        poll(world)
    assert str(caught.value) == str(error)
    assert world.recorded == []


@pytest.mark.parametrize("error", TROUBLES)
def test_trouble_with_amplify_ends_at_the_deadline(error: AmplifyJobsError) -> None:
    world = World(error, RECEIVED + 2 * MINUTE)
    ended = polled(world, request(start_within_minutes=1))
    assert ended.state is State.TIMED_OUT
    assert f"Amplify's last answer: {error}" in reason_of(ended)
    assert world.recorded == [(State.TIMED_OUT, None)]


def test_trouble_with_amplify_ends_at_the_deadline_of_the_run_too() -> None:
    record = Record(left_queue_at=STARTED, state=State.RUNNING)
    last = state(State.RUNNING, started_at=STARTED)
    world = World(Throttled("GetJob"), STARTED + 45 * MINUTE, record)
    assert polled(world, request(timeout_minutes=45), last).state is State.TIMED_OUT
    assert world.recorded == [(State.TIMED_OUT, STARTED)]


# ---------------------------------------------------------------- events beside polls


def test_a_poll_answers_with_the_changes_before_it() -> None:
    assert poll(World(state(), STARTED, Record(changes=3))).answer.seen == "3"


def test_a_change_during_the_poll_is_not_counted_as_seen() -> None:
    world = World(state(), STARTED, Record(changes=3))

    def count_a_change() -> None:
        world.record = Record(changes=4)

    world.meanwhile = count_a_change
    assert poll(world).answer.seen == "3"
    assert world.record.changes == 4


def test_an_end_that_an_event_told_and_amplify_does_not_show_yet_is_polled_again_soon() -> None:
    world = World(state(steps=built(STARTED)), STARTED + 40 * SECOND, Record(changes=1))
    assert poll(world).answer.wait_seconds == 5


def test_earlier_jobs_say_how_long_to_wait() -> None:
    earlier = [EarlierJob(600, end_event_received=False)] * 2
    world = World(state(steps=built(STARTED)), STARTED + SECOND, earlier=earlier)
    assert 590 < poll(world).answer.wait_seconds < 660


# ---------------------------------------------------------------- results

CODEGEN = Job(operation="start_codegen_job", app_id="d1", environment_name="dev", job_id="job-1")
MISSING = MissingFile(name="a.js", reason="HTTP 503")


def succeeded(minutes_ago: float = 0, **collection: Any) -> World:
    ended = JobState(job=CODEGEN, state=State.SUCCEEDED, started_at=RECEIVED, finished_at=STARTED)
    return World(ended, STARTED + minutes_ago * MINUTE, collection=CollectionResult(**collection))


def collect(world: World) -> PollAnswer:
    return poll(world, last=JobState(job=CODEGEN, state=State.WAITING, started_at=RECEIVED)).answer


def test_the_results_of_a_job_that_generates_something_are_collected() -> None:
    world = succeeded(results=Results(folder="s3://bucket/", files=("s3://bucket/a.js",)))
    answer = collect(world)
    assert answer.job.results == Results(folder="s3://bucket/", files=("s3://bucket/a.js",))
    assert world.collected == [CODEGEN]


@pytest.mark.parametrize("of", [of for of in State if of is not State.SUCCEEDED])
def test_without_success_nothing_is_collected(of: State) -> None:
    world = succeeded(results=Results())
    world.answer = JobState(job=CODEGEN, state=of, started_at=RECEIVED)
    assert collect(world).job.results is None
    assert world.collected == []


@pytest.mark.parametrize("minutes", [0, 4.99])
def test_for_five_minutes_results_that_cannot_be_had_now_are_tried_again(minutes: float) -> None:
    world = succeeded(minutes, results=Results(missing=(MISSING,)), try_again=True)
    with pytest.raises(ServiceTrouble, match="results"):
        collect(world)
    assert world.recorded == [(State.SUCCEEDED, RECEIVED)]


@pytest.mark.parametrize(("minutes", "try_again"), [(5, True), (0, False)])
def test_then_and_when_it_is_no_use_the_outcome_is_announced_without_them(minutes: float, *, try_again: bool) -> None:
    answer = collect(succeeded(minutes, results=Results(missing=(MISSING,)), try_again=try_again))
    assert (answer.job.state, answer.finished) == (State.SUCCEEDED, True)
    assert answer.job.results == Results(missing=(MISSING,))


# ---------------------------------------------------------------- pure decisions


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
    result = timed_out(state(of), left_queue_at, deadlines, RECEIVED + minutes * MINUTE)
    if reason is None:
        assert result == state(of)
        return
    assert result.state is State.TIMED_OUT
    assert reason in (result.reason or "")
    # What we stopped for it is shown as cancelled, and has timed out all the same.
    assert stopped_in_time_out(state(State.CANCELLED), left_queue_at, deadlines) == result


A, B = PartialError(schema_name="A", error="no model"), PartialError(error="no schema")


@pytest.mark.parametrize("errors", [None, (), (A,), (B,)])
def test_results_are_added_to_the_errors_that_were_known(errors: tuple[PartialError, ...] | None) -> None:
    before = state(results=None if errors is None else Results(partial_errors=errors))
    after = with_results(before, Results(partial_errors=(B,))).results
    assert after is not None
    assert after.partial_errors == tuple(dict.fromkeys((*(errors or ()), B)))


FAILURE = Failure(cause="command-not-found", summary="vite: command not found")


def ended(of: State, **members: Any) -> JobState:
    return state(of, started_at=STARTED, finished_at=NOW, **members)


def test_the_logs_of_a_job_that_ended_are_analysed() -> None:
    world = World(ended(State.FAILED), NOW, analysis=Analysis(FAILURE, commit_built="3f1c9a7"))
    failed = polled(world)
    assert (failed.failure, failed.commit_built) == (FAILURE, "3f1c9a7")
    # A rule may fit the log of a job that succeeded or was cancelled: that is no failure.
    for of in (State.SUCCEEDED, State.CANCELLED):
        answer = polled(World(ended(of), NOW, analysis=Analysis(FAILURE, commit_built="3f1c9a7")))
        assert (answer.failure, answer.commit_built) == (None, "3f1c9a7")


def test_only_logs_that_there_are_are_analysed() -> None:
    running = World(state(State.RUNNING, started_at=STARTED), NOW)
    polled(running)
    assert running.analysed == []
    gone = World(NotFoundError("no such job"), NOW, record=Record(changes=1))
    assert polled(gone).gone
    assert gone.analysed == []


@pytest.mark.parametrize(("seconds", "is_repeated"), [(119, True), (121, False)])
def test_a_log_that_can_not_be_read_yet_is_waited_for(seconds: int, is_repeated: bool) -> None:
    now = NOW + timedelta(seconds=seconds)
    world = World(ended(State.FAILED), now, analysis=Analysis(missing=("it is busy",), try_again=True))
    if is_repeated:
        with pytest.raises(ServiceTrouble, match="logs"):
            polled(world)
    else:
        assert polled(world).failure is None
