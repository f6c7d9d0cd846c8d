"""Which jobs an event ends, and who is woken: Amplify's own events, and CloudTrail's of calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser import parse
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import InvalidEventError
from amplify_jobs.following.ending_calls import DETAIL_TYPE, EndingCallEvent
from amplify_jobs.following.status_change import StatusChangeEvent
from amplify_jobs.following.wake import Waker, event_model
from amplify_jobs.model.job import BranchRef, JobRef
from amplify_jobs.model.validation import invalid_input_is

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REGION = "eu-west-1"
TIME = "2026-03-01T12:00:00Z"
DETAIL = {"appId": "dabcde12345678", "branchName": "master", "jobId": "4", "jobStatus": "SUCCEED"}
JOB = JobRef(BranchRef(REGION, "dabcde12345678", "master"), "4")


def read(event: dict[str, Any]) -> StatusChangeEvent | EndingCallEvent:
    """Read an event as the handler does."""
    with invalid_input_is(InvalidEventError):
        return parse(event=event, model=event_model(event))


def status_change(**detail: Any) -> dict[str, Any]:
    return {"region": REGION, "time": TIME, "detail": {**DETAIL, **detail}}


def api_call(**parameters: Any) -> dict[str, Any]:
    return {"detail-type": DETAIL_TYPE, "region": REGION, "detail": {"requestParameters": parameters}}


@dataclass
class World:
    """The jobs table and the waiting tasks; `log` has every call in order."""

    token: str | None = "token"
    waits: bool = True
    log: list[tuple[object, ...]] = field(default_factory=list)

    def followed_jobs(
        self, region: str, app_id: str, branch_names: Collection[str] = (), job_id: str | None = None
    ) -> list[JobRef]:
        self.log.append(("followed_jobs", region, app_id, branch_names, job_id))
        return [JOB]

    def record_status_change(self, job: JobRef, now: datetime) -> str | None:
        self.log.append(("record_status_change", job, now))
        return self.token

    def wake(self, token: str) -> bool:
        self.log.append(("wake", token))
        return self.waits


def waker(world: World) -> Waker:
    return Waker(world, world, lambda: NOW)


@pytest.mark.parametrize("more", [{}, {"jobStep": "BUILD"}, {"jobStatus": "STARTED"}])
def test_events_as_captured(more: dict[str, str]) -> None:
    event = read(status_change(**more))
    assert isinstance(event, StatusChangeEvent)
    assert event.log_keys() == {"app_id": "dabcde12345678", "branch_name": "master", "job_id": "4"}
    assert event.detail.job_status == more.get("jobStatus", "SUCCEED")


@pytest.mark.parametrize("status", ["SUCCEED", "FAILED", "CANCELLED"])
def test_an_event_of_the_end_is_of_the_job_that_it_names(status: str) -> None:
    world = World()
    assert waker(world).ended_jobs(read(status_change(jobStatus=status))) == [JOB]
    assert world.log == []


@pytest.mark.parametrize("status", ["STARTED", "RUNNING", "PENDING", "CANCELLING", "SOMETHING_NEW"])
def test_a_status_that_is_not_the_end_ends_no_job(status: str) -> None:
    assert waker(World()).ended_jobs(read(status_change(jobStatus=status))) == []


@pytest.mark.parametrize(
    ("parameters", "branch_names", "job_id"),
    [
        ({"branchName": "main", "jobId": "2"}, ("main",), "2"),
        # CloudTrail may record a parameter of the path as it was sent.
        ({"branchName": "feature%2Fx", "jobId": "2"}, ("feature%2Fx", "feature/x"), "2"),
        ({"branchName": "feature/x"}, ("feature/x",), None),
        ({}, (), None),
    ],
)
def test_a_call_ends_the_followed_jobs_that_its_parameters_name(
    parameters: dict[str, str], branch_names: tuple[str, ...], job_id: str | None
) -> None:
    world = World()
    event = read(api_call(appId="dabc", **parameters))
    assert event.log_keys() == {"app_id": "dabc", "branch_name": parameters.get("branchName"), "job_id": job_id}
    assert waker(world).ended_jobs(event) == [JOB]
    assert world.log == [("followed_jobs", REGION, "dabc", branch_names, job_id)]


@pytest.mark.parametrize(
    ("token", "waits", "woke"), [("token", True, True), ("token", False, False), (None, True, False)]
)
def test_an_end_is_counted_before_its_execution_is_woken(token: str | None, waits: bool, woke: bool) -> None:
    world = World(token, waits)
    assert waker(world).wake(JOB) is woke
    calls = [("record_status_change", JOB, NOW), ("wake", token)]
    assert world.log == (calls if token else calls[:1])


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ({"appId": "Dabc"}, r"detail\.appId"),
        ({"jobId": "four"}, r"detail\.jobId"),
        ({"jobId": 4}, r"detail\.jobId"),
        ({"branchName": ""}, r"detail\.branchName"),
        ({"jobStatus": None}, r"detail\.jobStatus"),
    ],
)
def test_a_fault_is_named_by_its_path(detail: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEventError, match=message):
        read(status_change(**detail))


def test_every_fault_is_named() -> None:
    event = {"detail": {"appId": "", "branchName": "master", "jobId": "x"}, "region": REGION, "time": TIME}
    with pytest.raises(InvalidEventError, match=r"^detail\.appId: .*; detail\.jobId: .*; detail\.jobStatus: "):
        read(event)


@pytest.mark.parametrize("parameters", [{}, {"appId": "Dabc"}, {"appId": "dabc", "jobId": "four"}])
def test_a_call_of_another_form_is_named_by_its_parameters(parameters: dict[str, str]) -> None:
    with pytest.raises(InvalidEventError, match=r"detail\.requestParameters"):
        read(api_call(**parameters))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*DETAIL, "x"]), inner),
    max_leaves=6,
)


@given(st.fixed_dictionaries({"region": st.just(REGION), "time": st.just(TIME)}, optional={"detail": anything}))
def test_any_event_is_read_or_its_faults_are_named(event: dict[str, Any]) -> None:
    message = "detail"
    try:
        change = read(event)
    except InvalidEventError as error:
        message = str(error)
    else:
        assert StatusChangeEvent.model_validate(event) == change
    assert message.startswith("detail")
