"""announce against moto: what reaches the topic and the bus, once each, whatever fails in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from amplify_jobs.announcing.announcement import DetailType
from amplify_jobs.errors import InvalidEventError, ServiceTrouble
from tests.support.stack import REGION, Function, Stack, execution_of, job_request, serving
from tools import write_schemas


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


@pytest.fixture
def announce(stack: Stack) -> Iterator[Function]:
    yield stack.function("announce")
    stack.faults.clear()
    stack.amplify.answers.clear()
    stack.answers.clear()
    # What a test did not look at is not the next one's.
    stack.published()
    stack.events()


@pytest.fixture
def request_(stack: Stack) -> dict[str, Any]:
    result: dict[str, Any] = job_request(stack.amplify.new_app("feature/header"), branch_name="feature/header")
    return result


def job_of(request: dict[str, Any], state: str = "WAITING", **more: Any) -> dict[str, Any]:
    parameters = request["parameters"]
    job = {"operation": "start_job", "appId": parameters["appId"], "branchName": parameters["branchName"], "jobId": "7"}
    return {"job": {**job, "jobType": "RELEASE"}, "state": state, "startedAt": "2026-03-01T12:00:00Z", **more}


FAILED = {
    "status": "FAILED",
    "finishedAt": "2026-03-01T12:03:22Z",
    "reason": "npm ci failed",
    "steps": [
        {"name": "BUILD", "status": "FAILED", "startedAt": "2026-03-01T12:00:10Z", "reason": "npm ci failed"},
        {"name": "DEPLOY", "status": "CANCELLED"},
    ],
}


def payload(detail_type: str, request: Any, **more: Any) -> dict[str, Any]:
    """What the state machine sends."""
    name = request["requestId"] if isinstance(request, dict) and "requestId" in request else "web-unreadable"
    return {"detailType": detail_type, "request": request, "execution": execution_of({"requestId": name}), **more}


def lambda_error(message: str) -> dict[str, str]:
    """What Step Functions hands on of a function that raised."""
    trace = ['  File "/var/task/handler.py", line 99, in handler\n    job = start(request)\n']
    cause = {"errorMessage": message, "errorType": "RequestRejected", "requestId": "r", "stackTrace": trace}
    return {"Error": "RequestRejected", "Cause": json.dumps(cause)}


def only(messages: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(messages) == 1, messages
    return messages[0]


def check(event: dict[str, Any]) -> dict[str, Any]:
    """The detail of an event, held against its published schema."""
    assert event["source"] == "amplify-jobs"
    detail: dict[str, Any] = event["detail"]
    assert event["resources"] == [detail["execution"]]
    schema = write_schemas.path(DetailType(event["detail-type"])).read_text(encoding="utf-8")
    Draft202012Validator(json.loads(schema)).validate(detail)
    return detail


# ---------------------------------------------------------------- what the state machine asks for


def test_a_start(stack: Stack, announce: Function, request_: dict[str, Any]) -> None:
    answer = announce(payload("Job Started", request_, job=job_of(request_)))
    assert answer == {"detailType": "Job Started", "requestId": request_["requestId"]}
    message = only(stack.published())
    assert message["Subject"] == "Started: web feature/header #7 (8920543)"
    assert {name: value["Value"] for name, value in message["MessageAttributes"].items()} == {
        "detailType": "Job Started",
        "appId": request_["parameters"]["appId"],
        "branchName": "feature/header",
        "route": "web",
    }
    detail = check(only(stack.events()))
    assert detail["requestId"] == request_["requestId"]
    app_id = request_["parameters"]["appId"]
    assert detail["links"] == {
        "console": f"https://{REGION}.console.aws.amazon.com/amplify/apps/{app_id}/branches/feature%2Fheader/deployments/7",
        "site": f"https://feature-header.{app_id}.amplifyapp.com/",
    }


def test_an_end(stack: Stack, announce: Function, request_: dict[str, Any]) -> None:
    announce(payload("Job Finished", request_, job=job_of(request_, "FAILED", **FAILED)))
    message = only(stack.published())
    assert message["Subject"] == "FAILED: web feature/header #7 (8920543)"
    for line in (
        "web · feature/header · job 7 FAILED after 3 min 12 s",
        "Failed step: BUILD",
        "Reason: npm ci failed",
        "Commit: 89205432f5b7 Fix the header",
        "Author: Ada",
        "Triggered by: push to acme/web, route web",
    ):
        assert line in message["Message"].splitlines()
    detail = check(only(stack.events()))
    assert (detail["outcome"], detail["durationSeconds"]) == ("FAILED", 192)
    assert detail["failedStep"] == {"name": "BUILD", "status": "FAILED", "reason": "npm ci failed"}


def test_a_rejection(stack: Stack, announce: Function, request_: dict[str, Any]) -> None:
    announce(payload("Job Rejected", request_, error=lambda_error("parameters.jobType: Input should be 'RELEASE'")))
    assert announce.metrics == {"AnnouncementsTried": 1, "Announcements": 1, "RequestsRejected": 1}
    message = only(stack.published())
    assert message["Subject"] == "Rejected: web feature/header (8920543)"
    assert "Reason: parameters.jobType: Input should be 'RELEASE'" in message["Message"].splitlines()
    assert "handler.py" not in message["Message"]
    assert check(only(stack.events()))["reason"] == "parameters.jobType: Input should be 'RELEASE'"


def test_a_request_that_a_newer_one_made_moot(stack: Stack, announce: Function, request_: dict[str, Any]) -> None:
    newer = "web-" + "f" * 32
    stack.client("dynamodb").put_item(
        TableName="jobs",
        Item={
            "pk": {"S": f"request#{request_['requestId']}"},
            "sk": {"S": "request"},
            "supersededBy": {"S": newer},
        },
    )
    error = {**lambda_error(f"Superseded by request {newer}, whose event is newer."), "Error": "Superseded"}
    announce(payload("Job Rejected", request_, error=error))
    message = only(stack.published())
    assert message["Subject"] == f"Cancelled: web feature/header (8920543) superseded by {newer}"
    detail = check(only(stack.events()))
    assert (detail["outcome"], detail["supersededBy"]) == ("CANCELLED", newer)


def test_the_end_of_the_last_attempt(stack: Stack, announce: Function, request_: dict[str, Any]) -> None:
    announce(payload("Job Finished", request_, job=job_of(request_, "FAILED", **FAILED), attempts=3))
    assert "Attempts: 3" in only(stack.published())["Message"].splitlines()
    assert check(only(stack.events()))["attempts"] == 3


@pytest.mark.parametrize("request_input", [{}, [], "x", None, {"operation": "start_job", "parameters": {"appId": 5}}])
def test_the_rejection_of_a_request_that_cannot_be_read(stack: Stack, announce: Function, request_input: Any) -> None:
    announce(payload("Job Rejected", request_input, error=lambda_error("requestId: Field required")))
    detail = check(only(stack.events()))
    assert (detail["requestId"], detail["reason"]) == ("web-unreadable", "requestId: Field required")
    only(stack.published())
    # The next one's execution has the same name here.
    stack.client("dynamodb").delete_item(
        TableName="jobs", Key={"pk": {"S": "request#web-unreadable"}, "sk": {"S": "request"}}
    )


# ---------------------------------------------------------------- what no state can catch


def execution_failed(request: dict[str, Any], **detail: Any) -> dict[str, Any]:
    """EventBridge's event, as Step Functions' developer guide has it."""
    execution = execution_of(request)
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2026-03-01T12:05:03Z",
        "region": REGION,
        "resources": [execution],
        "detail": {
            "executionArn": execution,
            "stateMachineArn": f"arn:aws:states:{REGION}:123456789012:stateMachine:amplify-jobs",
            "name": request["requestId"],
            "status": "TIMED_OUT",
            "startDate": 1551225271984,
            "stopDate": 1551225272984,
            "input": json.dumps(request),
            "inputDetails": {"included": True},
            "error": None,
            "cause": None,
            **detail,
        },
    }


def test_an_execution_that_failed_before_a_job_was_started(
    stack: Stack, announce: Function, request_: dict[str, Any]
) -> None:
    announce(execution_failed(request_, status="FAILED", error="States.Runtime", cause="no such path"))
    event = only(stack.events())
    assert event["detail-type"] == "Job Rejected"
    reason = check(event)["reason"]
    assert reason == "amplify-jobs itself failed: its execution ended as FAILED. States.Runtime no such path"
    assert only(stack.published())["Subject"] == "Rejected: web feature/header (8920543)"


def remember_job(stack: Stack, request: dict[str, Any]) -> None:
    table = stack.jobs_table
    job = job_of(request)["job"]
    table.put_item(Item={"pk": f"request#{request['requestId']}", "sk": "request", "job": job})


@pytest.mark.parametrize("input_of", ["as it is", "left out because it is too large"])
def test_an_execution_that_failed_while_it_followed_a_job(
    stack: Stack, announce: Function, request_: dict[str, Any], input_of: str
) -> None:
    remember_job(stack, request_)
    event = execution_failed(request_, status="ABORTED")
    if input_of != "as it is":
        event["detail"] |= {"input": None, "inputDetails": {"included": False}}
    announce(event)
    published = only(stack.events())
    assert published["detail-type"] == "Job Finished"
    detail = check(published)
    assert (detail["outcome"], detail["job"]["jobId"], detail["requestId"]) == ("UNKNOWN", "7", request_["requestId"])
    assert detail["reason"].endswith("The job may still be running.")
    message = only(stack.published())
    assert message["Subject"].startswith("UNKNOWN: ")
    assert "is no longer followed" in message["Message"]


# ---------------------------------------------------------------- once each


@pytest.mark.parametrize(("service", "operation"), [("sns", "Publish"), ("events", "PutEvents")])
def test_a_retry_says_only_what_was_not_said(
    stack: Stack, announce: Function, request_: dict[str, Any], service: str, operation: str
) -> None:
    event = payload("Job Finished", request_, job=job_of(request_, "FAILED", **FAILED))
    stack.faults.inject(
        {"service": service, "operation": operation, "fault": "refuse",
         "code": "InternalError", "message": "internal", "status": 500}
    )  # fmt: skip
    with pytest.raises(ServiceTrouble, match=f"{operation}: InternalError"):
        announce(event)
    for _ in range(2):
        announce(event)
    assert len(stack.published()) == 1
    assert len(stack.events()) == 1


@pytest.mark.parametrize(("service", "operation"), [("sns", "Publish"), ("events", "PutEvents")])
def test_a_lost_answer_is_no_reason_for_a_client_to_say_it_again_by_itself(
    stack: Stack, announce: Function, request_: dict[str, Any], service: str, operation: str
) -> None:
    """Whoever calls the function tries again; what was published then comes at most once for each of its tries."""
    event = payload("Job Finished", request_, job=job_of(request_, "SUCCEEDED"))
    stack.faults.inject({"service": service, "operation": operation, "fault": "lose-answer"})
    with pytest.raises(ServiceTrouble, match=f"{operation}: no answer"):
        announce(event)
    announce(event)
    copies = {"sns": stack.published(), "events": stack.events()}
    assert {name: len(messages) for name, messages in copies.items()} == {"sns": 1, "events": 1} | {service: 2}


def test_an_event_that_the_bus_did_not_take_is_said_again(
    stack: Stack, announce: Function, request_: dict[str, Any]
) -> None:
    """PutEvents answers 200 with FailedEntryCount when it could not take an entry."""
    event = payload("Job Started", request_, job=job_of(request_))
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}]}
    stack.answers["PutEvents"] = refused
    with pytest.raises(ServiceTrouble, match="PutEvents: ThrottlingException"):
        announce(event)
    assert stack.published() == []
    stack.answers.clear()
    announce(event)
    assert len(stack.published()) == 1
    assert len(stack.events()) == 1


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_trouble_with_dynamodb_is_tried_again(
    stack: Stack, announce: Function, request_: dict[str, Any], operation: str
) -> None:
    stack.faults.inject(
        {"service": "dynamodb", "operation": operation, "fault": "refuse", "times": 3,
         "code": "InternalServerError", "message": "internal", "status": 500}
    )  # fmt: skip
    with pytest.raises(ServiceTrouble, match=operation):
        announce(payload("Job Started", request_, job=job_of(request_)))


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("fault", [{"fault": "lose-answer"}, {"fault": "nonsense"}])
def test_without_its_names_a_job_is_announced_by_its_ids(
    stack: Stack, announce: Function, request_: dict[str, Any], fault: dict[str, Any]
) -> None:
    stack.faults.inject({"service": "amplify", "operation": "GetApp", "times": 9, **fault})
    stack.faults.inject({"service": "amplify", "operation": "GetBranch", "times": 9, **fault})
    announce(payload("Job Started", request_, job=job_of(request_)))
    app_id = request_["parameters"]["appId"]
    assert only(stack.published())["Subject"] == f"Started: {app_id} feature/header #7 (8920543)"
    assert check(only(stack.events()))["links"]["site"] is None


def test_names_of_another_type_are_no_names(stack: Stack, announce: Function, request_: dict[str, Any]) -> None:
    stack.amplify.answers["GetApp"] = {"app": {"name": 5, "defaultDomain": []}}
    stack.amplify.answers["GetBranch"] = {"branch": {"displayName": {}}}
    announce(payload("Job Started", request_, job=job_of(request_)))
    assert check(only(stack.events()))["job"]["appName"] is None


def test_an_unknown_branch_of_a_known_app_is_announced_by_the_apps_name(
    stack: Stack, announce: Function, request_: dict[str, Any]
) -> None:
    request_["parameters"]["branchName"] = "gone"
    announce(payload("Job Rejected", request_, error=lambda_error("ListJobs: NotFoundException: Branch gone")))
    assert only(stack.published())["Subject"] == "Rejected: web gone (8920543)"


def test_what_was_known_at_the_start_is_told_at_the_end_of_an_app_that_is_gone(
    stack: Stack, announce: Function, request_: dict[str, Any]
) -> None:
    announce(payload("Job Started", request_, job=job_of(request_)))
    started = check(only(stack.events()))
    stack.published()
    del stack.amplify.apps[request_["parameters"]["appId"]]
    gone = job_of(request_, "CANCELLED", reason="Amplify no longer knows this job.", gone=True)
    announce(payload("Job Finished", request_, job=gone))
    assert only(stack.published())["Subject"] == "CANCELLED: web feature/header #7 (8920543)"
    ended = check(only(stack.events()))
    assert ended["job"]["appName"] == started["job"]["appName"] == "web"
    assert ended["links"] == {"console": None, "site": None}


# ---------------------------------------------------------------- what is logged and published


def test_no_secret_is_published_or_logged(stack: Stack, announce: Function, request_: dict[str, Any]) -> None:
    signed = "https://bucket.s3.amazonaws.com/log.txt?X-Amz-Credential=AKIA&X-Amz-Signature=abc"
    request_["cause"]["message"] = f"Fix the header\n\nCo-authored-by: Ada <ada@example.com>\n{signed}"
    request_["cause"]["author"] = "Ada <ada@example.com>"
    ended = {**FAILED, "reason": f"see {signed}", "steps": [{"name": "BUILD", "status": "FAILED", "reason": signed}]}
    announce(payload("Job Finished", request_, job=job_of(request_, "FAILED", **ended)))
    published = json.dumps([stack.published(), stack.events(), announce.logs])
    assert "log.txt" in published
    for secret in ("X-Amz", "AKIA", "ada@example.com"):
        assert secret not in published


@pytest.mark.parametrize("where", ["message", "author", "reason", "warnings", "repository", "unreadable"])
def test_a_token_in_foreign_text_is_neither_published_nor_logged(
    stack: Stack, announce: Function, request_: dict[str, Any], where: str
) -> None:
    token = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    ended = job_of(request_, "FAILED", **FAILED)
    match where:
        case "reason":
            ended |= {"reason": token, "steps": [{"name": token, "status": "FAILED", "reason": token}]}
        case "warnings":
            ended["job"]["warnings"] = [token]
        case "unreadable":
            refused = f"GetApp: BadRequestException: {token}"
            stack.faults.inject(
                {"service": "amplify", "operation": "GetApp", "fault": "refuse",
                 "code": "BadRequestException", "message": refused}
            )  # fmt: skip
        case _:
            request_["cause"][where] = token
    announce(payload("Job Finished", request_, job=ended))
    published = json.dumps([stack.published(), stack.events(), announce.logs])
    assert token not in published
    assert "(secret left out)" in published


def test_every_line_says_which_job_it_is_about(stack: Stack, announce: Function, request_: dict[str, Any]) -> None:
    stack.faults.inject({"service": "amplify", "operation": "GetApp", "fault": "throttle", "times": 9})
    announce(payload("Job Started", request_, job=job_of(request_)))
    keys = {
        "request_id": request_["requestId"],
        "delivery_id": request_["cause"]["deliveryId"],
        "app_id": request_["parameters"]["appId"],
        "branch_name": "feature/header",
        "job_id": "7",
    }
    assert [line["message"] for line in announce.logs] == ["The names are unknown", "Announced"]
    for line in announce.logs:
        assert line.items() >= keys.items()


def test_an_event_of_another_form_is_refused_without_repeating_it(announce: Function, request_: dict[str, Any]) -> None:
    with pytest.raises(InvalidEventError, match=r"^detailType: ") as caught:
        announce(payload("ghp_secret", request_))
    assert "secret" not in str(caught.value) + json.dumps(announce.logs)
    assert announce.metrics == {"AnnouncementsTried": 1}
