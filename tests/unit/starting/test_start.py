"""Start: what is prepared, run and recorded for the state machine, and when a request is not tried any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.errors import (
    BranchBusy,
    RequestRejected,
    RetryableError,
    ServiceTrouble,
    StartUnresolved,
    Throttled,
    UnknownResourceError,
)
from amplify_jobs.model.job import Job, JobState, State
from amplify_jobs.model.mirror_order import MirrorOrder
from amplify_jobs.model.operations import OPERATIONS
from amplify_jobs.model.parameters import JobType, StartJobParameters
from amplify_jobs.starting.start import Start, StartRequest
from tests.support.starting import NOON, HostingInMemory, Surroundings, make_request

PARAMETERS = {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}
MINUTE = timedelta(minutes=1)


def start_request(attempt: int | None = None, **members: Any) -> StartRequest:
    """What the state machine sends; with an attempt, for a job that failed at one o'clock."""
    request = make_request("web-1", **{"operation": "start_job", "parameters": PARAMETERS, **members})
    if attempt is None:
        return StartRequest(request=request)
    job = Job(operation="start_job", app_id="d1", branch_name="main", job_id="7")
    failed = JobState(job=job, state=State.FAILED, finished_at=NOON + 60 * MINUTE)
    return StartRequest(request=request, failed=failed, failed_attempt=attempt)


def start(surroundings: Surroundings, hosting: HostingInMemory) -> Start:
    return Start(dict.fromkeys(OPERATIONS, hosting), surroundings.resources())


def test_each_start_of_a_request_has_an_id_of_its_own() -> None:
    requests = [start_request(), start_request(attempt=1), start_request(attempt=2)]
    assert [request.start_id for request in requests] == ["web-1", "web-1#2", "web-1#3"]
    assert [request.attempt for request in requests] == [1, 2, 3]


def test_the_state_machines_payload_is_read() -> None:
    request = make_request("web-1", "start_job", PARAMETERS).model_dump(mode="json", by_alias=True)
    job = {"operation": "start_job", "appId": "d1", "branchName": "main", "jobId": "7"}
    first = StartRequest.model_validate({"request": request, "execution": "arn"})
    again = {"request": request, "execution": "arn", "failed": {"job": job, "state": "FAILED"}, "attempt": 1}
    assert (first.attempt, StartRequest.model_validate(again).attempt) == (1, 2)


@pytest.mark.parametrize(
    ("attempt", "begin"),
    [(None, NOON), (1, NOON + 60 * MINUTE)],
    ids=["from its receipt", "from the end of the job that failed"],
)
@pytest.mark.parametrize(
    ("error", "minutes", "message"),
    [
        (Throttled("StartJob: slow down"), 29, None),
        (Throttled("StartJob: slow down"), 30, r"^Not started within 30 minutes \(startWithinMinutes\)\. Last: StartJ"),
        (BranchBusy("busy"), 30, "Last: busy"),
        # The job of a start whose answer was lost is searched for a while longer.
        (StartUnresolved("lost"), 39, None),
        (StartUnresolved("lost"), 40, "It is not known whether a job was started. Last: lost"),
        (ServiceTrouble("no answer"), 39, None),
        (ServiceTrouble("no answer"), 40, r"\(startWithinMinutes\)\. Last: no answer"),
    ],
)
def test_a_request_is_tried_until_its_time_to_start_runs_out(
    error: RetryableError, minutes: int, message: str | None, *, attempt: int | None, begin: datetime
) -> None:
    request = start_request(attempt, start_within_minutes=30)
    if message is None:
        assert request.rejection_if_late(error, begin + minutes * MINUTE) is None
        return
    rejection = request.rejection_if_late(error, begin + minutes * MINUTE)
    assert type(rejection) is RequestRejected
    with pytest.raises(RequestRejected, match=message):
        raise rejection


def test_a_job_that_failed_without_an_end_began_its_time_with_its_start() -> None:
    failed = start_request(attempt=1).failed
    assert failed is not None
    state = failed.model_copy(update={"started_at": NOON + 5 * MINUTE, "finished_at": None})
    request = start_request(attempt=1, start_within_minutes=30).model_copy(update={"failed": state})
    assert request.start_by == NOON + 35 * MINUTE


def test_parameters_are_validated() -> None:
    command = start(Surroundings(), HostingInMemory()).prepare(start_request())
    assert command.start_id == "web-1"
    assert command.parameters == StartJobParameters.model_validate(PARAMETERS)


def test_parameters_that_were_too_large_for_the_request_are_added() -> None:
    surroundings = Surroundings()
    surroundings.objects["s3://bucket/requests/web-1.json"] = {"jobType": "RELEASE", "branchName": "other"}
    request = start_request(
        parameters={"appId": "d1", "branchName": "main"}, parameters_uri="s3://bucket/requests/web-1.json"
    )
    command = start(surroundings, HostingInMemory()).prepare(request)
    # What is in the request itself counts.
    assert command.parameters == StartJobParameters.model_validate(PARAMETERS)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"parameters": {**PARAMETERS, "appId": "nope"}}, r"^parameters\.appId: "),
        ({"operation": "deploy"}, "^operation: 'deploy' is not known; use one of start_job, "),
        ({"fault": "the route is wrong"}, "^the route is wrong$"),
    ],
)
def test_a_request_that_cannot_succeed_is_rejected(members: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestRejected, match=message):
        start(Surroundings(), HostingInMemory()).prepare(start_request(**members))


def test_a_failed_job_is_retried_by_its_id() -> None:
    command = start(Surroundings(), HostingInMemory()).prepare(start_request(attempt=1))
    assert command.start_id == "web-1#2"
    assert command.parameters == StartJobParameters(app_id="d1", branch_name="main", job_type=JobType.RETRY, job_id="7")


@pytest.mark.parametrize(("route", "place"), [("web", "route web of routes.yaml"), (None, "the request")])
def test_an_unknown_resource_is_rejected_with_the_place_that_names_it(route: str | None, place: str) -> None:
    def refuse() -> None:
        raise UnknownResourceError("Branch main not found.", ["branchName"])

    surroundings, hosting = Surroundings(), HostingInMemory(before_send=refuse)
    starts = start(surroundings, hosting)
    with pytest.raises(RequestRejected, match=rf"^Branch main not found\. \(check branchName in {place}\)$") as error:
        starts.run(starts.prepare(start_request(route=route)))
    # The state machine goes by the name of the error's class.
    assert type(error.value) is RequestRejected


def test_a_job_is_started_once_and_recorded() -> None:
    surroundings, hosting = Surroundings(), HostingInMemory()
    starts, request = start(surroundings, hosting), start_request()
    jobs = [starts.run(starts.prepare(request)) for _ in range(2)]
    assert jobs[0] == jobs[1]
    assert len(hosting.sent) == 1
    assert starts.record(request, jobs[0]) == {"pk": "eu-west-1", "sk": "1"}
    assert surroundings.jobs.started == [("web-1", jobs[0])]


def test_the_request_of_a_retry_names_the_newest_job() -> None:
    surroundings, hosting = Surroundings(), HostingInMemory()
    starts = start(surroundings, hosting)
    for request in (start_request(), start_request(attempt=1)):
        job = starts.run(starts.prepare(request))
        starts.record(request, job)
    # What announces an execution that fails names the job that may still be running.
    assert surroundings.jobs.jobs["web-1"].job_id == "2"


def test_what_the_mirror_warns_of_is_told_of_a_job_and_of_its_retry() -> None:
    hosting = HostingInMemory()
    starts = start(Surroundings(), hosting)
    order = {"source": "gitea", "repository": "acme/web", "ref": "refs/heads/main", "branch": "main"}
    mirror = MirrorOrder.model_validate({**order, "result": {"warnings": ["large files stay behind"]}})
    first = starts.run(starts.prepare(start_request(mirror=mirror)))
    assert first.warnings == ("large files stay behind",)
    # The state machine gives a retry the request as it came, without the mirror's result.
    again = start_request(attempt=1)
    failed = JobState(
        job=first.model_copy(update={"warnings": (*first.warnings, "unknown directive")}), state=State.FAILED
    )
    retry = starts.run(starts.prepare(again.model_copy(update={"failed": failed})))
    assert retry.warnings == ("large files stay behind", "unknown directive")
