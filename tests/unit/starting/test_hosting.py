"""Which jobs of Amplify Hosting a request stops before it starts its own, and when it gives way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.errors import RequestRejected, Superseded
from amplify_jobs.model.job import BranchRef, Job, JobRef
from amplify_jobs.model.parameters import StartJobParameters
from amplify_jobs.model.request import Cause
from amplify_jobs.starting.hosting import HostingStarter
from tests.support.starting import NOON, REGION, HostingInMemory, Surroundings, make_request

MAIN = BranchRef(REGION, "d1", "main")


class Branches:
    """Amplify Hosting and the jobs table, with a starter that uses them."""

    def __init__(self) -> None:
        self.surroundings = Surroundings()
        self.jobs = self.surroundings.jobs
        self.hosting = HostingInMemory()
        self.starter = HostingStarter(self.hosting, self.surroundings.resources())

    def start(self, request_id: str, minute: int, *, app_id: str = "d1", branch: str = "main", **members: Any) -> Job:
        """Start a job for an event at a minute after noon; it supersedes older ones if nothing else is said."""
        parameters = {"appId": app_id, "branchName": branch, "jobType": "RELEASE"}
        members = {"event_time": at(minute), "supersede": True, **members}
        request = make_request(request_id, "start_job", parameters, **members)
        return self.starter.start(request_id, request, StartJobParameters.model_validate(parameters))


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


@pytest.fixture
def branches() -> Branches:
    return Branches()


def test_a_newer_event_stops_the_job_of_an_older_one(branches: Branches) -> None:
    branches.start("older", 1)
    job = branches.start("newer", 2)
    assert job == Job(operation="start_job", app_id="d1", branch_name="main", job_id="2", job_type="RELEASE")
    assert branches.hosting.stopped == ["1"]
    assert branches.jobs.superseded == {"older": "newer"}
    # Its execution is woken, as if an event had told of the end.
    assert branches.jobs.changed == [JobRef(MAIN, "1")]
    assert branches.surroundings.woken == ["token of 1"]
    latest = branches.jobs.latest[MAIN, "push"]
    assert (latest.request.request_id, latest.job_id, latest.to_stop) == ("newer", "2", ())


def test_a_late_delivery_of_an_older_event_starts_and_stops_nothing(branches: Branches) -> None:
    branches.start("newer", 2)
    with pytest.raises(Superseded, match="Superseded by request newer"):
        branches.start("older", 1)
    assert (len(branches.hosting.sent), branches.hosting.stopped) == (1, [])
    assert branches.jobs.superseded == {"older": "newer"}


def test_without_the_time_of_an_event_the_time_of_its_receipt_counts(branches: Branches) -> None:
    branches.start("newer", 0, event_time=None, received_at=at(2))
    with pytest.raises(Superseded):
        branches.start("older", 0, event_time=None, received_at=at(1))


@pytest.mark.parametrize(
    "difference",
    [
        {"cause": Cause(source="schedule", kind="schedule")},
        {"branch": "next"},
        {"app_id": "d2"},
        {"supersede": False},
    ],
    ids=["kind", "branch", "app", "not requested"],
)
def test_a_job_of_another_kind_branch_or_app_is_left_alone(branches: Branches, difference: dict[str, Any]) -> None:
    branches.start("older", 1)
    branches.start("newer", 2, **difference)
    assert branches.hosting.stopped == []
    assert len(branches.hosting.sent) == 2


def test_a_job_that_was_seen_at_its_end_is_not_stopped(branches: Branches) -> None:
    branches.start("older", 1)
    branches.jobs.ended.add(JobRef(MAIN, "1"))
    branches.start("newer", 2)
    assert branches.hosting.stopped == []
    assert branches.jobs.changed == []


def test_a_job_that_ended_unseen_does_not_keep_a_newer_one_from_starting(branches: Branches) -> None:
    branches.start("older", 1)
    branches.hosting.ended.add("1")
    assert branches.start("newer", 2).job_id == "2"


def test_a_start_under_way_when_a_newer_event_comes_is_stopped_and_returned(branches: Branches) -> None:
    def come() -> None:
        branches.hosting.before_send = lambda: None
        latest = branches.jobs.latest[MAIN, "push"]
        newer = latest.request.__class__("newer", at(2), NOON)
        branches.jobs.latest[MAIN, "push"] = latest.__class__(newer, version=latest.version + 1)

    branches.hosting.before_send = come
    assert branches.start("older", 1).job_id == "1"
    assert branches.hosting.stopped == ["1"]
    assert branches.jobs.superseded == {"older": "newer"}


def test_the_job_of_a_retry_is_the_one_that_a_newer_event_stops(branches: Branches) -> None:
    branches.start("older", 1)
    parameters = {"appId": "d1", "branchName": "main", "jobType": "RETRY", "jobId": "1"}
    request = make_request("older", "start_job", parameters, event_time=at(1), supersede=True)
    branches.starter.start("older#2", request, StartJobParameters.model_validate(parameters))
    branches.start("newer", 2)
    assert branches.hosting.stopped == ["2"]


def test_a_refused_start_holds_no_lease(branches: Branches) -> None:
    def refuse() -> None:
        raise RequestRejected("no")

    branches.hosting.before_send = refuse
    with pytest.raises(RequestRejected):
        branches.start("first", 1)
    assert branches.jobs.lease(MAIN).attempt is None
