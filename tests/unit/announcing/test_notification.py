"""What there is to announce, read from the state machine's call or from Step Functions' event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Announcement, DetailType, JobFinished, JobRejected, JobStarted
from amplify_jobs.announcing.compose import AppNames, StackInfo, compose
from amplify_jobs.announcing.notification import Notification, event_model, notification_from
from amplify_jobs.model.job import Job

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:amplify-jobs:web-0123456789abcdef0123456789abcdef"
STACK = StackInfo(account="123456789012", region="eu-west-1", console_url="", site_url="")
JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7", job_type="RELEASE")
REQUEST: dict[str, Any] = {
    "requestId": "web-0123456789abcdef0123456789abcdef",
    "route": "web",
    "operation": "start_job",
    "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"},
    "cause": {"source": "github", "kind": "push"},
    "receivedAt": "2026-03-01T12:00:00Z",
}


@dataclass(frozen=True)
class Requests:
    """What the jobs table knows of a request."""

    job: Job | None = None
    newer: str | None = None
    stop: str | None = None

    def stop_of_request(self, request_id: str) -> str | None:
        assert request_id == REQUEST["requestId"]
        return self.stop

    def job_of_request(self, request_id: str) -> Job | None:
        assert request_id == REQUEST["requestId"]
        return self.job

    def superseding_request(self, request_id: str) -> str | None:
        assert request_id == REQUEST["requestId"]
        return self.newer


def notification_of(event: dict[str, Any], requests: Requests | None = None) -> Notification:
    return notification_from(event_model(event).model_validate(event), requests or Requests(), NOW)


def announcement_of(event: dict[str, Any], requests: Requests | None = None) -> Announcement:
    return compose(notification_of(event, requests), AppNames(), STACK)


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
    assert notification_of(event).detail_type == event["detailType"]
    assert type(announcement_of(event)) is model


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
    assert notification_of(call("Job Rejected", error=error)).reason == reason


SUPERSEDED = {"Error": "Superseded", "Cause": '{"errorMessage":"Superseded by request web-2, whose event is newer."}'}
NOT_RETRIED = {"Error": "RequestRejected", "Cause": '{"errorMessage":"StartJob: no such job"}'}
FAILED_JOB = {**STATE, "state": "FAILED", "reason": "npm ci failed"}


def test_a_request_that_gave_way_before_it_was_sent_is_cancelled() -> None:
    detail = announcement_of(call("Job Rejected", error=SUPERSEDED), Requests(newer="web-2"))
    assert isinstance(detail, JobRejected)
    assert (detail.outcome, detail.superseded_by) == ("CANCELLED", "web-2")
    assert detail.reason == "Superseded by request web-2, whose event is newer."


STOPPED = {"Error": "Superseded", "Cause": '{"errorMessage":"Stopped by the jobs API before a job was started."}'}


def test_a_request_that_a_person_stopped_before_it_was_sent_is_cancelled() -> None:
    detail = announcement_of(call("Job Rejected", error=STOPPED), Requests(stop="Stopped."))
    assert isinstance(detail, JobRejected)
    assert (detail.outcome, detail.superseded_by) == ("CANCELLED", None)
    assert detail.reason == "Stopped by the jobs API before a job was started."


def test_a_stop_that_came_too_late_changes_no_rejection() -> None:
    for error in (NOT_RETRIED, {"Error": "Superseded", "Cause": '{"errorMessage":"main has moved on"}'}):
        detail = announcement_of(call("Job Rejected", error=error), Requests(stop=None))
        assert isinstance(detail, JobRejected)
        assert detail.outcome == "REJECTED"
    late = announcement_of(call("Job Rejected", error=NOT_RETRIED), Requests(stop="Stopped."))
    assert isinstance(late, JobRejected)
    assert late.outcome == "REJECTED"


def test_a_failed_job_that_a_person_keeps_from_being_started_again_has_failed() -> None:
    detail = announcement_of(call("Job Finished", job=FAILED_JOB, error=STOPPED), Requests(stop="Stopped."))
    assert isinstance(detail, JobFinished)
    assert (detail.outcome, detail.superseded_by) == ("FAILED", None)
    assert "could not be started again: Stopped by the jobs API" in (detail.reason or "")


def test_a_rejection_names_no_other_request() -> None:
    detail = announcement_of(call("Job Rejected", error=NOT_RETRIED), Requests(newer="web-2"))
    assert isinstance(detail, JobRejected)
    assert (detail.outcome, detail.superseded_by) == ("REJECTED", None)


def test_a_failed_job_that_cannot_be_started_again_has_failed() -> None:
    event = call("Job Finished", job=FAILED_JOB, attempts=2, error=NOT_RETRIED)
    detail = announcement_of(event)
    assert isinstance(detail, JobFinished)
    assert (detail.outcome, detail.attempts) == ("FAILED", 2)
    assert detail.reason == "npm ci failed. It could not be started again: StartJob: no such job"


def test_a_failed_job_that_a_newer_request_keeps_from_being_started_again_is_cancelled() -> None:
    event = call("Job Finished", job=FAILED_JOB, attempts=1, error=SUPERSEDED)
    detail = announcement_of(event, Requests(newer="web-2"))
    assert isinstance(detail, JobFinished)
    assert (detail.outcome, detail.superseded_by) == ("CANCELLED", "web-2")
    assert (
        detail.reason == "Superseded by request web-2, whose event is newer. The job before had failed: npm ci failed"
    )


def execution_failed(**detail: Any) -> dict[str, Any]:
    members = {
        "executionArn": EXECUTION,
        "status": "FAILED",
        "input": json.dumps(REQUEST),
        "error": None,
        "cause": None,
    }
    return {"source": "aws.states", "detail": {**members, **detail}}


@pytest.mark.parametrize("job", [None, JOB])
def test_an_execution_that_failed(job: Job | None) -> None:
    event = execution_failed(error="States.Runtime", cause="no path")
    notification = notification_of(event, Requests(job))
    assert notification.detail_type == (DetailType.JOB_REJECTED if job is None else DetailType.JOB_FINISHED)
    detail = announcement_of(event, Requests(job))
    assert isinstance(detail, JobRejected | JobFinished)
    expected = "amplify-jobs itself failed: its execution ended as FAILED. States.Runtime no path"
    assert detail.reason == expected + ("" if job is None else ". The job may still be running.")


@given(st.none() | st.text() | st.just(json.dumps(REQUEST)), st.none() | st.text(), st.none() | st.text())
def test_any_failed_execution_is_announced(given_input: str | None, error: str | None, cause: str | None) -> None:
    event = execution_failed(input=given_input, error=error, cause=cause)
    for job in (None, JOB):
        detail = announcement_of(event, Requests(job))
        assert detail.request_id == REQUEST["requestId"]
        assert detail.execution == EXECUTION
