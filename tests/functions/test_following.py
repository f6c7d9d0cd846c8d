"""Following jobs of others against moto: from the event to the execution, and from the execution to the job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.errors import AlreadyFollowed, Throttled
from tests.support.stack import BUCKET, REGION, Function, Stack, job_request, record_key, serving

COMMIT = "89205432f5b72b15f33c8d9bd2a1bde3c0e4f5a6"
STARTED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        routes = {"routes": {}, "follow": [{"branches": ["main", "release/*"]}]}
        new_stack.client("s3").put_object(Bucket=BUCKET, Key="routes.json", Body=json.dumps(routes))
        yield new_stack


@pytest.fixture
def on_status_change(stack: Stack) -> Function:
    return stack.function("on_status_change")


@pytest.fixture
def start_job(stack: Stack) -> Iterator[Function]:
    yield stack.function("start_job")
    stack.faults.clear()


def app_with_job(stack: Stack, branch: str = "main", **summary: Any) -> str:
    app_id = stack.amplify.new_app(branch)
    stack.amplify.apps[app_id]["repository"] = "https://github.com/acme/web"
    job = {"jobId": "1", "jobType": "RELEASE", "commitId": COMMIT, "commitMessage": "Fix", "status": "RUNNING"}
    stack.amplify.jobs[app_id, branch].append({"summary": {**job, "startTime": STARTED_AT, **summary}, "steps": []})
    return app_id


def event(app_id: str, status: str = "STARTED", branch: str = "main", job_id: str = "1") -> dict[str, Any]:
    return {
        "detail-type": "Amplify Deployment Status Change",
        "region": REGION,
        "time": "2026-03-01T12:00:01Z",
        "detail": {"appId": app_id, "branchName": branch, "jobId": job_id, "jobStatus": status},
    }


def requests_about(stack: Stack, app_id: str) -> list[dict[str, Any]]:
    """The inputs of executions that were started for an app."""
    states = stack.client("stepfunctions")
    executions = states.list_executions(stateMachineArn=stack.environment["STATE_MACHINE_ARN"])["executions"]
    inputs = [json.loads(states.describe_execution(executionArn=one["executionArn"])["input"]) for one in executions]
    return [one for one in inputs if one["parameters"]["appId"] == app_id]


def call(request: dict[str, Any]) -> dict[str, Any]:
    return {"request": request, "execution": f"arn:aws:states:{REGION}:1:execution:job:{request['requestId']}"}


@pytest.mark.parametrize("first", ["STARTED", "FAILED"])
def test_the_first_event_of_a_job_of_others_starts_one_execution(
    stack: Stack, on_status_change: Function, first: str
) -> None:
    app_id = app_with_job(stack)
    on_status_change(event(app_id, first))
    assert on_status_change.metrics["JobsFollowed"] == 1
    on_status_change(event(app_id, first))
    on_status_change(event(app_id, "SUCCEED"))
    assert on_status_change.metrics["JobsFollowed"] == 0
    (request,) = requests_about(stack, app_id)
    assert request["operation"] == "follow_job"
    assert request["parameters"] == {"appId": app_id, "branchName": "main", "jobId": "1"}
    assert (request["cause"]["source"], request["cause"]["kind"]) == ("amplify", "followed")


def test_a_job_of_a_branch_that_is_not_wanted_is_left_alone(stack: Stack, on_status_change: Function) -> None:
    app_id = app_with_job(stack, "draft")
    on_status_change(event(app_id, branch="draft"))
    assert requests_about(stack, app_id) == []


def test_a_job_of_ours_starts_no_execution(stack: Stack, on_status_change: Function, start_job: Function) -> None:
    app_id = stack.amplify.new_app("main")
    start_job(call(job_request(app_id)))
    for status in ("STARTED", "SUCCEED"):
        on_status_change(event(app_id, status))
    assert requests_about(stack, app_id) == []


def test_a_followed_job_is_taken_over_with_what_amplify_tells(
    stack: Stack, on_status_change: Function, start_job: Function
) -> None:
    app_id = app_with_job(stack)
    on_status_change(event(app_id))
    (request,) = requests_about(stack, app_id)
    answer = start_job(call(request))
    job = answer["job"]["job"]
    assert (job["operation"], job["jobId"], job["jobType"]) == ("follow_job", "1", "RELEASE")
    assert job["origin"] == {
        "startedAt": "2026-03-01T12:00:00Z",
        "commit": COMMIT,
        "message": "Fix",
        "host": "github.com",
        "repository": "acme/web",
    }
    assert answer["job"]["startedAt"] == "2026-03-01T12:00:00Z"
    assert stack.item(**record_key(app_id, "main", "1"))["requestId"] == request["requestId"]
    assert start_job.metrics["JobsStarted"] == 0
    assert stack.amplify.started(app_id) == []
    # A repeat gives the same; the next events wake it or do nothing.
    assert start_job(call(request))["job"]["job"] == job
    on_status_change(event(app_id, "SUCCEED"))
    assert len(requests_about(stack, app_id)) == 1


def test_a_job_that_a_request_of_ours_started_ends_the_follower(
    stack: Stack, on_status_change: Function, start_job: Function
) -> None:
    app_id = stack.amplify.new_app("main")
    # The event is here before the answer to StartJob is recorded.
    stack.amplify.when_started = lambda: on_status_change(event(app_id))
    own = job_request(app_id)
    try:
        start_job(call(own))
    finally:
        stack.amplify.when_started = lambda: None
    (request,) = requests_about(stack, app_id)
    with pytest.raises(AlreadyFollowed):
        start_job(call(request))
    assert stack.item(**record_key(app_id, "main", "1"))["requestId"] == own["requestId"]


def test_a_throttled_account_is_asked_again(stack: Stack, on_status_change: Function, start_job: Function) -> None:
    app_id = app_with_job(stack, commitId="HEAD")
    on_status_change(event(app_id))
    (request,) = requests_about(stack, app_id)
    stack.faults.inject({"service": "amplify", "operation": "GetJob", "fault": "throttle", "times": 2})
    with pytest.raises(Throttled):
        start_job(call(request))
    assert start_job(call(request))["job"]["job"]["origin"]["commit"] is None


def test_a_job_whose_app_was_deleted_is_followed_to_its_end(
    stack: Stack, on_status_change: Function, start_job: Function
) -> None:
    app_id = app_with_job(stack)
    on_status_change(event(app_id))
    (request,) = requests_about(stack, app_id)
    del stack.amplify.apps[app_id]
    answer = start_job(call(request))
    assert answer["job"]["job"]["origin"]["commit"] is None
    polled = stack.function("get_job")({**call(request), "job": answer["job"], "key": answer["key"], "attempt": 1})
    assert (polled["finished"], polled["job"]["state"], polled["job"]["gone"]) == (True, "CANCELLED", True)


def test_a_branch_that_was_made_again_has_its_jobs_followed_anew(
    stack: Stack, on_status_change: Function, start_job: Function
) -> None:
    app_id = app_with_job(stack, status="SUCCEED", endTime=STARTED_AT)
    on_status_change(event(app_id))
    (first,) = requests_about(stack, app_id)
    answer = start_job(call(first))
    stack.function("get_job")({**call(first), "job": answer["job"], "key": answer["key"], "attempt": 1})
    on_status_change(event(app_id, "SUCCEED"))
    assert len(requests_about(stack, app_id)) == 1
    on_status_change({**event(app_id), "time": "2099-03-01T12:00:00Z"})
    (second,) = [one for one in requests_about(stack, app_id) if one != first]
    assert second["parameters"]["predecessor"] == first["requestId"]
    start_job(call(second))
    record = stack.item(**record_key(app_id, "main", "1"))
    assert record["requestId"] == second["requestId"]
    assert "state" not in record


@pytest.mark.parametrize(("without_routes", "executions"), [("true", 1), ("false", 0)])
def test_before_the_first_push_a_parameter_decides(without_routes: str, executions: int) -> None:
    with serving() as empty, pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOLLOW_WITHOUT_ROUTES", without_routes)
        app_id = app_with_job(empty)
        empty.function("on_status_change")(event(app_id))
        assert len(requests_about(empty, app_id)) == executions
