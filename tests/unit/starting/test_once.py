"""OnceStarter while every call may fail, be lost or be cut short, and while requests compete for a branch."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from amplify_jobs.errors import BranchBusy, RequestRejected, RetryableError, StartUnresolved, Superseded
from amplify_jobs.model.job import Job
from amplify_jobs.model.parameters import StartJobParameters
from amplify_jobs.starting.lease import RESOLVED_AFTER, Adopt, Attempt, Lease, ListedJob, Release, Send, Wait, next_step
from tests.support.competing import BEGINNING, FUNCTION_TIMEOUT, Fate, Killed, Process, World, parameters

REFUSED = frozenset({"refused"})
REQUESTS = ("one", "two", "refused")


class GivingWay(Process):
    """An invocation that knows of a newer request."""

    def start(self) -> Job:
        return self.start_once(Superseded("Superseded by request two."))


class StartingOnce(RuleBasedStateMachine):
    """Three requests for one branch, one of which Amplify refuses; a person starts jobs in the console, too."""

    messages: ClassVar[dict[str, str]]
    listed_after: ClassVar[timedelta]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(listed_after=self.listed_after, refused=REFUSED)
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
            assert isinstance(process.error, RetryableError | RequestRejected | Killed), repr(process.error)
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
        return [job.listed.job_id for job in self.world.jobs if job.requested_by == request_id]

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
OWN_ATTEMPT = Attempt("one", SENT_AT, 3, "RELEASE", "Fix the header")
OTHER_ATTEMPT = Attempt("two", SENT_AT, 3, "RELEASE", "Fix the footer")
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
        (Lease(OWN_ATTEMPT, 3), [OUR_JOB, OLD_JOB], SOON, Adopt(OWN_ATTEMPT, OUR_JOB)),
        (Lease(OWN_ATTEMPT, 3), [OUR_JOB, OLD_JOB], LATE, Adopt(OWN_ATTEMPT, OUR_JOB)),
        (Lease(OWN_ATTEMPT, 3), [OLD_JOB], SOON, Wait(OWN_ATTEMPT)),
        (Lease(OWN_ATTEMPT, 3), [OLD_JOB], LATE, Send(3)),
        (Lease(OWN_ATTEMPT, 3), [ListedJob("4", "WEB_HOOK", "Fix the header")], SOON, Wait(OWN_ATTEMPT)),
        (Lease(OWN_ATTEMPT, 3), [ListedJob("4", "RELEASE", "Started in the console")], LATE, Send(4)),
        (
            Lease(OWN_ATTEMPT, 3),
            [ListedJob("5", "RELEASE", "Fix the header"), OUR_JOB],
            SOON,
            Adopt(OWN_ATTEMPT, OUR_JOB),
        ),
        # Amplify leaves out the job type of some jobs, and may trim a message.
        (
            Lease(OWN_ATTEMPT, 3),
            [ListedJob("4", None, "Fix the header\n")],
            SOON,
            Adopt(OWN_ATTEMPT, ListedJob("4", None, "Fix the header\n")),
        ),
        (Lease(OTHER_ATTEMPT, 3), [OUR_JOB], SOON, Wait(OTHER_ATTEMPT)),
        (Lease(OTHER_ATTEMPT, 3), [OUR_JOB], LATE, Release(OTHER_ATTEMPT)),
        (
            Lease(OTHER_ATTEMPT, 3),
            [ListedJob("5", "RELEASE", "Fix the footer"), OUR_JOB],
            SOON,
            Adopt(OTHER_ATTEMPT, ListedJob("5", "RELEASE", "Fix the footer")),
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
    second.finish()
    assert second.job is not None
    assert [job.requested_by for job in world.jobs] == ["one", "one"]


def test_a_branch_whose_lease_another_request_holds_is_busy() -> None:
    world = World(lease=Lease(OTHER_ATTEMPT, 3))
    process = Process(world, "one", parameters(commitMessage="Fix the header"))
    process.finish()
    assert isinstance(process.error, BranchBusy)
    assert "two" in str(process.error)
    assert world.jobs == []


@pytest.mark.parametrize("calls", range(6))
def test_a_job_that_another_request_finds_for_us_is_not_started_again(calls: int) -> None:
    world = World()
    killed = Process(world, "one", parameters(commitMessage="Fix the header"))
    for fate in (Fate.WORKS, Fate.WORKS, Fate.WORKS, Fate.WORKS, Fate.KILLED_AFTER):
        killed.step(fate)
    again = Process(world, "one", parameters(commitMessage="Fix the header"))
    for _ in range(calls):
        again.step(Fate.WORKS)
    other = Process(world, "two", parameters(commitMessage="Fix the footer"))
    other.finish()
    again.finish()
    assert again.job == world.known["one"]
    assert [job.requested_by for job in world.jobs] == ["one", "two"]


def test_what_is_superseded_is_not_sent() -> None:
    world = World()
    process = GivingWay(world, "one", parameters())
    process.finish()
    assert isinstance(process.error, Superseded)
    assert "request two" in str(process.error)
    assert world.jobs == []


@pytest.mark.parametrize("arrived", [True, False])
def test_what_may_have_been_sent_is_found_out_before_it_gives_way(arrived: bool) -> None:
    world = World()
    killed = Process(world, "one", parameters(commitMessage="Fix the header"))
    for fate in (Fate.WORKS,) * 4 + (Fate.KILLED_AFTER if arrived else Fate.KILLED_BEFORE,):
        killed.step(fate)
    errors = []
    while True:
        process = GivingWay(world, "one", parameters(commitMessage="Fix the header"))
        process.finish()
        if not isinstance(process.error, StartUnresolved):
            break
        errors.append(process.error)
        world.now += timedelta(seconds=20)
    assert world.lease.attempt is None
    if arrived:
        assert process.job == world.known["one"]
        assert len(world.jobs) == 1
    else:
        assert isinstance(process.error, Superseded)
        assert len(errors) == RESOLVED_AFTER / timedelta(seconds=20)
        assert world.jobs == []


@pytest.mark.parametrize("age", [RESOLVED_AFTER, timedelta(days=1)])
def test_a_start_whose_answer_was_lost_is_found_on_a_branch_that_was_made_again(age: timedelta) -> None:
    """Its jobs are counted from 1 again, below the highest id that is known of the branch before."""
    world = World(lease=Lease(None, 3, BEGINNING - age))
    killed = Process(world, "one", parameters(commitMessage="Fix the header"))
    for fate in (Fate.WORKS,) * 4 + (Fate.KILLED_AFTER,):
        killed.step(fate)
    assert len(world.jobs) == 1
    world.now += RESOLVED_AFTER
    process = Process(world, "one", parameters(commitMessage="Fix the header"))
    process.finish()
    assert process.job is not None
    assert process.job.job_id == "1"
    assert len(world.jobs) == 1


def test_a_lease_that_changed_hands_before_the_list_was_asked_for_proves_nothing() -> None:
    """The job in the list is then of the next holder, who may have asked for one of the same commit."""
    refused = Attempt("refused", BEGINNING, 0, "RELEASE", "Fix the header")
    world = World(lease=Lease(refused, 0))
    process = Process(world, "one", parameters(commitMessage="Fix the header"))
    for _ in ("lease", "job_of_request"):
        process.step(Fate.WORKS)
    world.release_lease(refused, 0)
    world.start("two", parameters(commitMessage="Fix the header"))
    world.lease = Lease(None, 1)
    process.finish()
    assert set(world.known) == {"one"}
    assert process.job is not None
    assert process.job.job_id == "2"
