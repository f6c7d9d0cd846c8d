"""start_job against Amplify's wire protocol and moto: one request becomes one job, whatever goes wrong."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.errors import BranchBusy, RequestRejected, ServiceTrouble, StartUnresolved, Throttled, TryAgain
from amplify_jobs.jobs import branch_key
from local.http_server import DropConnectionError
from tests.functions.stack import REGION, Context, Function, Stack, execution_of, job_request, serving


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as made:
        yield made


@pytest.fixture
def start_job(stack: Stack) -> Iterator[Function]:
    yield stack.function("start_job")
    stack.faults.clear()
    stack.amplify.answers.clear()
    stack.amplify.when_asked_to_start = stack.amplify.when_started = lambda: None


def payload(request: dict[str, Any]) -> dict[str, Any]:
    """What the state machine sends."""
    return {"request": request, "execution": execution_of(request)}


def until_started(start_job: Function, request: dict[str, Any], stack: Stack) -> dict[str, Any]:
    """Do what the state machine does: try again, for as long as it takes."""
    while True:
        try:
            return start_job(payload(request))
        except TryAgain:
            age_lease(stack, request, timedelta(seconds=20))
            time.sleep(0.05)


def age_lease(stack: Stack, request: dict[str, Any], by: timedelta) -> None:
    """Let time pass for the lease of the request's branch."""
    key = {"pk": branch(request), "sk": "attempt"}
    sent_at = stack.item(**key).get("sentAt")
    if sent_at is not None:
        stack.client("dynamodb").update_item(
            TableName="jobs",
            Key={name: {"S": value} for name, value in key.items()},
            UpdateExpression="SET sentAt = :sent",
            ExpressionAttributeValues={":sent": {"S": (datetime.fromisoformat(sent_at) - by).isoformat()}},
        )


def branch(request: dict[str, Any]) -> str:
    given = request["parameters"]
    return branch_key(REGION, given["appId"], given["branchName"])


def jobs(stack: Stack, request: dict[str, Any]) -> list[dict[str, Any]]:
    given = request["parameters"]
    return [job["summary"] for job in stack.amplify.jobs[given["appId"], given["branchName"]]]


# ---------------------------------------------------------------- what works


def test_a_request_becomes_a_job(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app("feature/header"), branch_name="feature/header")
    request["parameters"]["commitTime"] = "2026-03-01T12:00:00Z"
    request["parameters"]["jobReason"] = "amplify-jobs"
    answer = start_job(payload(request))
    assert answer["job"]["job"] == {
        "operation": "start_job",
        "appId": request["parameters"]["appId"],
        "branchName": "feature/header",
        "jobId": "1",
        "jobType": "RELEASE",
    }
    assert answer["job"]["state"] == "WAITING"
    assert answer["finished"] is False
    assert answer["waitSeconds"] >= 1
    assert answer["key"] == {"pk": branch(request), "sk": "job#0000000001"}
    sent = {**request["parameters"], "commitTime": datetime(2026, 3, 1, 12, tzinfo=UTC)}
    assert stack.amplify.started(request["parameters"]["appId"]) == [sent]
    record = stack.item(**answer["key"])
    assert record["requestId"] == request["requestId"]
    assert record["expiresAt"] > time.time()
    assert start_job.metrics == {"StartsTried": 1, "JobsStarted": 1}


def test_a_repeat_is_answered_with_the_job_that_is_there(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    first = start_job(payload(request))
    again = start_job(payload(request))
    assert again["job"]["job"] == first["job"]["job"]
    assert len(jobs(stack, request)) == 1


def test_a_repeat_needs_no_idempotency_record(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    start_job(payload(request))
    dynamodb = stack.client("dynamodb")
    for item in dynamodb.scan(TableName="idempotency")["Items"]:
        dynamodb.delete_item(TableName="idempotency", Key={"id": item["id"]})
    assert start_job(payload(request))["job"]["job"]["jobId"] == "1"
    assert len(jobs(stack, request)) == 1


def test_two_requests_become_two_jobs(stack: Stack, start_job: Function) -> None:
    app_id = stack.amplify.new_app()
    started = [start_job(payload(job_request(app_id)))["job"]["job"]["jobId"] for _ in range(2)]
    assert started == ["1", "2"]


def test_a_start_tells_the_machine_that_it_has_not_seen_any_change(stack: Stack, start_job: Function) -> None:
    """The event may come before the record: the machine must ask then, not wait for an event that was."""
    request = job_request(stack.amplify.new_app())
    stack.client("dynamodb").put_item(
        TableName="jobs", Item={"pk": {"S": branch(request)}, "sk": {"S": "job#0000000001"}, "changes": {"N": "1"}}
    )
    answer = start_job(payload(request))
    assert answer["seen"] == "0"
    assert stack.item(**answer["key"])["changes"] == 1


# ---------------------------------------------------------------- what goes wrong on the way


def test_a_lost_answer_is_found_again(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    stack.faults.order({"service": "amplify", "operation": "StartJob", "fault": "lose-answer"})
    with pytest.raises(StartUnresolved):
        start_job(payload(request))
    assert len(jobs(stack, request)) == 1
    assert start_job(payload(request))["job"]["job"]["jobId"] == "1"
    assert len(stack.amplify.started(request["parameters"]["appId"])) == 1


def test_a_start_that_did_not_arrive_is_sent_again_after_a_minute(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    stack.faults.order(
        {"service": "amplify", "operation": "StartJob", "fault": "refuse", "code": "InternalFailureException",
         "message": "internal", "status": 500}
    )  # fmt: skip
    for _ in range(2):
        with pytest.raises(StartUnresolved):
            start_job(payload(request))
    age_lease(stack, request, timedelta(minutes=1))
    assert start_job(payload(request))["job"]["job"]["jobId"] == "1"


@pytest.mark.parametrize(
    "answer", [{}, [], "nonsense", {"jobSummary": {}}, {"jobSummary": {"jobId": 4}}, {"jobSummary": []}]
)
def test_an_answer_without_a_job_is_unresolved(stack: Stack, start_job: Function, answer: Any) -> None:
    request = job_request(stack.amplify.new_app())
    stack.amplify.answers["StartJob"] = answer
    with pytest.raises(StartUnresolved):
        start_job(payload(request))


def test_a_process_killed_before_its_start_arrives(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())

    def kill() -> None:
        process.kill()
        process.wait()
        raise DropConnectionError

    stack.amplify.when_asked_to_start = kill
    process = stack.in_process_of_its_own("start_job", payload(request))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    stack.amplify.when_asked_to_start = lambda: None
    assert until_started(start_job, request, stack)["job"]["job"]["jobId"] == "1"
    assert len(jobs(stack, request)) == 1


def test_a_process_killed_between_the_start_and_the_record(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    stack.amplify.when_started = lambda: process.send_signal(signal.SIGKILL)
    process = stack.in_process_of_its_own("start_job", payload(request))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    stack.amplify.when_started = lambda: None
    assert len(jobs(stack, request)) == 1
    answer = until_started(start_job, request, stack)
    assert answer["job"]["job"]["jobId"] == "1"
    assert len(jobs(stack, request)) == 1
    assert stack.item(**answer["key"])["requestId"] == request["requestId"]


def test_while_an_earlier_try_runs_the_machine_is_told_to_come_back(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    met: list[Exception] = []

    def try_too() -> None:
        try:
            start_job(payload(request))
        except StartUnresolved as error:
            met.append(error)

    stack.amplify.when_started = try_too
    process = stack.in_process_of_its_own("start_job", payload(request), milliseconds=20_000)
    said, _ = process.communicate()
    assert json.loads(said)["job"]["job"]["jobId"] == "1"
    assert len(met) == 1


def test_two_requests_at_once_for_one_branch(stack: Stack, start_job: Function) -> None:
    app_id = stack.amplify.new_app()
    requests = [job_request(app_id) for _ in range(2)]
    stack.faults.order({"service": "amplify", "operation": "StartJob", "fault": "delay", "seconds": 0.5, "times": 2})
    processes = [stack.in_process_of_its_own("start_job", payload(request)) for request in requests]
    said = [json.loads(process.communicate()[0]) for process in processes]
    assert any("job" in answer for answer in said)
    assert {answer.get("errorType", "BranchBusy") for answer in said} == {"BranchBusy"}
    finally_started = [until_started(start_job, request, stack)["job"]["job"]["jobId"] for request in requests]
    assert sorted(finally_started) == ["1", "2"]
    assert len(jobs(stack, requests[0])) == 2


# ---------------------------------------------------------------- what is refused


def refusal(code: str, message: str = "no", status: int = 400, times: int = 1) -> dict[str, Any]:
    return {"fault": "refuse", "code": code, "message": message, "status": status, "times": times}


THROTTLED_BY_TEXT = "Rate exceeded while calling StartJob, please slow down or try again later."
BUSY = (
    "The last job(deployment) 64 was not finished, please wait until it finish or use StopJob operation to cancel it."
)


@pytest.mark.parametrize(
    ("operation", "fault", "error"),
    [
        ("StartJob", {"fault": "throttle"}, Throttled),
        ("StartJob", refusal("LimitExceededException", status=429), Throttled),
        ("StartJob", refusal("BadRequestException", THROTTLED_BY_TEXT), Throttled),
        ("StartJob", refusal("BadRequestException", BUSY), BranchBusy),
        ("StartJob", refusal("UnauthorizedException", status=401), RequestRejected),
        ("StartJob", refusal("AccessDeniedException", status=403), RequestRejected),
        ("StartJob", refusal("BadRequestException", "The requested jobType MANUAL does not support."), RequestRejected),
        ("ListJobs", {"fault": "throttle", "times": 9}, Throttled),
        ("ListJobs", refusal("InternalFailureException", status=500, times=9), ServiceTrouble),
        ("ListJobs", {"fault": "lose-answer", "times": 9}, ServiceTrouble),
    ],
)
def test_refusals(
    stack: Stack, start_job: Function, operation: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    request = job_request(stack.amplify.new_app())
    stack.faults.order({"service": "amplify", "operation": operation, **fault})
    with pytest.raises(error, match=operation):
        start_job(payload(request))
    assert start_job.metrics == {"StartsTried": 1, "StartsNotMade": 1}
    assert jobs(stack, request) == []
    stack.faults.clear()
    # What was refused holds no lease: the branch is free, and the request can become a job at once.
    assert start_job(payload(request))["job"]["job"]["jobId"] == "1"


@pytest.mark.parametrize("missing", ["app", "branch"])
def test_an_unknown_app_or_branch_is_rejected(stack: Stack, start_job: Function, missing: str) -> None:
    app_id = "dunknown" if missing == "app" else stack.amplify.new_app("other")
    with pytest.raises(RequestRejected, match=r"not found \(check appId and branchName in routes.yaml\)"):
        start_job(payload(job_request(app_id)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parameters": {"appId": "nope", "branchName": "main", "jobType": "RELEASE"}}, r"parameters\.appId"),
        ({"parameters": {"appId": "d1", "branchName": "main", "jobType": "RETRY"}}, "jobId is required"),
        ({"parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE", "x": 1}}, r"parameters\.x"),
        ({"operation": "start_deployment"}, "operation: 'start_deployment' is not known; use one of start_job"),
        ({"timeoutMinutes": 0}, "timeoutMinutes"),
        ({"receivedAt": "2026-03-01T12:00:00"}, "receivedAt"),
        ({"version": "2"}, "version"),
    ],
)
def test_a_request_that_cannot_succeed_is_rejected_before_anything_is_sent(
    stack: Stack, start_job: Function, change: dict[str, Any], said: str
) -> None:
    before = len(stack.amplify.calls)
    with pytest.raises(RequestRejected, match=said):
        start_job(payload(job_request("d1a2b3c4d5e6", **change)))
    assert len(stack.amplify.calls) == before
    assert start_job.metrics == {"StartsTried": 1, "StartsNotMade": 1}
    assert [line["message"] for line in start_job.logs] == ["Not started"]


def test_a_branch_that_stays_busy_is_rejected_when_the_time_to_start_runs_out(
    stack: Stack, start_job: Function
) -> None:
    long_ago = (datetime.now(UTC) - timedelta(minutes=11)).isoformat()
    request = job_request(stack.amplify.new_app(), receivedAt=long_ago, startWithinMinutes=10)
    stack.faults.order({"service": "amplify", "operation": "StartJob", "fault": "throttle"})
    with pytest.raises(RequestRejected, match=r"within 10 minutes \(startWithinMinutes\).*StartJob"):
        start_job(payload(request))


@pytest.mark.parametrize("operation", ["PutItem", "GetItem", "UpdateItem", "Query"])
def test_trouble_with_dynamodb_is_named_and_nothing_is_started_twice(
    stack: Stack, start_job: Function, operation: str
) -> None:
    request = job_request(stack.amplify.new_app())
    stack.faults.order(
        {"service": "dynamodb", "operation": operation, "fault": "refuse", "code": "InternalServerError",
         "message": "internal", "status": 500, "times": 3}
    )  # fmt: skip
    with pytest.raises(ServiceTrouble, match="DynamoDB"):
        start_job(payload(request))
    stack.faults.clear()
    until_started(start_job, request, stack)
    assert len(jobs(stack, request)) == 1


def test_clients_give_up_before_the_function_is_killed(start_job: Function) -> None:
    function_seconds = 30
    module = start_job.module
    sending = module.amplify._sending.meta.config
    assert sending.retries["total_max_attempts"] == 1
    assert sending.connect_timeout + sending.read_timeout < function_seconds
    for client in (module.amplify._asking, module.store._table.meta.client, module.answered_starts.client):
        config = client.meta.config
        assert (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"] < function_seconds


# ---------------------------------------------------------------- what is logged


def test_every_line_says_which_request_it_is_about(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    start_job(payload(request))
    keys = {
        "request_id": request["requestId"],
        "delivery_id": request["cause"]["deliveryId"],
        "app_id": request["parameters"]["appId"],
        "branch_name": "main",
    }
    assert start_job.logs
    for line in start_job.logs:
        assert line.items() >= keys.items()
    assert start_job.logs[-1]["job_id"] == "1"
    stack.faults.order({"service": "amplify", "operation": "StartJob", "fault": "throttle"})
    other = job_request(request["parameters"]["appId"])
    with pytest.raises(Throttled):
        start_job(payload(other), Context())
    for line in start_job.logs:
        assert line["request_id"] == other["requestId"]
        assert "job_id" not in line
