"""get_job against Amplify's wire protocol and moto: what a poll tells the state machine, and what it records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config

from amplify_jobs.aws.amplify import Amplify
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.errors import InvalidEventError, ServiceTrouble
from amplify_jobs.model.job import BranchRef, Job, JobRef
from tests.support.stack import REGION, Function, Stack, execution_of, job_request, record_key, serving


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


@pytest.fixture
def get_job(stack: Stack) -> Iterator[Function]:
    yield stack.function("get_job")
    stack.faults.clear()
    stack.amplify.answers.clear()
    stack.amplify.before_answer = lambda operation: None


def ago(**time: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**time)


class Following:
    """A job that the state machine follows, and what it sends to get_job next."""

    def __init__(self, stack: Stack, **request: Any) -> None:
        self.app_id = stack.amplify.new_app()
        self.request = job_request(self.app_id, **request)
        self.shown: dict[str, Any] = {"summary": {"jobId": "1", "status": "PENDING", "startTime": ago(minutes=5)}}
        stack.amplify.jobs[self.app_id, "main"].append(self.shown)
        self.key = record_key(self.app_id, "main", "1")
        job = {"operation": "start_job", "appId": self.app_id, "branchName": "main", "jobId": "1"}
        self.state: dict[str, Any] = {"job": job, "state": "WAITING", "startedAt": ago(minutes=5).isoformat()}

    def show(self, status: str, *, steps: list[dict[str, Any]] | None = None, **summary: Any) -> None:
        self.shown["summary"] |= {"status": status, **summary}
        self.shown["steps"] = steps or []

    def payload(self) -> dict[str, Any]:
        return {"request": self.request, "execution": execution_of(self.request), "job": self.state, "key": self.key}


def build(status: str, started: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {"stepName": "BUILD", "status": status, **({"startTime": started} if started else {}), **more}


@pytest.mark.parametrize(
    ("status", "state", "finished"),
    [
        ("PENDING", "WAITING", False),
        ("RUNNING", "RUNNING", False),
        ("SUCCEED", "SUCCEEDED", True),
        ("FAILED", "FAILED", True),
        ("CANCELLED", "CANCELLED", True),
    ],
)
def test_every_state(stack: Stack, get_job: Function, status: str, state: str, finished: bool) -> None:
    following = Following(stack)
    following.show(status, steps=[build(status, ago(minutes=4))])
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["finished"]) == (state, finished)
    assert answer["job"]["status"] == status
    assert answer["waitSeconds"] >= 1
    assert stack.item(**following.key)["state"] == state
    assert get_job.metrics["Polls"] == 1
    outcome = {"SUCCEEDED": "JobsSucceeded", "FAILED": "JobsFailed", "CANCELLED": "JobsCancelled"}.get(state)
    assert {name for name in get_job.metrics if name.startswith("Jobs")} == ({outcome} if outcome else set())


def test_the_end_of_a_job_is_recorded_for_those_that_come_after_it(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    begun, ended = ago(seconds=200), ago(seconds=20)
    following.show("SUCCEED", steps=[build("SUCCEED", begun)], endTime=ended)
    get_job(following.payload())
    record = stack.item(**following.key)
    assert (record["leftQueueAt"], record["finishedAt"]) == (begun.isoformat(), ended.isoformat())
    assert get_job.metrics["DetectionDelay"] >= 20
    assert get_job.metrics["PollsPerJob"] == 1
    # The next job of the branch, which no event told about, is expected to take as long.
    following.key = record_key(following.app_id, "main", "2")
    following.show("RUNNING", steps=[build("RUNNING", ago(seconds=1))])
    assert 170 < get_job(following.payload())["waitSeconds"] < 200


def test_only_succeeded_jobs_of_the_branch_count_for_the_wait(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    for number, (state, seconds) in enumerate(
        [("SUCCEEDED", 600), ("FAILED", 3), ("SUCCEEDED", 600), ("CANCELLED", 1)]
    ):
        key = record_key(following.app_id, "main", str(number + 1))
        put(
            stack,
            {
                **key,
                "state": state,
                "leftQueueAt": ago(hours=1).isoformat(),
                "finishedAt": (ago(hours=1) + timedelta(seconds=seconds)).isoformat(),
            },
        )
    following.key = record_key(following.app_id, "main", "9")
    following.show("RUNNING", steps=[build("RUNNING", ago(seconds=1))])
    assert 590 < get_job(following.payload())["waitSeconds"] < 660


def put(stack: Stack, item: dict[str, Any]) -> None:
    stack.jobs_table.put_item(Item=item)


# ---------------------------------------------------------------- deadlines


def test_a_job_that_runs_too_long_is_timed_out(stack: Stack, get_job: Function) -> None:
    following = Following(stack, timeoutMinutes=45)
    following.show("RUNNING", steps=[build("RUNNING", ago(minutes=46))])
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["finished"]) == ("TIMED_OUT", True)
    assert "45 minutes after it left Amplify's queue" in answer["job"]["reason"]
    assert "did not stop it" in answer["job"]["reason"]
    assert get_job.metrics["JobsTimedOut"] == 1
    assert "StopJob" not in [name for name, _ in stack.amplify.calls]


# ---------------------------------------------------------------- what is stopped


def overdue(stack: Stack, **request: Any) -> Following:
    """A job that has run for too long and is to be stopped; it is recorded as started for its request."""
    following = Following(stack, timeoutMinutes=45, onTimeout="stop", **request)
    following.show("RUNNING", steps=[build("RUNNING", ago(minutes=46))])
    put(stack, {**following.key, "requestId": following.request["requestId"]})
    return following


def test_a_job_that_runs_too_long_is_stopped_where_its_route_says_so(stack: Stack, get_job: Function) -> None:
    following = overdue(stack)
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["finished"], answer["retry"]) == ("TIMED_OUT", True, False)
    assert answer["job"]["reason"].endswith("(timeoutMinutes). amplify-jobs stopped it.")
    assert stack.amplify.stopped(following.app_id) == ["1"]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "lose-answer", "times": 2},
        # The call is made twice then, and refused the second time, since the job has been stopped.
        {"fault": "lose-answer", "times": 1},
    ],
)
def test_a_stop_that_may_not_have_arrived_is_tried_again(
    stack: Stack, get_job: Function, fault: dict[str, Any]
) -> None:
    following = overdue(stack)
    stack.faults.inject({"service": "amplify", "operation": "StopJob", **fault})
    with pytest.raises(ServiceTrouble, match="StopJob"):
        get_job(following.payload())
    # If it did arrive, Amplify now shows the job as cancelled; what ended it is the deadline all the same.
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["finished"]) == ("TIMED_OUT", True)
    assert answer["job"]["reason"].endswith("(timeoutMinutes). amplify-jobs stopped it.")
    assert following.shown["summary"]["status"] == "CANCELLED"


def test_a_job_that_amplify_forgot_needs_no_stop(stack: Stack, get_job: Function) -> None:
    following = overdue(stack)
    stack.amplify.answers["GetJob"] = {"job": {"summary": following.shown["summary"], "steps": []}}
    put(stack, {**stack.item(**following.key), "leftQueueAt": ago(minutes=46).isoformat()})
    stack.amplify.jobs[following.app_id, "main"].clear()
    assert get_job(following.payload())["job"]["reason"].endswith("amplify-jobs stopped it.")


def superseded(stack: Stack, **request: Any) -> Following:
    following = Following(stack, **request)
    put(stack, {"pk": f"request#{following.request['requestId']}", "sk": "request", "supersededBy": "web-newer"})
    return following


def test_a_job_that_was_stopped_for_a_newer_request_says_so(stack: Stack, get_job: Function) -> None:
    following = superseded(stack, supersede=True)
    following.show("CANCELLED")
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["job"]["supersededBy"]) == ("CANCELLED", "web-newer")
    assert "web-newer" in answer["job"]["reason"]


# ---------------------------------------------------------------- what is started again


def test_an_execution_that_does_not_count_attempts_follows_its_first(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    assert get_job(following.payload())["attempt"] == 1


# ---------------------------------------------------------------- trouble


@pytest.mark.parametrize("seen", ["by a poll", "in an event"])
def test_a_job_that_was_seen_before_is_gone_at_once(stack: Stack, get_job: Function, seen: str) -> None:
    """As when its app is deleted right after it began: nothing waits until it could have been shown."""
    following = Following(stack)
    following.state["startedAt"] = ago(seconds=10).isoformat()
    if seen == "by a poll":
        following.show("RUNNING")
        assert get_job(following.payload())["finished"] is False
    else:
        JobsTable.connect("jobs").record_status_change(JobRef(BranchRef(REGION, following.app_id, "main"), "1"), ago())
    del stack.amplify.apps[following.app_id]
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["finished"], answer["job"]["gone"]) == ("CANCELLED", True, True)


TROUBLES: list[dict[str, Any]] = [
    {"fault": "throttle"},
    {"fault": "lose-answer"},
    {"fault": "nonsense"},
    {"fault": "refuse", "code": "InternalFailureException", "message": "internal", "status": 500},
    {"fault": "refuse", "code": "AccessDeniedException", "message": "no", "status": 403},
    {"fault": "refuse", "code": "BadRequestException", "message": "Rate exceeded while calling GetJob"},
]


@pytest.mark.parametrize("fault", TROUBLES, ids=lambda fault: str(fault.get("code", fault["fault"])))
def test_trouble_with_amplify_is_tried_again(stack: Stack, get_job: Function, fault: dict[str, Any]) -> None:
    following = Following(stack)
    stack.faults.inject({"service": "amplify", "operation": "GetJob", "times": 9, **fault})
    with pytest.raises(ServiceTrouble, match="GetJob"):
        get_job(following.payload())


def test_an_amplify_that_hangs_is_trouble(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    stack.faults.inject({"service": "amplify", "operation": "GetJob", "fault": "hang"})
    impatient = Config(read_timeout=0.2, retries={"total_max_attempts": 1})
    client = stack.session.client("amplify", endpoint_url=stack.url, config=impatient)
    job = Job.model_validate(following.state["job"])
    with pytest.raises(ServiceTrouble, match="GetJob: no answer"):
        Amplify(start_client=client, read_client=client).get_job(job)
    client.close()


def test_the_functions_own_client_gives_up_before_it_is_killed(get_job: Function) -> None:
    config = get_job.module.services["start_job"]._read_client.meta.config
    assert (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"] < 30


@pytest.mark.parametrize("operation", ["UpdateItem", "Query"])
def test_trouble_with_dynamodb_is_tried_again(stack: Stack, get_job: Function, operation: str) -> None:
    following = Following(stack)
    stack.faults.inject(
        {"service": "dynamodb", "operation": operation, "fault": "refuse", "times": 3,
         "code": "InternalServerError", "message": "internal", "status": 500}
    )  # fmt: skip
    with pytest.raises(ServiceTrouble, match=f"DynamoDB {operation}"):
        get_job(following.payload())


# ---------------------------------------------------------------- events beside polls


def test_a_record_that_is_missing_is_made_and_expires(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    assert get_job(following.payload())["seen"] == "0"
    assert stack.item(**following.key)["expiresAt"] > datetime.now(UTC).timestamp()


def test_every_line_says_which_job_it_is_about(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    log = "https://bucket.s3.amazonaws.com/log?X-Amz-Signature=abc"
    following.show("FAILED", steps=[build("FAILED", ago(minutes=4), statusReason="npm ci failed", logUrl=log)])
    answer = get_job(following.payload())
    keys = {
        "request_id": following.request["requestId"],
        "delivery_id": following.request["cause"]["deliveryId"],
        "app_id": following.app_id,
        "branch_name": "main",
        "job_id": "1",
    }
    assert get_job.logs
    for line in get_job.logs:
        assert line.items() >= keys.items()
    assert "Signature" not in str(get_job.logs)
    assert "Signature" not in str(answer)


def test_an_event_of_another_form_is_refused_without_repeating_it(stack: Stack, get_job: Function) -> None:
    event = Following(stack).payload()
    event["job"] = {**event["job"], "state": "ghp_secret"}
    with pytest.raises(InvalidEventError, match=r"^job\.state: ") as caught:
        get_job(event)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
