"""on_status_change against moto: a real task of the real definition waits, and is woken."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.errors import InvalidEventError, ServiceTrouble
from amplify_jobs.model.job import Job, JobState, RecordKey, State
from amplify_jobs.model.request import JobRequest
from tests.support.stack import REGION, REPOSITORY, Function, Stack, job_request, record_key, serving

APP_ID, BRANCH_NAME = "dabcde12345678", "feature/header"
ROLE = "arn:aws:iam::123456789012:role/machine"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


@pytest.fixture
def on_status_change(stack: Stack) -> Iterator[Function]:
    yield stack.function("on_status_change")
    stack.faults.clear()


@pytest.fixture(scope="module")
def machine(stack: Stack) -> str:
    """The state AwaitChange of the definition, as a machine of its own: what it says is what comes of the wait."""
    definition = json.loads((REPOSITORY / "statemachine/job.asl.json").read_text())
    wait = definition["States"]["AwaitChange"]
    wait["Parameters"]["TableName"] = "jobs"
    wait["Next"] = "Woken"
    wait["Catch"] = [{"ErrorEquals": wait["Retry"][0]["ErrorEquals"], "Next": "NotWoken"}]
    states = {"AwaitChange": wait, "Woken": {"Type": "Succeed"}, "NotWoken": {"Type": "Fail"}}
    result = stack.client("stepfunctions").create_state_machine(
        name="await-change", definition=json.dumps({"StartAt": "AwaitChange", "States": states}), roleArn=ROLE
    )
    arn: str = result["stateMachineArn"]
    return arn


def begin_to_wait(stack: Stack, machine: str, job_id: str, seen: str = "0", seconds: int = 60) -> str:
    key = record_key(APP_ID, BRANCH_NAME, job_id)
    waiting = {"poll": {"key": key, "seen": seen, "waitSeconds": seconds}}
    started = stack.client("stepfunctions").start_execution(
        stateMachineArn=machine, name=f"{job_id}-{seen}", input=json.dumps(waiting)
    )
    arn: str = started["executionArn"]
    return arn


def until_it_waits(stack: Stack, job_id: str) -> None:
    while "taskToken" not in record(stack, job_id):
        time.sleep(0.02)


def end_of(stack: Stack, execution: str) -> str:
    while (result := stack.client("stepfunctions").describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.02)
    status: str = result["status"]
    return status


def record(stack: Stack, job_id: str) -> dict[str, Any]:
    return stack.item(**record_key(APP_ID, BRANCH_NAME, job_id))


def status_change(job_id: str, status: str = "SUCCEED", **detail: Any) -> dict[str, Any]:
    """As captured on AWS."""
    return {
        "version": "0",
        "id": "3b2c1d4e-5f6a-4b8c-9d7e-1f2a3b4c5d6e",
        "detail-type": "Amplify Deployment Status Change",
        "source": "aws.amplify",
        "account": "111122223333",
        "time": "2026-03-01T12:05:03Z",
        "region": REGION,
        "resources": [f"arn:aws:amplify:{REGION}:111122223333:apps/{APP_ID}/branches/{BRANCH_NAME}/jobs/{job_id:0>10}"],
        "detail": {"appId": APP_ID, "branchName": BRANCH_NAME, "jobId": job_id, "jobStatus": status, **detail},
    }


@pytest.mark.parametrize("status", ["SUCCEED", "FAILED", "CANCELLED"])
def test_an_event_wakes_the_execution_that_waits(
    stack: Stack, on_status_change: Function, machine: str, status: str
) -> None:
    job_id = {"SUCCEED": "1", "FAILED": "2", "CANCELLED": "3"}[status]
    execution = begin_to_wait(stack, machine, job_id)
    until_it_waits(stack, job_id)
    assert on_status_change(status_change(job_id, status)) == {"woke": True}
    assert end_of(stack, execution) == "SUCCEEDED"
    assert record(stack, job_id)["changes"] == 1


def test_an_event_that_comes_before_the_wait_keeps_it_from_beginning(
    stack: Stack, on_status_change: Function, machine: str
) -> None:
    """Between the poll, which saw no change, and the wait: the condition fails, and the machine polls again."""
    assert on_status_change(status_change("10")) == {"woke": False}
    assert end_of(stack, begin_to_wait(stack, machine, "10", seen="0")) == "FAILED"
    # Once a poll has seen it, the machine may wait.
    execution = begin_to_wait(stack, machine, "10", seen="1")
    until_it_waits(stack, "10")
    assert on_status_change(status_change("10")) == {"woke": True}
    assert end_of(stack, execution) == "SUCCEEDED"


def test_an_event_before_the_record_is_counted_and_expires(stack: Stack, on_status_change: Function) -> None:
    assert on_status_change(status_change("20")) == {"woke": False}
    assert record(stack, "20")["changes"] == 1
    assert time.time() < record(stack, "20")["expiresAt"] < time.time() + 8 * 86_400


def test_an_event_that_comes_twice(stack: Stack, on_status_change: Function, machine: str) -> None:
    execution = begin_to_wait(stack, machine, "30")
    until_it_waits(stack, "30")
    assert on_status_change(status_change("30")) == {"woke": True}
    # Until the execution goes on, moto takes the same token again.
    assert end_of(stack, execution) == "SUCCEEDED"
    assert on_status_change(status_change("30")) == {"woke": False}
    assert record(stack, "30")["changes"] == 2


def test_an_event_after_the_wait_ended_by_itself(stack: Stack, on_status_change: Function, machine: str) -> None:
    execution = begin_to_wait(stack, machine, "40", seconds=1)
    assert end_of(stack, execution) == "FAILED"
    assert on_status_change(status_change("40")) == {"woke": False}
    assert record(stack, "40")["changes"] == 1


@pytest.mark.parametrize("status", ["STARTED", "SOMETHING_NEW"])
def test_a_status_that_is_not_the_end_changes_nothing(stack: Stack, on_status_change: Function, status: str) -> None:
    assert on_status_change(status_change("50", status, jobStep="BUILD")) == {"woke": False}
    assert record(stack, "50") == {}


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_nobody_waits_with_is_no_error(stack: Stack, on_status_change: Function, code: str) -> None:
    put_token(stack, "60")
    stack.faults.inject(
        {"service": "states", "operation": "SendTaskSuccess", "fault": "refuse", "code": code, "message": "no"}
    )
    assert on_status_change(status_change("60")) == {"woke": False}


def put_token(stack: Stack, job_id: str) -> None:
    key = {name: {"S": value} for name, value in record_key(APP_ID, BRANCH_NAME, job_id).items()}
    stack.client("dynamodb").put_item(TableName="jobs", Item={**key, "taskToken": {"S": "token"}})


@pytest.mark.parametrize(("service", "operation"), [("states", "SendTaskSuccess"), ("dynamodb", "UpdateItem")])
def test_trouble_is_raised_so_that_the_event_is_delivered_again(
    stack: Stack, on_status_change: Function, service: str, operation: str
) -> None:
    put_token(stack, "70")
    stack.faults.inject(
        {"service": service, "operation": operation, "fault": "refuse", "times": 3,
         "code": "InternalServerError", "message": "internal", "status": 500}
    )  # fmt: skip
    with pytest.raises(ServiceTrouble, match=operation):
        on_status_change(status_change("70"))


def test_a_wake_up_that_failed_is_made_up_for_by_the_repeat(
    stack: Stack, on_status_change: Function, machine: str
) -> None:
    execution = begin_to_wait(stack, machine, "80")
    until_it_waits(stack, "80")
    stack.faults.inject({"service": "states", "operation": "SendTaskSuccess", "fault": "throttle", "times": 3})
    with pytest.raises(ServiceTrouble):
        on_status_change(status_change("80"))
    assert on_status_change(status_change("80")) == {"woke": True}
    assert end_of(stack, execution) == "SUCCEEDED"


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ({"jobId": 4}, r"detail\.jobId"),
        ({"jobStatus": None}, r"detail\.jobStatus"),
    ],
)
def test_an_event_that_is_not_understood_is_raised(
    stack: Stack, on_status_change: Function, detail: dict[str, Any], text: str
) -> None:
    with pytest.raises(InvalidEventError, match=text):
        on_status_change(status_change("90", **detail))


def test_an_event_without_detail_is_raised(stack: Stack, on_status_change: Function) -> None:
    with pytest.raises(InvalidEventError, match="detail"):
        on_status_change({"region": REGION})


def test_every_line_says_which_job_it_is_about(stack: Stack, on_status_change: Function) -> None:
    on_status_change(status_change("95"))
    assert on_status_change.logs
    for line in on_status_change.logs:
        assert line.items() >= {"app_id": APP_ID, "branch_name": BRANCH_NAME, "job_id": "95"}.items()
    assert on_status_change.metrics == {"StatusChanges": 1, "JobsFollowed": 0}


# ---------------------------------------------------------------- calls that end jobs


def api_call(name: str, **parameters: str) -> dict[str, Any]:
    """As EventBridge hands on what CloudTrail recorded (EventBridge user guide)."""
    return {
        "version": "0",
        "id": "36eb8523-97d0-4518-b33d-ee3579ff19f0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.amplify",
        "account": "111122223333",
        "time": "2026-03-01T12:05:03Z",
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "eventSource": "amplify.amazonaws.com",
            "eventName": name,
            "awsRegion": REGION,
            "requestParameters": parameters,
            "responseElements": None,
            "readOnly": False,
            "eventType": "AwsApiCall",
        },
    }


def follow(app_id: str, branch_name: str, job_id: str) -> RecordKey:
    """Record a job as started, and as waited for with a token of its own."""
    store = JobsTable.connect("jobs")
    job = Job(operation="start_job", app_id=app_id, branch_name=branch_name, job_id=job_id)
    request = JobRequest.model_validate(job_request(app_id, branch_name=branch_name))
    return store.record_start(REGION, request, job, datetime.now(UTC))


def changes_of(stack: Stack, key: RecordKey) -> int:
    return int(stack.item(**key).get("changes", 0))


@pytest.mark.parametrize(
    ("name", "parameters", "ended"),
    [
        ("StopJob", {"branchName": "feature/x", "jobId": "2"}, [("feature/x", "2")]),
        # A parameter of the path may be recorded as it was sent.
        ("DeleteJob", {"branchName": "feature%2Fx", "jobId": "2"}, [("feature/x", "2")]),
        ("DeleteBranch", {"branchName": "feature/x"}, [("feature/x", "1"), ("feature/x", "2")]),
        ("DeleteApp", {}, [("feature/x", "1"), ("feature/x", "2"), ("main", "2")]),
    ],
)
def test_a_call_that_ends_jobs_wakes_the_executions_that_follow_them(
    stack: Stack, on_status_change: Function, name: str, parameters: dict[str, str], ended: list[tuple[str, str]]
) -> None:
    app_id = f"d{name.lower()}"
    jobs = [("feature/x", "1"), ("feature/x", "2"), ("main", "2")]
    keys = {job: follow(app_id, *job) for job in jobs}
    others = follow(f"{app_id}0", "feature/x", "2")
    over = follow(app_id, "main", "1")
    JobsTable.connect("jobs").record_state(
        over,
        JobState(job=Job(operation="start_job", app_id=app_id, branch_name="main", job_id="1"), state=State.SUCCEEDED),
        None,
        datetime.now(UTC),
    )
    assert on_status_change(api_call(name, appId=app_id, **parameters)) == {"woke": False}
    assert [job for job in jobs if changes_of(stack, keys[job])] == sorted(ended)
    assert changes_of(stack, others) == changes_of(stack, over) == 0


def test_a_call_ends_the_wait_for_a_job(stack: Stack, on_status_change: Function, machine: str) -> None:
    follow(APP_ID, BRANCH_NAME, "97")
    execution = begin_to_wait(stack, machine, "97")
    until_it_waits(stack, "97")
    called = api_call("StopJob", appId=APP_ID, branchName=BRANCH_NAME, jobId="97")
    assert on_status_change(called) == {"woke": True}
    assert end_of(stack, execution) == "SUCCEEDED"


def test_calls_about_jobs_that_nobody_follows_change_nothing(stack: Stack, on_status_change: Function) -> None:
    called = api_call("StopJob", appId=APP_ID, branchName=BRANCH_NAME, jobId="96")
    assert on_status_change(called) == {"woke": False}
    assert record(stack, "96") == {}


@pytest.mark.parametrize("parameters", [{}, {"appId": "dabc", "jobId": "four"}])
def test_a_call_that_is_not_understood_is_raised(
    stack: Stack, on_status_change: Function, parameters: dict[str, str]
) -> None:
    with pytest.raises(InvalidEventError, match=r"detail\.requestParameters"):
        on_status_change(api_call("StopJob", **parameters))
