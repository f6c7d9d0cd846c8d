"""A world where every call may fail, be lost or be cut short, and where requests compete for a branch.

Each request's function runs in a thread that stops before every call to the store or to Amplify; the test decides whose
call is next and what becomes of it. So every interleaving and every place to be killed at can be met.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeVar

from amplify_jobs.errors import RequestRejected, RetryableError, ServiceTrouble, StartUnresolved, Superseded, Throttled
from amplify_jobs.model.job import BranchRef, Job
from amplify_jobs.model.parameters import HostingParameters, StartJobParameters
from amplify_jobs.starting.lease import Attempt, Lease, ListedJob, Progress
from amplify_jobs.starting.once import BranchStart, OnceStarter

Result = TypeVar("Result")

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
REGION, APP_ID, BRANCH_NAME = "eu-west-1", "d1a2b3c4d5e6", "main"
BRANCH = BranchRef(REGION, APP_ID, BRANCH_NAME)
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
    requested_by: str
    started_at: datetime


# A start makes about ten calls.
MOST_CALLS = 100


@dataclass
class World:
    """Amplify, the jobs table and the clock. ListJobs shows a job only `listed_after` it was started."""

    now: datetime = BEGINNING
    listed_after: timedelta = timedelta(0)
    jobs: list[StartedJob] = field(default_factory=list)
    lease: Lease = field(default_factory=Lease)
    known: dict[str, Job] = field(default_factory=dict)
    # Job id -> the request whose record it has.
    owners: dict[str, str] = field(default_factory=dict)
    # Requests that a person stopped, and the jobs that were stopped.
    stops: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    # Requests whose StartJob Amplify refuses.
    refused: frozenset[str] = frozenset()

    def start(self, requested_by: str, parameters: StartJobParameters) -> ListedJob:
        job = ListedJob(str(len(self.jobs) + 1), parameters.job_type, parameters.commit_message, "PENDING")
        self.jobs.append(StartedJob(job, requested_by, self.now))
        return job

    def listed(self) -> list[ListedJob]:
        return [job.listed for job in reversed(self.jobs) if job.started_at + self.listed_after <= self.now]

    def acquire_lease(self, attempt: Attempt, lease: Lease) -> bool:
        if self.lease != lease:
            return False
        self.lease = Lease(attempt, attempt.highest_job_id)
        return True

    def raise_highest_job_id(self, expected: Lease, job_id: int) -> bool:
        if self.lease != expected:
            return False
        self.lease = Lease(None, max(expected.unlisted_job_id(self.now), job_id), self.now)
        return True

    def release_lease(self, attempt: Attempt, highest_job_id: int) -> None:
        if self.lease.attempt == attempt:
            self.lease = Lease(None, highest_job_id, attempt.sent_at)


class Process:
    """One invocation of the start function for one request, run call by call.

    It is what Amplify and the store are to the function, too.
    """

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
        # A test that fails in the middle leaves it waiting, which must not keep the interpreter from its end.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._stopped.acquire()

    def start(self) -> Job:
        """What the function does."""
        return self.start_once()

    def start_once(self, cancellation: Superseded | None = None) -> Job:
        return self.once().start(self.branch_start(), cancellation)

    def once(self) -> OnceStarter:
        return OnceStarter(self, self, lambda: self._world.now)

    def branch_start(self) -> BranchStart:
        return BranchStart(self.request_id, "start_job", BRANCH, self._parameters)

    def step(self, fate: Fate) -> None:
        """Let the pending call meet its fate, and run to the next one."""
        assert not self.ended, f"{self.request_id} has ended, with {self.job or self.error!r}"
        self._fate = fate
        self._to_go.release()
        self._stopped.acquire()
        if self.ended:
            self._thread.join()

    def finish(self) -> None:
        """Run to the end, with every call working."""
        for _ in range(MOST_CALLS):
            if self.ended:
                return
            self.step(Fate.WORKS)
        raise AssertionError(f"{self.request_id} made {MOST_CALLS} calls and has not ended")

    def _run(self) -> None:
        try:
            self.job = self.start()
        except BaseException as error:
            self.error = error
        self.ended = True
        self._stopped.release()

    def call(self, act: Callable[[], Result], *, refusal: type[Exception], loss: type[RetryableError]) -> Result:
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
        return self.call(act, refusal=ServiceTrouble, loss=ServiceTrouble)

    # What OnceStarter needs of Amplify and of the jobs table.

    def send(self, parameters: HostingParameters) -> ListedJob:
        def start() -> ListedJob:
            if self.request_id in self._world.refused:
                raise RequestRejected("BadRequestException")
            assert isinstance(parameters, StartJobParameters)
            return self._world.start(self.request_id, parameters)

        return self.call(start, refusal=Throttled, loss=StartUnresolved)

    def list_jobs(self, app_id: str, branch_name: str) -> list[ListedJob]:
        assert (app_id, branch_name) == (APP_ID, BRANCH_NAME)
        return self.call(self._world.listed, refusal=Throttled, loss=ServiceTrouble)

    def job_of_request(self, request_id: str) -> Job | None:
        return self._store(lambda: self._world.known.get(request_id))

    def progress(self, start_id: str) -> Progress:
        world = self._world
        return self._store(lambda: Progress(world.known.get(start_id), "Stopped." if start_id in world.stops else None))

    def stop_of_request(self, request_id: str) -> str | None:
        return self._store(lambda: "Stopped." if request_id in self._world.stops else None)

    def lease(self, branch: BranchRef) -> Lease:
        assert branch == BRANCH
        return self._store(lambda: self._world.lease)

    def acquire_lease(self, branch: BranchRef, attempt: Attempt, expected: Lease) -> bool:
        assert branch == BRANCH
        return self._store(lambda: self._world.acquire_lease(attempt, expected))

    def release_lease(self, branch: BranchRef, attempt: Attempt, highest_job_id: int) -> None:
        assert branch == BRANCH
        self._store(lambda: self._world.release_lease(attempt, highest_job_id))

    def raise_highest_job_id(self, branch: BranchRef, expected: Lease, job_id: int, now: datetime) -> bool:
        assert branch == BRANCH
        return self._store(lambda: self._world.raise_highest_job_id(expected, job_id))

    def claim_job(self, region: str, request_id: str, job: Job, now: datetime) -> bool:
        assert region == REGION
        return self._store(lambda: self._world.owners.setdefault(job.job_id, request_id) == request_id)

    def claim_job_anew(
        self, region: str, request_id: str, job: Job, now: datetime, predecessor: str | None = None
    ) -> bool:
        # No branch is deleted here.
        return self._store(lambda: False)

    def link_request_to_job(self, request_id: str, job: Job, now: datetime) -> None:
        self._store(lambda: self._world.known.update({request_id: job}))


def parameters(**members: str) -> StartJobParameters:
    return StartJobParameters.model_validate(
        {"appId": APP_ID, "branchName": BRANCH_NAME, "jobType": "RELEASE", **members}
    )
