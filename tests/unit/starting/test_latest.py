"""LatestStarter while every call may fail, be lost or be cut short, and while events arrive in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from amplify_jobs.errors import RequestRejected, RetryableError, ServiceTrouble, Superseded, Throttled
from amplify_jobs.model.job import BranchRef, Job, JobRef
from amplify_jobs.starting.latest import LatestStarter
from amplify_jobs.starting.superseding import Latest, StartedJob, SupersedingRequest, claim
from tests.support.competing import (
    APP_ID,
    BEGINNING,
    BRANCH,
    BRANCH_NAME,
    FUNCTION_TIMEOUT,
    Fate,
    Killed,
    Process,
    World,
    parameters,
)

SECOND = timedelta(seconds=1)


def request(request_id: str, event: int, received: int = 0) -> SupersedingRequest:
    return SupersedingRequest(request_id, BEGINNING + event * SECOND, BEGINNING + received * SECOND)


# The last two are of the same second.
REQUESTS = {
    latest.request_id: latest for latest in (request("first", 1, 9), request("second", 2, 5), request("third", 2, 7))
}


@dataclass
class Branch(World):
    """The world of OnceStarter, with jobs that end and are stopped, and the latest request of a kind."""

    latest: Latest | None = None
    superseded: dict[str, str] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    seen_ended: set[str] = field(default_factory=set)
    woken: set[str] = field(default_factory=set)

    def write_latest(self, latest: Latest) -> bool:
        if latest.version != (self.latest.version + 1 if self.latest else 1):
            return False
        self.latest = latest
        return True

    def requester_of(self, job_id: str) -> str:
        return next(job.requested_by for job in self.jobs if job.listed.job_id == job_id)

    def stop(self, job_id: str, by: str) -> None:
        stopped = REQUESTS[self.requester_of(job_id)]
        assert self.latest is not None
        assert self.latest.request.is_newer_than(stopped)
        assert stopped.request_id == by or REQUESTS[by].is_newer_than(stopped)
        # Its execution may see the cancelled job at once, and must be able to say why.
        assert stopped.request_id in self.superseded
        if job_id in self.stopped | self.ended:
            raise RequestRejected("BadRequestException")
        self.stopped.add(job_id)


class Starter(Process):
    """An invocation for a request that supersedes older ones."""

    def __init__(self, world: Branch, request_id: str) -> None:
        self.branch = world
        super().__init__(world, request_id, parameters(commitMessage=request_id))

    def start(self) -> Job:
        starter = LatestStarter(self.once(), self, self, self.wake, lambda: self.branch.now)
        return starter.start(self.branch_start(), REQUESTS[self.request_id], "push")

    def stop_job(self, job: Job) -> None:
        assert (job.app_id, job.branch_name) == (APP_ID, BRANCH_NAME)
        self.call(lambda: self.branch.stop(job.job_id, self.request_id), refusal=Throttled, loss=ServiceTrouble)

    def latest_of_kind(self, branch: BranchRef, kind: str) -> Latest | None:
        assert (branch, kind) == (BRANCH, "push")
        return self._store(lambda: self.branch.latest)

    def write_latest(self, branch: BranchRef, kind: str, latest: Latest, now: datetime) -> bool:
        assert (branch, kind) == (BRANCH, "push")
        return self._store(lambda: self.branch.write_latest(latest))

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None:
        assert REQUESTS[newer].is_newer_than(REQUESTS[request_id])
        self._store(lambda: self.branch.superseded.update({request_id: newer}))

    def has_ended(self, job: JobRef) -> bool:
        return self._store(lambda: self.job_id(job) in self.branch.seen_ended)

    def record_status_change(self, job: JobRef, now: datetime) -> str | None:
        return self._store(lambda: f"the token of {self.job_id(job)}")

    def wake(self, token: str) -> None:
        self.call(lambda: self.branch.woken.add(token.rpartition(" ")[2]), refusal=ServiceTrouble, loss=ServiceTrouble)

    def job_id(self, job: JobRef) -> str:
        assert job.branch == BRANCH
        assert job.job_id in [started.listed.job_id for started in self.branch.jobs]
        return job.job_id


class Superseding(RuleBasedStateMachine):
    """Three requests of one kind, delivered in any order; jobs may end before they are stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Branch()
        self.processes: dict[str, Starter] = {}
        self.delivered: set[str] = set()
        self.jobs: dict[str, str] = {}
        self.gave_way: set[str] = set()

    @rule(request_id=st.sampled_from(sorted(REQUESTS)))
    def begin(self, request_id: str) -> None:
        if request_id not in self.processes and request_id not in self.gave_way:
            self.delivered.add(request_id)
            self.processes[request_id] = Starter(self.world, request_id)

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), fate=st.sampled_from(Fate))
    def step(self, data: st.DataObject, fate: Fate) -> None:
        self.advance(data.draw(st.sampled_from(sorted(self.processes))), fate)

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), calls=st.integers(1, 15))
    def work_on(self, data: st.DataObject, calls: int) -> None:
        request_id = data.draw(st.sampled_from(sorted(self.processes)))
        for _ in range(calls):
            if request_id in self.processes:
                self.advance(request_id, Fate.WORKS)

    @rule(seconds=st.sampled_from([1, 40, 61]))
    def pass_time(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        for request_id, process in list(self.processes.items()):
            if self.world.now - process.begun_at >= FUNCTION_TIMEOUT:
                self.advance(request_id, Fate.KILLED_BEFORE)

    @precondition(lambda self: self.world.jobs)
    @rule(data=st.data())
    def end_a_job(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from([job.listed.job_id for job in self.world.jobs]))
        if job_id not in self.world.stopped:
            self.world.ended.add(job_id)

    @rule()
    def poll(self) -> None:
        self.world.seen_ended |= self.world.ended | self.world.stopped

    def advance(self, request_id: str, fate: Fate) -> None:
        process = self.processes[request_id]
        process.step(fate)
        if not process.ended:
            return
        del self.processes[request_id]
        if process.job is not None:
            self.jobs[request_id] = process.job.job_id
        elif isinstance(process.error, Superseded):
            assert self.world.superseded[request_id] in str(process.error)
            assert not self.jobs_of(request_id)
            self.gave_way.add(request_id)
        else:
            assert isinstance(process.error, RetryableError | Killed), repr(process.error)

    @invariant()
    def no_request_has_two_jobs(self) -> None:
        for request_id in REQUESTS:
            assert len(self.jobs_of(request_id)) <= 1, self.world.jobs

    def jobs_of(self, request_id: str) -> list[str]:
        return [job.listed.job_id for job in self.world.jobs if job.requested_by == request_id]

    def teardown(self) -> None:
        for request_id in list(self.processes):
            self.advance(request_id, Fate.KILLED_BEFORE)
        # The state machine of a request that was delivered tries again until it has an answer.
        unsettled = self.delivered - self.gave_way - set(self.jobs)
        for _ in range(20):
            for request_id in sorted(unsettled):
                self.begin(request_id)
                while request_id in self.processes:
                    self.advance(request_id, Fate.WORKS)
            unsettled -= self.gave_way | set(self.jobs)
            self.world.now += timedelta(seconds=20)
        assert not unsettled
        if not self.delivered:
            return
        (newest,) = (
            each
            for each in self.delivered
            if not any(REQUESTS[other].is_newer_than(REQUESTS[each]) for other in self.delivered)
        )
        assert newest in self.jobs
        assert newest not in self.world.superseded
        assert self.jobs[newest] not in self.world.stopped
        for request_id in self.delivered - {newest}:
            if request_id in self.gave_way:
                assert request_id in self.world.superseded
                continue
            job_id = self.jobs[request_id]
            assert job_id in self.world.stopped | self.world.ended
            if job_id in self.world.stopped:
                assert request_id in self.world.superseded
                assert job_id in self.world.woken | self.world.seen_ended


Superseding.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestSuperseding = Superseding.TestCase


# ---------------------------------------------------------------- the decision alone


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (request("a", 2), request("b", 1)),
        # Whatever arrives late stays older.
        (request("a", 2, received=1), request("b", 1, received=9)),
        (request("a", 1, received=2), request("b", 1, received=1)),
        (request("b", 1), request("a", 1)),
    ],
)
def test_the_time_of_the_event_decides(newer: SupersedingRequest, older: SupersedingRequest) -> None:
    assert newer.is_newer_than(older)
    assert not older.is_newer_than(newer)
    assert not newer.is_newer_than(newer)


def test_a_place_is_taken_with_the_jobs_that_it_leaves() -> None:
    first, second, third = REQUESTS.values()
    first_claim = claim(first, None)
    assert first_claim == Latest(first)
    started = first_claim.with_job("4")
    assert started == Latest(first, "4", version=2)
    assert claim(first, started) == started
    second_claim = claim(second, started)
    assert second_claim == Latest(second, None, (StartedJob("first", "4"),), version=3)
    assert claim(third, second_claim.with_job("5")).to_stop == (StartedJob("first", "4"), StartedJob("second", "5"))
    # One that was not started yet finds out by itself.
    assert claim(third, second_claim).to_stop == (StartedJob("first", "4"),)
    assert second_claim.with_all_stopped() == Latest(second, version=4)
