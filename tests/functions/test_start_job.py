"""start_job against Amplify's wire protocol and moto: one request becomes one job, whatever goes wrong."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.errors import (
    BranchBusy,
    RequestRejected,
    RetryableError,
    ServiceTrouble,
    StartUnresolved,
    Superseded,
    Throttled,
)
from tests.support.stack import REGION, REPOSITORY, Context, Function, Stack, execution_of, job_request, serving


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


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
            # An update that failed leaves Powertools' record in progress for the rest of the invocation's time.
            return start_job(payload(request), Context(milliseconds=1_000))
        except RetryableError:
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
    parameters = request["parameters"]
    return f"{REGION}#{parameters['appId']}#{parameters['branchName']}"


def jobs(stack: Stack, request: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = request["parameters"]
    return [job["summary"] for job in stack.amplify.jobs[parameters["appId"], parameters["branchName"]]]


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
        "environmentName": None,
        "jobId": "1",
        "jobType": "RELEASE",
        "warnings": [],
        "origin": None,
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


def test_an_idempotency_record_of_an_earlier_version_is_read(stack: Stack, start_job: Function) -> None:
    """Earlier versions stored the job with the names of JSON, under the same id."""
    request = job_request(stack.amplify.new_app())
    dynamodb = stack.client("dynamodb")
    digest = hashlib.md5(json.dumps(request["requestId"]).encode()).hexdigest()
    job = {"operation": "start_job", "appId": request["parameters"]["appId"], "branchName": "main",
           "environmentName": None, "jobId": "41", "jobType": "RELEASE", "warnings": []}  # fmt: skip
    dynamodb.put_item(
        TableName="idempotency",
        Item={
            # Powertools names a function `test-func` outside of Lambda.
            "id": {"S": f"test-func.{start_job.module.__name__}.started_job#{digest}"},
            "status": {"S": "COMPLETED"},
            "expiration": {"N": str(int(time.time()) + 3600)},
            "data": {"S": json.dumps(job)},
        },
    )
    assert start_job(payload(request))["job"]["job"] == {**job, "origin": None}
    assert jobs(stack, request) == []


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
    stack.faults.inject({"service": "amplify", "operation": "StartJob", "fault": "lose-answer"})
    with pytest.raises(StartUnresolved):
        start_job(payload(request))
    assert len(jobs(stack, request)) == 1
    assert start_job(payload(request))["job"]["job"]["jobId"] == "1"
    assert len(stack.amplify.started(request["parameters"]["appId"])) == 1


def test_a_start_that_did_not_arrive_is_sent_again_after_a_minute(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    stack.faults.inject(
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
    text, _ = process.communicate()
    assert json.loads(text)["job"]["job"]["jobId"] == "1"
    assert len(met) == 1


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
        # What says that the call itself is at fault has started nothing, whatever it is called.
        ("StartJob", refusal("ExpiredTokenException", status=403), ServiceTrouble),
        ("StartJob", refusal("InvalidSignatureException", status=403), ServiceTrouble),
        ("StartJob", refusal("SomethingNew", status=409), ServiceTrouble),
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
    stack.faults.inject({"service": "amplify", "operation": operation, **fault})
    with pytest.raises(error, match=operation):
        start_job(payload(request))
    # What time can heal has an age, and only what is no wait for a branch or a quota has failed.
    of_age = {"StartAge", "StartsFailed"} if error is not RequestRejected else set()
    assert start_job.metrics.keys() == {"StartsTried", "StartsNotMade", *of_age}
    assert start_job.metrics.get("StartsFailed", 0) == int(error is ServiceTrouble)
    assert jobs(stack, request) == []
    stack.faults.clear()
    # What was refused holds no lease: the branch is free, and the request can become a job at once.
    assert start_job(payload(request))["job"]["job"]["jobId"] == "1"


@pytest.mark.parametrize(("missing", "parameter"), [("app", "appId"), ("branch", "branchName")])
def test_an_unknown_app_or_branch_is_rejected(stack: Stack, start_job: Function, missing: str, parameter: str) -> None:
    app_id = "dunknown" if missing == "app" else stack.amplify.new_app("other")
    with pytest.raises(RequestRejected, match=rf"not found \(check {parameter} in route web of routes.yaml\)"):
        start_job(payload(job_request(app_id)))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"parameters": {"appId": "nope", "branchName": "main", "jobType": "RELEASE"}}, r"parameters\.appId"),
        ({"parameters": {"appId": "d1", "branchName": "main", "jobType": "RETRY"}}, "jobId is required"),
        ({"parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE", "x": 1}}, r"parameters\.x"),
        ({"operation": "deploy"}, "operation: 'deploy' is not known; use one of start_job, start_deployment"),
        ({"timeoutMinutes": 0}, "^timeoutMinutes: "),
        ({"receivedAt": "2026-03-01T12:00:00"}, "^receivedAt: "),
        ({"version": "2"}, "^version: "),
    ],
)
def test_a_request_that_cannot_succeed_is_rejected_before_anything_is_sent(
    stack: Stack, start_job: Function, change: dict[str, Any], text: str
) -> None:
    before = len(stack.amplify.calls)
    with pytest.raises(RequestRejected, match=text):
        start_job(payload(job_request("d1a2b3c4d5e6", **change)))
    assert len(stack.amplify.calls) == before
    assert start_job.metrics == {"StartsTried": 1, "StartsNotMade": 1}
    assert [line["message"] for line in start_job.logs] == ["Not started"]


def test_a_job_that_cannot_be_looked_for_may_have_been_started(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app())
    stack.faults.inject({"service": "amplify", "operation": "StartJob", "fault": "lose-answer"})
    with pytest.raises(StartUnresolved):
        start_job(payload(request))
    stack.faults.inject({"service": "amplify", "operation": "ListJobs", "fault": "nonsense"})
    with pytest.raises(StartUnresolved, match="can't be searched for"):
        start_job(payload(request))
    assert start_job(payload(request))["job"]["job"]["jobId"] == "1"
    assert len(stack.amplify.started(request["parameters"]["appId"])) == 1


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem", "GetItem", "Query"])
def test_a_lost_answer_and_a_write_that_was_none_make_one_job(
    stack: Stack, start_job: Function, operation: str
) -> None:
    """A 200 that is no answer, at any call of DynamoDB, while the answer to StartJob is lost."""
    for number in range(6):
        request = job_request(stack.amplify.new_app())
        stack.faults.inject({"service": "amplify", "operation": "StartJob", "fault": "lose-answer"})
        if number:
            passed = {"service": "dynamodb", "operation": operation, "fault": "delay", "seconds": 0}
            stack.faults.inject({**passed, "times": number})
        stack.faults.inject({"service": "dynamodb", "operation": operation, "fault": "nonsense"})
        until_started(start_job, request, stack)
        stack.faults.clear()
        assert len(jobs(stack, request)) == 1


def test_a_branch_that_stays_busy_is_rejected_when_the_time_to_start_runs_out(
    stack: Stack, start_job: Function
) -> None:
    long_ago = (datetime.now(UTC) - timedelta(minutes=11)).isoformat()
    request = job_request(stack.amplify.new_app(), receivedAt=long_ago, startWithinMinutes=10)
    stack.faults.inject({"service": "amplify", "operation": "StartJob", "fault": "throttle"})
    with pytest.raises(RequestRejected, match=r"within 10 minutes \(startWithinMinutes\).*StartJob"):
        start_job(payload(request))


@pytest.mark.parametrize("operation", ["PutItem", "GetItem", "UpdateItem", "Query"])
def test_trouble_with_dynamodb_is_named_and_nothing_is_started_twice(
    stack: Stack, start_job: Function, operation: str
) -> None:
    request = job_request(stack.amplify.new_app())
    stack.faults.inject(
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
    hosting = module.services["start_job"]
    sending = hosting._start_client.meta.config
    assert sending.retries["total_max_attempts"] == 1
    assert sending.connect_timeout + sending.read_timeout < function_seconds
    for client in (hosting._read_client, module.jobs._table._client, module.records.client):
        config = client.meta.config
        assert (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"] < function_seconds


HEAVY = [
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.parser.envelopes",
    "amplify_jobs.model.codegen_parameters",
    "graphql",
]


def test_a_start_waits_for_no_module_that_it_does_not_need(stack: Stack) -> None:
    load = "import sys; from tests.support.stack import load; load('start_job');"
    load += f"print([name for name in {HEAVY} if name in sys.modules])"
    process = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert process.stdout == "[]\n"


# ---------------------------------------------------------------- what is started again


def failed(started: dict[str, Any], **state: Any) -> dict[str, Any]:
    """What the state machine sends when the job of a start has failed."""
    ended = datetime.now(UTC).isoformat()
    job = {**started["job"], "state": "FAILED", "status": "FAILED", "finishedAt": ended, "reason": "npm ci failed"}
    return {"failed": {**job, **state}, "attempt": started["attempt"]}


def test_a_failed_job_is_started_again_as_a_retry_of_it(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app(), retry=2)
    request["parameters"]["jobReason"] = "amplify-jobs"
    first = start_job(payload(request))
    assert (first["attempt"], first["retry"]) == (1, False)
    second = start_job({**payload(request), **failed(first)})
    third = start_job({**payload(request), **failed(second)})
    assert [answer["attempt"] for answer in (second, third)] == [2, 3]
    app_id = request["parameters"]["appId"]
    parameters = {"appId": app_id, "branchName": "main", "jobReason": "amplify-jobs", "jobType": "RETRY"}
    assert stack.amplify.started(app_id)[1:] == [{**parameters, "jobId": "1"}, {**parameters, "jobId": "2"}]
    assert third["job"]["job"]["jobId"] == "3"
    assert third["job"]["job"]["jobType"] == "RETRY"
    assert stack.item(**third["key"])["requestId"] == request["requestId"]
    # What announces an execution that fails names the job that may still be running.
    assert stack.item(f"request#{request['requestId']}", "request")["job"]["jobId"] == "3"


def test_a_repeat_of_a_retry_starts_nothing(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app(), retry=2)
    again = {**payload(request), **failed(start_job(payload(request)))}
    assert start_job(again)["key"] == start_job(again)["key"]
    assert len(jobs(stack, request)) == 2


def test_a_retry_whose_answer_is_lost_is_found_again(stack: Stack, start_job: Function) -> None:
    request = job_request(stack.amplify.new_app(), retry=2)
    again = {**payload(request), **failed(start_job(payload(request)))}
    stack.faults.inject({"service": "amplify", "operation": "StartJob", "fault": "lose-answer"})
    with pytest.raises(StartUnresolved):
        start_job(again)
    assert start_job(again)["job"]["job"]["jobId"] == "2"
    assert len(jobs(stack, request)) == 2


# ---------------------------------------------------------------- what supersedes


def event(app_id: str, minute: int, **more: Any) -> dict[str, Any]:
    """The request of an event at a minute of the day, delivered now."""
    members = {"eventTime": f"2026-03-01T12:{minute:02}:00Z", "supersede": True, **more}
    return job_request(app_id, **members)  # type: ignore[no-any-return]


def request_item(stack: Stack, request: dict[str, Any]) -> dict[str, Any]:
    return stack.item(f"request#{request['requestId']}", "request")


def test_a_newer_event_stops_the_job_of_an_older_one(stack: Stack, start_job: Function) -> None:
    app_id = stack.amplify.new_app()
    older, newer = event(app_id, 1), event(app_id, 2)
    first = start_job(payload(older))
    second = start_job(payload(newer))
    assert stack.amplify.stopped(app_id) == ["1"]
    assert [job["status"] for job in jobs(stack, newer)] == ["CANCELLED", "PENDING"]
    assert request_item(stack, older)["supersededBy"] == newer["requestId"]
    # Its execution asks at once, as if an event had told of the end.
    assert stack.item(**first["key"])["changes"] == 1
    assert "changes" not in stack.item(**second["key"])
    latest = stack.item(branch(newer), "latest#push")
    assert (latest["requestId"], latest["jobId"], latest["toStop"]) == (newer["requestId"], "2", [])


def test_a_late_delivery_of_an_older_event_starts_and_stops_nothing(stack: Stack, start_job: Function) -> None:
    app_id = stack.amplify.new_app()
    newer, older = event(app_id, 2), event(app_id, 1)
    start_job(payload(newer))
    with pytest.raises(Superseded, match=newer["requestId"]):
        start_job(payload(older))
    assert start_job.metrics == {"StartsTried": 1, "StartsNotMade": 1}
    assert stack.amplify.stopped(app_id) == []
    assert len(jobs(stack, newer)) == 1
    assert request_item(stack, older)["supersededBy"] == newer["requestId"]


def test_an_older_job_is_stopped_before_anything_starts(stack: Stack, start_job: Function) -> None:
    app_id = stack.amplify.new_app()
    older, newer = event(app_id, 1), event(app_id, 2)
    start_job(payload(older))
    stack.faults.inject({"service": "amplify", "operation": "StopJob", "fault": "throttle", "times": 2})
    with pytest.raises(RetryableError, match="StopJob"):
        start_job(payload(newer))
    assert len(jobs(stack, newer)) == 1
    start_job(payload(newer))
    assert [job["status"] for job in jobs(stack, newer)] == ["CANCELLED", "PENDING"]


def test_a_start_under_way_when_a_newer_event_comes_is_stopped_and_followed_to_its_end(
    stack: Stack, start_job: Function
) -> None:
    app_id = stack.amplify.new_app()
    older, newer = event(app_id, 1), event(app_id, 2)

    def come() -> None:
        with pytest.raises(BranchBusy):
            start_job(payload(newer))

    stack.amplify.when_asked_to_start = come
    process = stack.in_process_of_its_own("start_job", payload(older), milliseconds=20_000)
    answer = json.loads(process.communicate()[0])
    stack.amplify.when_asked_to_start = lambda: None
    assert answer["job"]["job"]["jobId"] == "1"
    assert stack.amplify.stopped(app_id) == ["1"]
    assert request_item(stack, older)["supersededBy"] == newer["requestId"]
    # The machine finds that a change came since, and polls at once.
    assert (answer["seen"], stack.item(**answer["key"])["changes"]) == ("0", 1)
    assert start_job(payload(newer))["job"]["job"]["jobId"] == "2"
    assert [job["status"] for job in jobs(stack, newer)] == ["CANCELLED", "PENDING"]


def test_a_failed_job_is_not_started_again_once_a_newer_event_came(stack: Stack, start_job: Function) -> None:
    app_id = stack.amplify.new_app()
    older, newer = event(app_id, 1, retry=1), event(app_id, 2)
    first = start_job(payload(older))
    start_job(payload(newer))
    with pytest.raises(Superseded, match=newer["requestId"]):
        start_job({**payload(older), **failed(first)})
    assert len(jobs(stack, newer)) == 2


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
    stack.faults.inject({"service": "amplify", "operation": "StartJob", "fault": "throttle"})
    other = job_request(request["parameters"]["appId"])
    with pytest.raises(Throttled):
        start_job(payload(other), Context())
    for line in start_job.logs:
        assert line["request_id"] == other["requestId"]
        assert "job_id" not in line
