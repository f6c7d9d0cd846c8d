"""OnceStarter with the real store, from several threads at once: requests compete for one branch in DynamoDB."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.errors import BranchBusy, RetryableError, StartUnresolved
from amplify_jobs.following.record import Owner
from amplify_jobs.following.wait import EarlierJob
from amplify_jobs.model.job import BranchRef, Job, JobRef, JobState, State
from amplify_jobs.model.parameters import HostingParameters, StartJobParameters
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.starting.lease import RESOLVED_AFTER, Attempt, Lease, ListedJob
from amplify_jobs.starting.once import BranchStart, OnceStarter
from tests.support.stack import REGION, Stack, record_key, serving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARAMETERS = StartJobParameters.model_validate(
    {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE", "commitMessage": "Fix the header"}
)
BRANCH = BranchRef(REGION, PARAMETERS.app_id, PARAMETERS.branch_name)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


@pytest.fixture
def store(stack: Stack) -> Iterator[JobsTable]:
    yield JobsTable.connect("jobs")
    for item in stack.jobs_table.scan()["Items"]:
        stack.jobs_table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})


class Amplify:
    """Starts jobs, and loses the answers to every third; knows who asked for which."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._starts = 0
        self.jobs: list[tuple[ListedJob, str]] = []

    def requested_by(self, request_id: str) -> AmplifyOfRequest:
        return AmplifyOfRequest(self, request_id)

    def start(self, request_id: str) -> ListedJob:
        with self._lock:
            self._starts += 1
            job = ListedJob(str(len(self.jobs) + 1), PARAMETERS.job_type, PARAMETERS.commit_message)
            if self._starts % 3 != 1:
                self.jobs.append((job, request_id))
            if self._starts % 3 != 0:
                raise StartUnresolved
            return job


class AmplifyOfRequest:
    """Amplify, as one request's process sees it."""

    def __init__(self, amplify: Amplify, request_id: str) -> None:
        self._amplify = amplify
        self._request_id = request_id

    def send(self, parameters: HostingParameters) -> ListedJob:
        return self._amplify.start(self._request_id)

    def list_jobs(self, app_id: str, branch_name: str) -> list[ListedJob]:
        return [job for job, _ in reversed(self._amplify.jobs)]


def test_requests_that_compete_for_a_branch_become_one_job_each(store: JobsTable) -> None:
    amplify, chance = Amplify(), random.Random(2)
    requests = [f"web-{number}" for number in range(6)]
    clock = Clock()

    def start(request_id: str) -> Job:
        while True:
            try:
                with clock.standing():
                    starter = OnceStarter(amplify.requested_by(request_id), store, clock.now)
                    return starter.start(BranchStart(request_id, "start_job", BRANCH, PARAMETERS))
            except RetryableError:
                clock.advance(chance.uniform(1, 10))

    with ThreadPoolExecutor(len(requests)) as pool:
        jobs = dict(zip(requests, pool.map(start, requests), strict=True))
    assert sorted(requested_by for _, requested_by in amplify.jobs) == requests
    assert {job.job_id: requested_by for job, requested_by in amplify.jobs} == {
        job.job_id: request_id for request_id, job in jobs.items()
    }
    assert replace(store.lease(BRANCH), highest_at=None) == Lease(None, len(requests))
    for request_id, job in jobs.items():
        assert store.job_of_request(request_id) == job


class Clock:
    """Simulated time, which stands while anybody works: a function lives shorter than its lease."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._working = 0
        self._now = NOW

    def now(self) -> datetime:
        return self._now

    @contextmanager
    def standing(self) -> Iterator[None]:
        with self._changed:
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def advance(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._working == 0)
            self._now += timedelta(seconds=seconds)


# ---------------------------------------------------------------- the lease, one condition at a time


FIRST = Attempt("one", NOW, 3, "RELEASE", "Fix the header")
AGAIN = Attempt("one", NOW + timedelta(minutes=1), 3, "RELEASE", None)
OTHER = Attempt("two", NOW, 3, "RELEASE", None)


def test_a_lease_is_taken_once(store: JobsTable) -> None:
    assert store.lease(BRANCH) == Lease()
    assert store.acquire_lease(BRANCH, FIRST, Lease())
    assert store.lease(BRANCH) == Lease(FIRST, 3)
    assert not store.acquire_lease(BRANCH, OTHER, Lease())
    assert store.lease(BRANCH) == Lease(FIRST, 3)


def test_a_lease_is_taken_again_by_its_holder_only(store: JobsTable) -> None:
    assert store.acquire_lease(BRANCH, FIRST, Lease())
    assert not store.acquire_lease(BRANCH, AGAIN, Lease(OTHER, 3))
    assert store.acquire_lease(BRANCH, AGAIN, Lease(FIRST, 3))
    assert not store.acquire_lease(BRANCH, replace(AGAIN, sent_at=NOW + timedelta(minutes=2)), Lease(FIRST, 3))
    assert store.lease(BRANCH) == Lease(AGAIN, 3)


def test_a_lease_that_was_used_meanwhile_is_not_as_it_was_found(store: JobsTable) -> None:
    result = store.lease(BRANCH)
    assert store.acquire_lease(BRANCH, OTHER, result)
    store.release_lease(BRANCH, OTHER, 4)
    assert not store.acquire_lease(BRANCH, FIRST, result)
    assert store.lease(BRANCH) == Lease(None, 4, NOW)
    assert store.acquire_lease(BRANCH, FIRST, Lease(None, 4))


def test_only_the_holder_gives_a_lease_back(store: JobsTable) -> None:
    assert store.acquire_lease(BRANCH, FIRST, Lease())
    store.release_lease(BRANCH, OTHER, 9)
    store.release_lease(BRANCH, AGAIN, 9)
    assert store.lease(BRANCH) == Lease(FIRST, 3)
    store.release_lease(BRANCH, FIRST, 4)
    assert store.lease(BRANCH) == Lease(None, 4, NOW)


def request(request_id: str) -> JobRequest:
    return JobRequest(
        request_id=request_id,
        operation="start_job",
        parameters=PARAMETERS.model_dump(mode="json", by_alias=True, exclude_none=True),
        cause=Cause(source="github", kind="push"),
        received_at=NOW,
    )


def test_every_item_expires(stack: Stack, store: JobsTable) -> None:
    job = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7")
    store.acquire_lease(BRANCH, FIRST, Lease())
    store.release_lease(BRANCH, FIRST, 7)
    store.link_request_to_job("one", job, NOW)
    store.record_start(REGION, request("one"), job, NOW)
    store.record_poll(record_key("d1a2b3c4d5e6", "main", "8"), NOW)
    store.record_status_change(JobRef(BRANCH, "9"), NOW)
    store.mark_announced("two", "Job Started to people", {}, NOW)
    items = stack.jobs_table.scan()["Items"]
    assert len(items) == 6
    assert all(int(str(item["expiresAt"])) > NOW.timestamp() for item in items)


@pytest.mark.parametrize(
    ("outcomes", "seconds"),
    [
        # Newest first. Failed jobs do not count, and do not keep out those before them.
        ([True] * 12, list(range(1, 11))),
        ([True, False] * 10, list(range(1, 20, 2))),
        ([False] * 10 + [True] * 11, list(range(11, 21))),
        ([False] * 30, []),
        ([], []),
    ],
)
def test_ten_jobs_that_succeeded_tell_how_long_the_next_may_take(
    store: JobsTable, outcomes: list[bool], seconds: list[int]
) -> None:
    for number, succeeded in enumerate(outcomes, start=1):
        job = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id=str(100 - number))
        key = store.record_start(REGION, request(f"web-{number}"), job, NOW)
        state = JobState(
            job=job,
            state=State.SUCCEEDED if succeeded else State.FAILED,
            started_at=NOW,
            finished_at=NOW + timedelta(seconds=number),
        )
        store.record_state(key, state, NOW, NOW)
    earlier = store.earlier_jobs(record_key("d1a2b3c4d5e6", "main", "100"))
    assert earlier == [EarlierJob(float(took), end_event_received=False) for took in seconds]


@pytest.mark.parametrize("state", State)
def test_a_job_has_ended_once_a_poll_saw_its_end(store: JobsTable, state: State) -> None:
    job, ref = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7"), JobRef(BRANCH, "7")
    assert not store.has_ended(ref)
    key = store.record_start(REGION, request("web-7"), job, NOW)
    assert not store.has_ended(ref)
    store.record_state(key, JobState(job=job, state=state), None, NOW)
    # A job that was only given up may still run.
    assert store.has_ended(ref) == (state in (State.SUCCEEDED, State.FAILED, State.CANCELLED))


def test_what_was_announced_is_remembered_beside_the_job(store: JobsTable) -> None:
    job = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7")
    assert store.published_announcements("one").labels == set()
    store.mark_announced("one", "a", {"appName": "web"}, NOW)
    store.link_request_to_job("one", job, NOW)
    store.mark_announced("one", "b", {"appName": "renamed"}, NOW)
    assert store.published_announcements("one").labels == {"a", "b"}
    assert store.published_announcements("one").names == {"appName": "web"}
    assert store.job_of_request("one") == job


def test_a_busy_branch_is_told_by_the_lease_of_another(store: JobsTable) -> None:
    store.acquire_lease(BRANCH, OTHER, Lease())
    with pytest.raises(BranchBusy, match="two"):
        OnceStarter(Amplify().requested_by("one"), store, lambda: NOW).start(
            BranchStart("one", "start_job", BRANCH, PARAMETERS)
        )


def test_one_request_of_several_claims_a_job(store: JobsTable) -> None:
    job, ref = Job(operation="follow_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7"), JobRef(BRANCH, "7")
    store.record_status_change(ref, NOW)
    assert store.owner(ref) is None
    requests = [f"follow-{number}" for number in range(8)]
    with ThreadPoolExecutor() as pool:
        claims = list(pool.map(lambda request_id: store.claim_job(REGION, request_id, job, NOW), requests))
    assert sum(claims) == 1
    owner = requests[claims.index(True)]
    assert store.owner(ref) == Owner(owner)
    # A repeat is the same claim, and the change that was counted before it is kept.
    assert store.claim_job(REGION, owner, job, NOW)
    assert store.record_poll(record_key(job.app_id, "main", "7"), NOW).changes == 1
    assert store.followed_jobs(REGION, job.app_id) == [ref]
    for predecessor in (None, owner):
        assert not store.claim_job_anew(REGION, "web-2", job, NOW, predecessor)


def test_a_job_of_a_branch_that_was_made_again_begins_a_new_record(store: JobsTable) -> None:
    job, ref = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="1"), JobRef(BRANCH, "1")
    later = NOW + timedelta(days=1)
    store.claim_job(REGION, "web-1", job, NOW)
    key = record_key(job.app_id, "main", "1")
    store.record_poll(key, NOW)
    store.record_state(key, JobState(job=job, state=State.SUCCEEDED, finished_at=NOW), NOW, NOW)
    assert store.owner(ref) == Owner("web-1", NOW)
    assert not store.claim_job(REGION, "web-2", job, later)
    assert not store.claim_job_anew(REGION, "web-2", job, later, "web-0")
    assert store.claim_job_anew(REGION, "web-2", job, later, "web-1")
    assert store.owner(ref) == Owner("web-2")
    record = store.record_poll(key, later)
    assert (record.polls, record.state, record.left_queue_at, record.request_id) == (1, None, None, "web-2")


def test_a_lease_keeps_the_highest_id_of_a_job_while_it_is_free(store: JobsTable) -> None:
    assert store.raise_highest_job_id(BRANCH, Lease(), 7, NOW)
    assert store.lease(BRANCH) == Lease(None, 7, NOW)
    assert store.raise_highest_job_id(BRANCH, Lease(None, 7, NOW), 3, NOW)
    assert not store.raise_highest_job_id(BRANCH, Lease(), 9, NOW)
    assert store.acquire_lease(BRANCH, Attempt("web-1", NOW, 7, "RELEASE", None), Lease(None, 7))
    assert not store.raise_highest_job_id(BRANCH, Lease(None, 7), 9, NOW)
    assert store.lease(BRANCH).highest_job_id == 7


def test_a_lease_forgets_the_highest_id_once_lists_show_every_job(store: JobsTable) -> None:
    assert store.raise_highest_job_id(BRANCH, Lease(), 7, NOW)
    later = NOW + RESOLVED_AFTER
    assert store.raise_highest_job_id(BRANCH, store.lease(BRANCH), 1, later)
    assert store.lease(BRANCH) == Lease(None, 1, later)
