"""State transitions, polls and delay per job, on a simulated clock, against the plain poller.

The definition in statemachine/job.asl.json is walked as it is, and what the functions decide is decided by the same
pure code: only Amplify, the clock and the record of a job are simulated.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console

from amplify_jobs.aws.amplify_responses import hosting_job_state
from amplify_jobs.following.answer import FollowedJob, poll_answer
from amplify_jobs.following.poll import timed_out
from amplify_jobs.following.record import Record
from amplify_jobs.following.wait import EARLIER_JOBS, EarlierJob, left_queue
from amplify_jobs.model.job import Job, JobState, RecordKey, State
from amplify_jobs.model.request import Cause, JobRequest
from benchmarks.figures import Row, Table
from benchmarks.machine import Call, Clock, NotSimulatedError, TaskError, walk

DEFINITION = Path(__file__).parent.parent / "statemachine" / "job.asl.json"

# What the simulated world takes, in seconds: a function's call, a place in Amplify's queue, an event's way.
CALL_SECONDS = 0.5
QUEUE_SECONDS = 2.0
EVENT_SECONDS = 5.0

PLAIN_WAIT_SECONDS = 15.0
PLAIN_TRANSITIONS_PER_POLL = 3
NOT_POLLING = ("Preview?", "StartJob", "AnnounceStart", "AnnounceEnd")

MINUTES = (1, 5, 20)
JOBS_PER_ROW = 300
SEED = 2
# Sigma of the log-normal durations; with 0.1, nineteen of twenty jobs lie within a fifth of the median.
NO_SPREAD, USUAL_SPREAD, WIDE_SPREAD = 0.0, 0.1, 0.2

MOST_TRANSITIONS_WITH_EVENTS = 9
# Of a branch's first job, which is looked at for a cancellation that no event tells of.
MOST_TRANSITIONS_OF_FIRST_JOB = 15
MOST_OF_PLAIN_POLLING = 1 / 3
MOST_DELAY_OF_DURATION = 0.1

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = JobRequest(
    request_id="web-00000000000000000000000000000000",
    route="web",
    operation="start_job",
    parameters={"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"},
    cause=Cause(source="github", kind="push"),
    received_at=EPOCH,
)
JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="1", job_type="RELEASE")
KEY = RecordKey({"pk": "eu-west-1#d1a2b3c4d5e6#main", "sk": "job#0000000001"})

Durations = Callable[[], float]


@dataclass(frozen=True)
class Followed:
    """What following one job cost: `delay` from its end to the call that announces it; seconds throughout."""

    duration: float
    transitions: int
    polling_transitions: int
    polls: int
    delay: float


class SimulatedJob:
    """A job in a simulated Amplify with its record, and the functions and services that an execution calls about it.

    The job runs for `duration` seconds once it has left the queue. If `events`, a status event reaches
    on_status_change EVENT_SECONDS after the job's end.
    """

    def __init__(self, duration: float, *, events: bool, earlier: Sequence[EarlierJob]) -> None:
        self.clock = Clock()
        self.duration = duration
        self._events = events
        self._earlier = earlier
        self._polls = 0
        self._left_queue_at: datetime | None = None
        self._runs_at = 0.0

    @property
    def ends_at(self) -> float:
        return self._runs_at + self.duration

    @property
    def _event_at(self) -> float:
        return self.ends_at + EVENT_SECONDS if self._events else float("inf")

    @property
    def _changes(self) -> int:
        return int(self.clock.now >= self._event_at)

    @property
    def _now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.clock.now)

    def task(self, call: Call) -> Any:
        if call.resource == "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken":
            return self._await_change(call)
        payload = call.parameters["Payload"]
        match call.parameters["FunctionName"]:
            case "${StartJobFunctionArn}":
                return {"Payload": self._start_job()}
            case "${GetJobFunctionArn}":
                return {"Payload": self._get_job(payload)}
            case "${AnnounceFunctionArn}":
                self.clock.now += CALL_SECONDS
                return {"Payload": {}}
            case other:
                raise NotSimulatedError(f"the function {other} is not simulated")

    def _start_job(self) -> Any:
        self.clock.now += CALL_SECONDS
        self._runs_at = self.clock.now + QUEUE_SECONDS
        state = JobState(job=JOB, state=State.WAITING, started_at=self._now)
        followed = FollowedJob(request=REQUEST, job=state, key=KEY)
        answer = poll_answer(followed, Record(), self._earlier, self._now)
        return answer.model_dump(mode="json", by_alias=True)

    def _get_job(self, payload: Mapping[str, Any]) -> Any:
        changes, now = self._changes, self._now
        self._polls += 1
        job = JobState.model_validate(payload["job"])
        followed = FollowedJob(request=REQUEST, job=job, key=RecordKey(payload["key"]))
        state = hosting_job_state(job.job, self._amplify_answer())
        self._left_queue_at = left_queue(state, self._left_queue_at, now)
        state = timed_out(state, self._left_queue_at, followed.deadlines, now)
        self.clock.now += CALL_SECONDS
        record = Record(changes, self._polls, self._left_queue_at)
        answer = poll_answer(followed.with_state(state), record, self._earlier, now)
        return answer.model_dump(mode="json", by_alias=True)

    def _amplify_answer(self) -> Mapping[str, Any]:
        step: dict[str, Any] = {"stepName": "BUILD", "status": "PENDING"}
        summary: dict[str, Any] = {"jobId": JOB.job_id, "status": "PENDING"}
        if self.clock.now >= self._runs_at:
            summary["status"] = "RUNNING"
            step |= {"status": "RUNNING", "startTime": EPOCH + timedelta(seconds=self._runs_at)}
        if self.clock.now >= self.ends_at:
            ended = EPOCH + timedelta(seconds=self.ends_at)
            summary |= {"status": "SUCCEED", "endTime": ended}
            step |= {"status": "SUCCEED", "endTime": ended}
        return {"job": {"summary": summary, "steps": [step]}}

    def _await_change(self, call: Call) -> Any:
        if self._changes != int(call.parameters["ExpressionAttributeValues"][":seen"]["N"]):
            raise TaskError("DynamoDb.ConditionalCheckFailedException")
        if call.timeout_seconds is None:
            raise NotSimulatedError("a wait without a time limit is not simulated")
        time_is_up = self.clock.now + call.timeout_seconds
        self.clock.now = min(time_is_up, self._event_at)
        if time_is_up < self._event_at:
            raise TaskError("States.Timeout")
        return {}

    def recorded(self) -> EarlierJob:
        """What the record of this job tells those after it."""
        return EarlierJob(self.duration, end_event_received=self._events)


def follow(definition: Mapping[str, Any], job: SimulatedJob) -> Followed:
    """Let an execution follow the job from its start to its announcement."""
    request = REQUEST.model_dump(mode="json", by_alias=True)
    context = {"Execution": {"Id": "execution", "Input": request}, "Task": {"Token": "token"}}
    trip = walk(definition, request, context, job.task, job.clock)
    return Followed(
        duration=job.duration,
        transitions=len(trip.visits),
        polling_transitions=sum(visit.state not in NOT_POLLING for visit in trip.visits),
        polls=trip.count("GetJob"),
        delay=trip.first("AnnounceEnd") - job.ends_at,
    )


def follow_plainly(duration: float) -> Followed:
    """Follow a job as the plain poller does: wait, get, choose, until it has ended."""
    now, ends_at, polls = CALL_SECONDS, CALL_SECONDS + QUEUE_SECONDS + duration, 0
    asked_at = 0.0
    while asked_at < ends_at:
        asked_at = now + PLAIN_WAIT_SECONDS
        now = asked_at + CALL_SECONDS
        polls += 1
    polling = polls * PLAIN_TRANSITIONS_PER_POLL
    return Followed(duration, polling + len(NOT_POLLING), polling, polls, now - ends_at)


@dataclass(frozen=True)
class Case:
    """One line of the table: how jobs end, what is on record, and whether status events come."""

    label: str
    history: bool
    events: bool
    events_before: bool

    def jobs(self, definition: Mapping[str, Any], durations: Durations) -> Iterator[Followed]:
        """Follow jobs one after another on one branch, each with the records that those before it left."""
        earlier: deque[EarlierJob] = deque(maxlen=EARLIER_JOBS)
        if self.history:
            earlier.extend(self._records(definition, durations))
        for _ in range(JOBS_PER_ROW):
            job = SimulatedJob(durations(), events=self.events, earlier=tuple(earlier))
            yield follow(definition, job)
            if self.history and self.events == self.events_before:
                earlier.appendleft(job.recorded())
            elif self.history:
                earlier.clear()
                earlier.extend(self._records(definition, durations))

    def _records(self, definition: Mapping[str, Any], durations: Durations) -> list[EarlierJob]:
        records: list[EarlierJob] = []
        for _ in range(EARLIER_JOBS):
            job = SimulatedJob(durations(), events=self.events_before, earlier=tuple(records))
            follow(definition, job)
            records.insert(0, job.recorded())
        return records


CASES = (
    Case("events, 10 earlier jobs", history=True, events=True, events_before=True),
    Case("events, none", history=False, events=True, events_before=True),
    Case("no events, 10 earlier jobs", history=True, events=False, events_before=False),
    Case("no events, none", history=False, events=False, events_before=False),
    Case("events cease, 10 earlier jobs", history=True, events=False, events_before=True),
)


def measure(_: Console) -> list[Table]:
    """Follow jobs in every case; one table for jobs of one duration, two for jobs that vary as builds do."""
    definition = json.loads(DEFINITION.read_text(encoding="utf-8"))
    return [
        _table(definition, "Polling: jobs that always take the same time", NO_SPREAD),
        _table(definition, "Polling: jobs that vary, most within a fifth of the median", USUAL_SPREAD),
        _table(definition, "Polling: jobs that vary widely, most within two fifths", WIDE_SPREAD),
    ]


def _table(definition: Mapping[str, Any], title: str, spread: float) -> Table:
    rows = []
    for minutes in MINUTES:
        # A third of the plain poller's polls of a job of one minute is one and a half: too few to follow its variation.
        findable = spread == NO_SPREAD or minutes > 1
        for case in CASES:
            jobs = list(case.jobs(definition, _durations(minutes, spread)))
            plain = [follow_plainly(job.duration) for job in jobs]
            rows.append(_row(minutes, case, jobs, plain, findable=findable))
        rows.append(_plain_row(minutes, plain))
    return Table(
        title,
        ("job", "case", "transitions mean (most)", "polls", "delay mean (most)", "of duration", "polling of plain"),
        rows,
        (
            f"Simulated: a call takes {CALL_SECONDS} s, the queue {QUEUE_SECONDS} s, an event {EVENT_SECONDS} s. "
            "Delay is from the end of the job to the call that announces it.",
            "polling of plain: transitions of AwaitChange, GetJob and Finished? over those of the plain poller.",
        ),
    )


def _durations(minutes: int, spread: float) -> Durations:
    chance = random.Random(f"{SEED} {minutes}")
    return lambda: minutes * 60 * chance.lognormvariate(0, spread)


def _row(minutes: int, case: Case, jobs: list[Followed], plain: list[Followed], *, findable: bool) -> Row:
    polling = fmean(job.polling_transitions for job in jobs) / fmean(job.polling_transitions for job in plain)
    of_duration = fmean(job.delay for job in jobs) / fmean(job.duration for job in jobs)
    bound, holds = "", None
    if case.events:
        limit = EVENT_SECONDS + CALL_SECONDS
        most = MOST_TRANSITIONS_WITH_EVENTS if case.history else MOST_TRANSITIONS_OF_FIRST_JOB
        bound = f"mean transitions <= {most}, delay <= event + poll = {limit:.1f} s"
        transitions = fmean(job.transitions for job in jobs)
        # The clock adds up fractions: a millisecond for its rounding.
        holds = transitions <= most and max(job.delay for job in jobs) <= limit + 0.001
    elif findable and case.history and not case.events_before:
        bound = f"polling <= {MOST_OF_PLAIN_POLLING:.2f}, delay <= {MOST_DELAY_OF_DURATION:.0%} of duration"
        holds = polling <= MOST_OF_PLAIN_POLLING and of_duration <= MOST_DELAY_OF_DURATION
    return Row((f"{minutes} min", case.label, *_cells(jobs), f"{of_duration:.1%}", f"{polling:.2f}"), bound, holds)


def _plain_row(minutes: int, plain: list[Followed]) -> Row:
    of_duration = fmean(job.delay for job in plain) / fmean(job.duration for job in plain)
    return Row((f"{minutes} min", "plain poller", *_cells(plain), f"{of_duration:.1%}", "1.00"))


def _cells(jobs: list[Followed]) -> tuple[str, str, str]:
    return (
        f"{fmean(job.transitions for job in jobs):.1f} ({max(job.transitions for job in jobs)})",
        f"{fmean(job.polls for job in jobs):.1f}",
        f"{fmean(job.delay for job in jobs):.1f} s ({max(job.delay for job in jobs):.1f} s)",
    )
