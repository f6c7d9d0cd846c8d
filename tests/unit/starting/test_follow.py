"""Each job has one owner: a start of ours or a follower, whatever order, loss or kill the calls of both meet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from amplify_jobs.errors import AlreadyFollowed, BranchBusy, NotFoundError, RetryableError, Throttled
from amplify_jobs.model.job import BranchRef, Job, JobOrigin, JobRef
from amplify_jobs.model.parameters import FollowJobParameters
from amplify_jobs.starting.follow import FollowStarter, JobClaim
from amplify_jobs.starting.lease import Attempt, Lease, ListedJob
from tests.support.competing import (
    APP_ID,
    BRANCH,
    BRANCH_NAME,
    FUNCTION_TIMEOUT,
    Fate,
    Killed,
    Process,
    World,
    parameters,
)
from tests.support.starting import NOON, REGION, Surroundings, make_request

REQUESTS = ("one", "two")
PERSON = "a person"


def to_follow(job_id: str, predecessor: str | None = None) -> FollowJobParameters:
    return FollowJobParameters(app_id=APP_ID, branch_name=BRANCH_NAME, job_id=job_id, predecessor=predecessor)


class Following(Process):
    """An invocation that follows a job, of which an event told."""

    def __init__(self, world: World, job_id: str) -> None:
        self._job_id = job_id
        super().__init__(world, follower_of(job_id), parameters())

    def start(self) -> Job:
        return JobClaim(self, self, lambda: self._world.now).claim(self.request_id, BRANCH, to_follow(self._job_id))

    def job_with_origin(self, job: Job) -> Job:
        raise AssertionError("a claim asks Amplify for nothing but lists")


def follower_of(job_id: str) -> str:
    return f"follow-{job_id}"


class OneOwner(RuleBasedStateMachine):
    """Two requests start jobs on a branch, a person starts others there, and events tell of all of them in any order.

    Each execution that has a job announces it: so each job is announced once if it has one owner.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.processes: dict[str, Process] = {}
        # What each execution came to: a job, or None where another one has it.
        self.settled: dict[str, str | None] = {}

    @rule(request_id=st.sampled_from(REQUESTS))
    def start(self, request_id: str) -> None:
        if request_id not in self.processes:
            message = {"one": "Fix the header", "two": "Fix the footer"}[request_id]
            self.processes[request_id] = Process(self.world, request_id, parameters(commitMessage=message))

    @rule()
    def start_in_console(self) -> None:
        self.world.start(PERSON, parameters(commitMessage="Started in the console"))

    @precondition(lambda self: self.world.jobs)
    @rule(data=st.data())
    def send_event(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from([job.listed.job_id for job in self.world.jobs]))
        self.follow(job_id)

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), fate=st.sampled_from(Fate))
    def step(self, data: st.DataObject, fate: Fate) -> None:
        self.advance(data.draw(st.sampled_from(sorted(self.processes))), fate)

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), calls=st.integers(1, 8))
    def work_on(self, data: st.DataObject, calls: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.processes)))
        for _ in range(calls):
            if name in self.processes:
                self.advance(name, Fate.WORKS)

    @rule(seconds=st.sampled_from([1, 40, 61]))
    def pass_time(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        for name, process in list(self.processes.items()):
            if self.world.now - process.begun_at >= FUNCTION_TIMEOUT:
                self.advance(name, Fate.KILLED_BEFORE)

    def follow(self, job_id: str) -> None:
        name = follower_of(job_id)
        if name not in self.processes and name not in self.settled:
            self.processes[name] = Following(self.world, job_id)

    def advance(self, name: str, fate: Fate) -> None:
        process = self.processes[name]
        process.step(fate)
        if not process.ended:
            return
        del self.processes[name]
        if process.job is not None or isinstance(process.error, AlreadyFollowed):
            outcome = process.job.job_id if process.job else None
            # A start that is called again gives the same job; a follower is called no more.
            assert self.settled.setdefault(name, outcome) == outcome
        else:
            assert isinstance(process.error, RetryableError | Killed), repr(process.error)

    @invariant()
    def no_job_has_two_owners(self) -> None:
        jobs = [job for job in self.settled.values() if job is not None]
        assert len(jobs) == len(set(jobs)), self.settled

    @invariant()
    def a_job_is_of_who_started_it(self) -> None:
        starters = {job.listed.job_id: job.requested_by for job in self.world.jobs}
        for name, job_id in self.settled.items():
            if job_id is not None:
                assert name == starters[job_id] or (starters[job_id], name) == (PERSON, follower_of(job_id))
        for job_id, owner in self.world.owners.items():
            assert owner in (starters[job_id], follower_of(job_id))

    def teardown(self) -> None:
        for name in list(self.processes):
            self.advance(name, Fate.KILLED_BEFORE)
        for _ in range(20):
            for request_id in REQUESTS:
                if request_id not in self.settled:
                    self.start(request_id)
            for job in self.world.jobs:
                self.follow(job.listed.job_id)
            for name in list(self.processes):
                while name in self.processes:
                    self.advance(name, Fate.WORKS)
            self.world.now += timedelta(seconds=20)
        self.no_job_has_two_owners()
        self.a_job_is_of_who_started_it()
        announced = {job for job in self.settled.values() if job is not None}
        assert announced == {job.listed.job_id for job in self.world.jobs}


OneOwner.TestCase.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestOneOwner = OneOwner.TestCase


# ---------------------------------------------------------------- single cases


def held_by(request_id: str, highest: int = 0) -> Lease:
    world = World()
    return Lease(Attempt(request_id, world.now, highest, "RELEASE", "Fix the header"), highest)


def test_an_event_before_the_answer_of_our_start_waits_for_it() -> None:
    world = World()
    own = Process(world, "one", parameters(commitMessage="Fix the header"))
    for _ in ("lease", "job_of_request", "list_jobs", "acquire_lease", "send"):
        own.step(Fate.WORKS)
    world.jobs.clear()
    early = Following(world, "1")
    early.finish()
    assert isinstance(early.error, BranchBusy)
    own.finish()
    late = Following(world, "1")
    late.finish()
    assert isinstance(late.error, AlreadyFollowed)
    assert world.owners == {"1": "one"}


def test_a_follower_records_a_job_whose_start_was_killed_for_its_request() -> None:
    world = World(lease=held_by("one"))
    world.start("one", parameters(commitMessage="Fix the header"))
    follower = Following(world, "1")
    follower.finish()
    assert isinstance(follower.error, AlreadyFollowed)
    assert (world.owners, world.known["one"].job_id) == ({"1": "one"}, "1")
    assert world.known["one"].operation == "start_job"


def test_a_lease_that_nobody_comes_back_for_holds_no_follower_up_for_long() -> None:
    world = World(lease=held_by("gone"))
    world.start(PERSON, parameters(commitMessage="Started in the console"))
    busy = Following(world, "1")
    busy.finish()
    assert isinstance(busy.error, BranchBusy)
    world.now += timedelta(minutes=1)
    follower = Following(world, "1")
    follower.finish()
    assert follower.job is not None
    assert world.owners == {"1": follower_of("1")}


def test_no_later_start_takes_a_followed_job_for_its_own() -> None:
    """ListJobs does not show it yet when the start is sent, and its answer is lost."""
    world = World(listed_after=timedelta(seconds=20))
    world.start(PERSON, parameters(commitMessage="Fix the header"))
    Following(world, "1").finish()
    own = Process(world, "one", parameters(commitMessage="Fix the header"))
    for fate in (Fate.WORKS, Fate.WORKS, Fate.WORKS, Fate.WORKS, Fate.LOST):
        own.step(fate)
    world.now += timedelta(seconds=21)
    again = Process(world, "one", parameters(commitMessage="Fix the header"))
    again.finish()
    assert again.job is not None
    assert again.job.job_id == "2"


class Hosting:
    """Amplify Hosting, as far as a follower asks it."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def list_jobs(self, app_id: str, branch_name: str) -> list[ListedJob]:
        return []

    def job_with_origin(self, job: Job) -> Job:
        if self._error:
            raise self._error
        return job.model_copy(update={"job_type": "RELEASE", "origin": JobOrigin(commit="abc1234", started_at=NOON)})


def followed(surroundings: Surroundings, hosting: Hosting, arguments: FollowJobParameters) -> Job:
    request = make_request("follow-1", "follow_job", {}, route=None)
    return FollowStarter(hosting, surroundings.resources()).start("follow-1", request, arguments)


def test_a_followed_job_is_given_with_what_amplify_tells() -> None:
    surroundings = Surroundings()
    job = followed(surroundings, Hosting(), to_follow("7"))
    assert (job.operation, job.job_id, job.job_type) == ("follow_job", "7", "RELEASE")
    assert job.origin == JobOrigin(commit="abc1234", started_at=NOON)
    assert surroundings.jobs.jobs["follow-1"] == job
    assert surroundings.jobs.lease(BranchRef(REGION, APP_ID, BRANCH_NAME)) == Lease(None, 7, NOON)


def test_a_job_whose_branch_was_deleted_is_followed_all_the_same() -> None:
    assert followed(Surroundings(), Hosting(NotFoundError("no branch")), to_follow("7")).origin == JobOrigin()


def test_a_throttled_account_is_asked_again() -> None:
    surroundings = Surroundings()
    with pytest.raises(Throttled):
        followed(surroundings, Hosting(Throttled("slow down")), to_follow("7"))
    assert followed(surroundings, Hosting(), to_follow("7")).origin is not None


def test_a_job_of_a_branch_that_was_made_again_replaces_the_one_that_had_its_id() -> None:
    surroundings = Surroundings()
    place, ref = (APP_ID, BRANCH_NAME, "7"), JobRef(BranchRef(REGION, APP_ID, BRANCH_NAME), "7")
    surroundings.jobs.owners[place] = "web-1"
    with pytest.raises(AlreadyFollowed):
        followed(surroundings, Hosting(), to_follow("7", "web-1"))
    surroundings.jobs.ended.add(ref)
    with pytest.raises(AlreadyFollowed):
        followed(surroundings, Hosting(), to_follow("7", "web-0"))
    assert followed(surroundings, Hosting(), to_follow("7", "web-1")).job_id == "7"
    assert surroundings.jobs.owners[place] == "follow-1"
