"""Stops by the API: of a job that runs, of a request that waits, and of what can't be stopped."""

from __future__ import annotations

from typing import Any, cast

import pytest

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.errors import ConflictError, RequestRejected
from amplify_jobs.indexing.record import RequestRecord
from amplify_jobs.model.job import Job, JobRef
from amplify_jobs.steering.orders import Orders
from tests.support.announced import JOB, REQUESTED
from tests.support.api_examples import record, rejected
from tests.support.starting import HostingInMemory, JobsInMemory

STARTED = Job(operation="start_job", app_id=JOB.app_id, branch_name="main", job_id="17")
RETRIED = STARTED.model_copy(update={"job_id": "18"})


def waiting(operation: str = "start_job") -> RequestRecord:
    waiting_record = record(None)
    assert waiting_record.request is not None
    request = waiting_record.request.model_copy(update={"operation": operation})
    return waiting_record.model_copy(update={"started": None, "request": request})


def generating() -> RequestRecord:
    """A request whose job has no branch, and runs."""
    waiting_record = record(None)
    assert waiting_record.started is not None
    job = JOB.model_copy(update={"operation": "start_codegen_job", "branch_name": None})
    detail = waiting_record.started.detail.model_copy(update={"job": job})
    news = waiting_record.started.model_copy(update={"detail": detail})
    waiting_record = waiting("start_codegen_job")
    assert waiting_record.request is not None
    request = waiting_record.request.model_copy(
        update={"parameters": {"appId": JOB.app_id, "environmentName": "staging"}}
    )
    return waiting_record.model_copy(update={"started": news, "request": request})


class Stack:
    """Orders with one request in the index; `woken` are the jobs whose executions were woken."""

    def __init__(self, only_record: RequestRecord) -> None:
        self.known = only_record
        self.jobs = JobsInMemory()
        self.hosting = HostingInMemory()
        self.woken: list[JobRef] = []
        nothing = cast("Any", None)
        self.orders = Orders(
            reader=cast("Any", self),
            routes=nothing,
            intake=nothing,
            executions=nothing,
            hosting=self.hosting,
            stops=self.jobs,
            waker=self,
            region="eu-west-1",
            now=lambda: REQUESTED,
        )

    def record(self, _: str) -> RequestRecord:
        return self.known

    def wake(self, job: JobRef) -> bool:
        self.woken.append(job)
        return True


@pytest.mark.parametrize(
    ("request_record", "job", "stopped"),
    [
        (record(None), None, ["17"]),
        (record(None), STARTED, ["17"]),
        # The job that failed was started again, of which nothing is announced.
        (record(None), RETRIED, ["18"]),
        # The index is behind: the job was started a moment ago.
        (waiting(), STARTED, ["17"]),
        (waiting(), None, []),
        (waiting("start_deployment"), None, []),
    ],
)
def test_what_is_stopped(request_record: RequestRecord, job: Job | None, stopped: list[str]) -> None:
    stack = Stack(request_record)
    if job is not None:
        stack.jobs.jobs["web-1"] = job
    assert stack.orders.stop("web-1", "a mistake").request_id == "web-1"
    assert stack.hosting.stopped == stopped
    assert [each.job_id for each in stack.woken] == stopped
    assert stack.jobs.stops == {"web-1": "Stopped by the jobs API before a job was started. a mistake"}


@pytest.mark.parametrize(
    ("request_record", "reason"),
    [
        (record(Outcome.SUCCEEDED), "is FINISHED"),
        (rejected(), "is REJECTED"),
        (waiting("start_codegen_job"), "no API stops a job of start_codegen_job"),
        (waiting("follow_job"), "no API stops a job of follow_job"),
        (generating(), "no API stops a job of start_codegen_job"),
    ],
)
def test_what_can_not_be_stopped(request_record: RequestRecord, reason: str) -> None:
    stack = Stack(request_record)
    with pytest.raises(ConflictError, match=reason):
        stack.orders.stop("web-1", None)
    assert stack.jobs.stops == {}


def test_a_job_that_has_just_ended_is_not_started_again() -> None:
    stack = Stack(record(None))
    stack.hosting.ended = {"17"}
    with pytest.raises(ConflictError, match=r"BadRequestException\. It is not started again"):
        stack.orders.stop("web-1", None)
    assert stack.jobs.stops.keys() == {"web-1"}
    with pytest.raises(RequestRejected):
        stack.hosting.stop_job(STARTED)
