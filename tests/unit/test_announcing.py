"""What there is to announce, read from the state machine's call or from Step Functions' event."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcements import DetailType, JobFinished, JobRejected, JobStarted, Names, Place
from amplify_jobs.announcing import announcement, occasion
from amplify_jobs.jobs import Job

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:amplify-jobs:web-0123456789abcdef0123456789abcdef"
PLACE = Place(account="123456789012", region="eu-west-1", console_url="", site_url="")
JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7", job_type="RELEASE")
REQUEST: dict[str, Any] = {
    "requestId": "web-0123456789abcdef0123456789abcdef",
    "route": "web",
    "operation": "start_job",
    "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"},
    "cause": {"source": "github", "kind": "push"},
    "receivedAt": "2026-03-01T12:00:00Z",
}


def no_job(request_id: str) -> Job | None:
    return None


def call(detail_type: str, **more: Any) -> dict[str, Any]:
    return {"detailType": detail_type, "request": REQUEST, "execution": EXECUTION, **more}


STATE = {"job": JOB.model_dump(by_alias=True), "state": "SUCCEEDED"}


@pytest.mark.parametrize(
    ("event", "model"),
    [
        (call("Job Started", job={**STATE, "state": "WAITING"}), JobStarted),
        (call("Job Finished", job=STATE), JobFinished),
        (call("Job Rejected", error={"Error": "RequestRejected", "Cause": '{"errorMessage":"no"}'}), JobRejected),
    ],
)
def test_what_the_state_machine_asks_for(event: dict[str, Any], model: type) -> None:
    said = occasion(event, no_job, NOW)
    assert said.detail_type == event["detailType"]
    assert type(announcement(said, Names(), PLACE)) is model


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"Error": "RequestRejected", "Cause": '{"errorMessage":"no","stackTrace":["secret path"]}'}, "no"),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout"),
        ({"Error": "Lambda.Unknown", "Cause": "The cause could not be determined"},
         "Lambda.Unknown The cause could not be determined"),
        ({"Error": "X", "Cause": '{"errorMessage":5}'}, 'X {"errorMessage":5}'),
        ({"Error": "X", "Cause": "[1]"}, "X [1]"),
        ({}, ""),
        (None, ""),
        ("no object", ""),
    ],
)  # fmt: skip
def test_the_reason_is_an_errors_message_without_its_trace(error: object, reason: str) -> None:
    assert occasion(call("Job Rejected", error=error), no_job, NOW).reason == reason


def execution_failed(**detail: Any) -> dict[str, Any]:
    known = {"executionArn": EXECUTION, "status": "FAILED", "input": json.dumps(REQUEST), "error": None, "cause": None}
    return {"source": "aws.states", "detail": {**known, **detail}}


@pytest.mark.parametrize("known", [None, JOB])
def test_an_execution_that_failed(known: Job | None) -> None:
    asked: list[str] = []

    def job_of_request(request_id: str) -> Job | None:
        asked.append(request_id)
        return known

    said = occasion(execution_failed(error="States.Runtime", cause="no path"), job_of_request, NOW)
    assert asked == [REQUEST["requestId"]]
    assert said.detail_type == (DetailType.JOB_REJECTED if known is None else DetailType.JOB_FINISHED)
    detail = announcement(said, Names(), PLACE)
    assert isinstance(detail, JobRejected | JobFinished)
    expected = "amplify-jobs itself failed: its execution ended as FAILED. States.Runtime no path"
    assert detail.reason == expected + ("" if known is None else " The job may still be running.")


@given(st.none() | st.text() | st.just(json.dumps(REQUEST)), st.none() | st.text(), st.none() | st.text())
def test_any_failed_execution_is_announced(given_input: str | None, error: str | None, cause: str | None) -> None:
    event = execution_failed(input=given_input, error=error, cause=cause)
    for known in (None, JOB):
        detail = announcement(occasion(event, lambda _, job=known: job, NOW), Names(), PLACE)  # type: ignore[misc]
        assert detail.request_id == REQUEST["requestId"]
        assert detail.execution == EXECUTION
