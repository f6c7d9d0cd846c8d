"""start_once in a world where every call may fail, be lost or be cut short, and where requests compete for a branch.

Each request's function runs in a thread that stops before every call to the store or to Amplify; hypothesis decides
whose call is next and what becomes of it. So every interleaving and every place to be killed at can be met.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from amplify_jobs.errors import BranchBusy, RequestRejected, ServiceTrouble, StartUnresolved, Throttled, TryAgain
from amplify_jobs.jobs import Job, branch_key
from amplify_jobs.requests import StartJobParameters
from amplify_jobs.start_once import start_once
from amplify_jobs.starting import (
    RESOLVED_AFTER,
    Adopt,
    Attempt,
    Lease,
    ListedJob,
    Release,
    Send,
    Wait,
    next_step,
)

Result = TypeVar("Result")

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
REGION, APP_ID, BRANCH_NAME = "eu-west-1", "d1a2b3c4d5e6", "main"
BRANCH = branch_key(REGION, APP_ID, BRANCH_NAME)
FUNCTION_TIMEOUT = timedelta(seconds=30)
"""As in template.yaml."""


class Fate(Enum):
    """What becomes of a call."""

    WORKS = "it works"
    FAILS = "it is not done, and the caller is told"
    LOST = "it is done, but the caller is told that nothing came back"
    NOT_ARRIVED = "it is not done, and the caller is told that nothing came back"
    KILLED_BEFORE = "the caller is killed before it"
    KILLED_AFTER = "it is done, and the caller is killed before the answer comes"


class Killed(BaseException):
    """The process is gone; nothing of it runs any more."""


@dataclass(frozen=True)
class StartedJob:
    """A job of the fake Amplify, which knows what ListJobs can't show: who asked for it."""

    listed: ListedJob
    asked_by: str
    started_at: datetime


@dataclass
class World:
    """Amplify, the jobs table and the clock. ListJobs shows a job only `listed_after` it was started."""

    now: datetime = BEGINNING
    listed_after: timedelta = timedelta(0)
    jobs: list[StartedJob] = field(default_factory=list)
    lease: Lease = field(default_factory=Lease)
    known: dict[str, Job] = field(default_factory=dict)

    def start(self, asked_by: str, parameters: StartJobParameters) -> ListedJob:
        job = ListedJob(str(len(self.jobs) + 1), parameters.job_type, parameters.commit_message, "PENDING")
        self.jobs.append(StartedJob(job, asked_by, self.now))
        return job

    def listed(self) -> list[ListedJob]:
        return [job.listed for job in reversed(self.jobs) if job.started_at + self.listed_after <= self.now]

    def take_lease(self, attempt: Attempt, found: Lease) -> bool:
        if self.lease != found:
            return False
        self.lease = Lease(attempt, attempt.highest_job_id)
        return True

    def give_lease_back(self, attempt: Attempt, highest_job_id: int) -> None:
        if self.lease.attempt == attempt:
            self.lease = Lease(None, highest_job_id)


class Process:
    """One invocation of the start function for one request, run call by call."""

    def __init__(self, world: World, request_id: str, parameters: StartJobParameters) -> None:
        self.request_id = request_id
        self.begun_at = world.now
        self.job: Job | None = None
        self.error: BaseException | None = None
        self._world = world
        self._parameters = parameters
        self._fate = Fate.WORKS
        self._to_go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self.ended = False
        self.pending = ""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._stopped.acquire()

    def step(self, fate: Fate) -> None:
        """Let the pending call meet its fate, and run to the next one."""
        self._fate = fate
        self._to_go.release()
        self._stopped.acquire()
        if self.ended:
            self._thread.join()

    def _run(self) -> None:
        try:
            self.job = start_once(
                self.request_id,
                self._parameters,
                operation="start_job",
                region=REGION,
                amplify=self,
                store=self,
                now=lambda: self._world.now,
            )
        except BaseException as error:
            self.error = error
        self.ended = True
        self._stopped.release()

    def _call(self, act: Callable[[], Result], *, refusal: type[Exception], loss: type[TryAgain]) -> Result:
        self._stopped.release()
        self._to_go.acquire()
        match self._fate:
            case Fate.KILLED_BEFORE:
                raise Killed
            case Fate.FAILS:
                raise refusal
            case Fate.NOT_ARRIVED:
                raise loss
        result = act()
        match self._fate:
            case Fate.KILLED_AFTER:
                raise Killed
            case Fate.LOST:
                raise loss
        return result

    def _store(self, act: Callable[[], Result]) -> Result:
        return self._call(act, refusal=ServiceTrouble, loss=ServiceTrouble)

    # What start_once asks of Amplify and of the store.

    def start_job(self, parameters: StartJobParameters) -> ListedJob:
        def start() -> ListedJob:
            if self.request_id in REFUSED:
                raise RequestRejected("BadRequestException")
            return self._world.start(self.request_id, parameters)

        return self._call(start, refusal=Throttled, loss=StartUnresolved)

    def list_jobs(self, app_id: str, branch_name: str) -> list[ListedJob]:
        assert (app_id, branch_name) == (APP_ID, BRANCH_NAME)
        return self._call(self._world.listed, refusal=Throttled, loss=ServiceTrouble)

    def job_of_request(self, request_id: str) -> Job | None:
        return self._store(lambda: self._world.known.get(request_id))

    def lease(self, branch: str) -> Lease:
        assert branch == BRANCH
        return self._store(lambda: self._world.lease)

    def take_lease(self, branch: str, attempt: Attempt, found: Lease) -> bool:
        assert branch == BRANCH
        return self._store(lambda: self._world.take_lease(attempt, found))

    def give_lease_back(self, branch: str, attempt: Attempt, highest_job_id: int) -> None:
        assert branch == BRANCH
        self._store(lambda: self._world.give_lease_back(attempt, highest_job_id))

    def point_request_at_job(self, request_id: str, job: Job, now: datetime) -> None:
        self._store(lambda: self._world.known.update({request_id: job}))


REFUSED = {"refused"}
REQUESTS = ("one", "two", "refused")


class StartingOnce(RuleBasedStateMachine):
    """Three requests for one branch, one of which Amplify refuses; a person starts jobs in the console, too."""

    messages: ClassVar[dict[str, str]]
    listed_after: ClassVar[timedelta]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(listed_after=self.listed_after)
        self.processes: dict[str, Process] = {}
        self.settled: set[str] = set()

    def parameters(self, request_id: str) -> StartJobParameters:
        return parameters(commitMessage=self.messages[request_id])

    @rule(request_id=st.sampled_from(REQUESTS))
    def begin(self, request_id: str) -> None:
        if request_id not in self.processes:
            self.processes[request_id] = Process(self.world, request_id, self.parameters(request_id))

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), fate=st.sampled_from(Fate))
    def step(self, data: st.DataObject, fate: Fate) -> None:
        self.advance(data.draw(st.sampled_from(sorted(self.processes))), fate)

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), calls=st.integers(1, 8))
    def work_on(self, data: st.DataObject, calls: int) -> None:
        request_id = data.draw(st.sampled_from(sorted(self.processes)))
        for _ in range(calls):
            if request_id in self.processes:
                self.advance(request_id, Fate.WORKS)

    @rule(seconds=st.sampled_from([1, 10, 40, 61]))
    def pass_time(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        for request_id, process in list(self.processes.items()):
            if self.world.now - process.begun_at >= FUNCTION_TIMEOUT:
                self.advance(request_id, Fate.KILLED_BEFORE)

    @rule()
    def start_in_console(self) -> None:
        self.world.start("a person", parameters(commitMessage="Started in the console"))

    def advance(self, request_id: str, fate: Fate) -> None:
        process = self.processes[request_id]
        process.step(fate)
        if not process.ended:
            return
        del self.processes[request_id]
        if process.job is not None:
            assert process.job == self.world.known[request_id]
            self.settled.add(request_id)
        else:
            assert isinstance(process.error, TryAgain | RequestRejected | Killed), repr(process.error)
            assert not isinstance(process.error, RequestRejected) or request_id in REFUSED

    @invariant()
    def no_request_has_two_jobs(self) -> None:
        for request_id in REQUESTS:
            assert len(self.jobs_of(request_id)) <= 1, self.world.jobs

    @invariant()
    def a_request_points_at_its_own_job(self) -> None:
        for request_id, job in self.world.known.items():
            assert self.jobs_of(request_id) == [job.job_id]

    def jobs_of(self, request_id: str) -> list[str]:
        return [job.listed.job_id for job in self.world.jobs if job.asked_by == request_id]

    def teardown(self) -> None:
        for request_id in list(self.processes):
            self.advance(request_id, Fate.KILLED_BEFORE)
        # The state machine tries again until it knows; three leases may have to run out one after the other.
        for _ in range(20):
            for request_id in set(REQUESTS) - self.settled:
                self.begin(request_id)
                while request_id in self.processes:
                    self.advance(request_id, Fate.WORKS)
            self.world.now += timedelta(seconds=20)
        assert self.settled == set(REQUESTS) - REFUSED
        for request_id in REQUESTS:
            assert len(self.jobs_of(request_id)) == (request_id not in REFUSED)
        self.a_request_points_at_its_own_job()


def parameters(**given: str) -> StartJobParameters:
    return StartJobParameters.model_validate(
        {"appId": APP_ID, "branchName": BRANCH_NAME, "jobType": "RELEASE", **given}
    )


class OfDifferentCommits(StartingOnce):
    messages: ClassVar = {"one": "Fix the header", "two": "Fix the footer", "refused": "Fix all"}
    listed_after: ClassVar = timedelta(0)


class OfTheSameCommit(StartingOnce):
    """Two routes may ask for jobs of one push: type and message do not tell them apart."""

    messages: ClassVar = dict.fromkeys(REQUESTS, "Fix the header")
    listed_after: ClassVar = timedelta(0)


class ListedLate(StartingOnce):
    """ListJobs lags behind StartJob, but by less than RESOLVED_AFTER, even if it was sent as late as can be."""

    messages: ClassVar = dict.fromkeys(REQUESTS, "Fix the header")
    listed_after: ClassVar = RESOLVED_AFTER - FUNCTION_TIMEOUT - timedelta(seconds=1)


EXPLORE = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
for machine in (OfDifferentCommits, OfTheSameCommit, ListedLate):
    machine.TestCase.settings = EXPLORE

TestOfDifferentCommits = OfDifferentCommits.TestCase
TestOfTheSameCommit = OfTheSameCommit.TestCase
TestListedLate = ListedLate.TestCase


# ---------------------------------------------------------------- the decision alone

SENT_AT = BEGINNING
OURS = Attempt("one", SENT_AT, 3, "RELEASE", "Fix the header")
THEIRS = Attempt("two", SENT_AT, 3, "RELEASE", "Fix the footer")
SOON, LATE = SENT_AT + timedelta(seconds=59), SENT_AT + RESOLVED_AFTER
OLD_JOB = ListedJob("3", "RELEASE", "Fix the header")
OUR_JOB = ListedJob("4", "RELEASE", "Fix the header")


@pytest.mark.parametrize(
    ("lease", "listed", "asked_at", "step"),
    [
        (Lease(), [], SOON, Send(0)),
        (Lease(), [OLD_JOB], SOON, Send(3)),
        (Lease(highest_job_id=5), [OLD_JOB], SOON, Send(5)),
        (Lease(highest_job_id=2), [ListedJob("10", None, None), ListedJob("9", None, None)], SOON, Send(10)),
        (Lease(OURS, 3), [OUR_JOB, OLD_JOB], SOON, Adopt(OURS, OUR_JOB)),
        (Lease(OURS, 3), [OUR_JOB, OLD_JOB], LATE, Adopt(OURS, OUR_JOB)),
        (Lease(OURS, 3), [OLD_JOB], SOON, Wait(OURS)),
        (Lease(OURS, 3), [OLD_JOB], LATE, Send(3)),
        (Lease(OURS, 3), [ListedJob("4", "WEB_HOOK", "Fix the header")], SOON, Wait(OURS)),
        (Lease(OURS, 3), [ListedJob("4", "RELEASE", "Started in the console")], LATE, Send(4)),
        (Lease(OURS, 3), [ListedJob("5", "RELEASE", "Fix the header"), OUR_JOB], SOON, Adopt(OURS, OUR_JOB)),
        # Amplify leaves out the job type of some jobs, and may trim a message.
        (
            Lease(OURS, 3),
            [ListedJob("4", None, "Fix the header\n")],
            SOON,
            Adopt(OURS, ListedJob("4", None, "Fix the header\n")),
        ),
        (Lease(THEIRS, 3), [OUR_JOB], SOON, Wait(THEIRS)),
        (Lease(THEIRS, 3), [OUR_JOB], LATE, Release(THEIRS)),
        (
            Lease(THEIRS, 3),
            [ListedJob("5", "RELEASE", "Fix the footer"), OUR_JOB],
            SOON,
            Adopt(THEIRS, ListedJob("5", "RELEASE", "Fix the footer")),
        ),
    ],
)
def test_what_a_start_does_next(
    lease: Lease, listed: list[ListedJob], asked_at: datetime, step: Send | Adopt | Release | Wait
) -> None:
    assert next_step("one", lease, listed, asked_at) == step


def test_a_retry_is_found_under_the_message_of_the_job_that_it_retries() -> None:
    attempt = Attempt("one", SENT_AT, 3, "RETRY", None)
    shown = ListedJob("4", "RETRY", "Fix the header")
    assert next_step("one", Lease(attempt, 3), [shown], SOON) == Adopt(attempt, shown)


def test_a_start_that_nothing_is_heard_of_is_sent_again_and_may_then_be_there_twice() -> None:
    """The limit of what can be known: an answer that comes later than RESOLVED_AFTER comes too late."""
    world = World(listed_after=RESOLVED_AFTER + timedelta(seconds=1))
    first = Process(world, "one", parameters(commitMessage="Fix the header"))
    for fate in (Fate.WORKS, Fate.WORKS, Fate.WORKS, Fate.WORKS, Fate.LOST):
        first.step(fate)
    assert isinstance(first.error, StartUnresolved)
    world.now += RESOLVED_AFTER
    second = Process(world, "one", parameters(commitMessage="Fix the header"))
    while not second.ended:
        second.step(Fate.WORKS)
    assert second.job is not None
    assert [job.asked_by for job in world.jobs] == ["one", "one"]


def test_a_branch_whose_lease_another_request_holds_is_busy() -> None:
    world = World(lease=Lease(THEIRS, 3))
    process = Process(world, "one", parameters(commitMessage="Fix the header"))
    while not process.ended:
        process.step(Fate.WORKS)
    assert isinstance(process.error, BranchBusy)
    assert "two" in str(process.error)
    assert world.jobs == []


def test_a_lease_that_changed_hands_before_the_list_was_asked_for_proves_nothing() -> None:
    """The job in the list is then of the next holder, who may have asked for one of the same commit."""
    refused = Attempt("refused", BEGINNING, 0, "RELEASE", "Fix the header")
    world = World(lease=Lease(refused, 0))
    process = Process(world, "one", parameters(commitMessage="Fix the header"))
    for _ in ("job_of_request", "lease"):
        process.step(Fate.WORKS)
    world.give_lease_back(refused, 0)
    world.start("two", parameters(commitMessage="Fix the header"))
    world.lease = Lease(None, 1)
    while not process.ended:
        process.step(Fate.WORKS)
    assert set(world.known) == {"one"}
    assert process.job is not None
    assert process.job.job_id == "2"
