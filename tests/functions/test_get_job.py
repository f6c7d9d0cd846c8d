"""get_job against Amplify's wire protocol and moto: what a poll tells the state machine, and what it records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config

from amplify_jobs.aws.amplify import Amplify
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.job import BranchRef, Job, JobRef
from tests.support.stack import REGION, Function, Stack, execution_of, job_request, record_key, serving


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as made:
        yield made


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
        ("CREATED", "WAITING", False),
        ("PENDING", "WAITING", False),
        ("PROVISIONING", "RUNNING", False),
        ("RUNNING", "RUNNING", False),
        ("CANCELLING", "RUNNING", False),
        ("SUCCEED", "SUCCEEDED", True),
        ("FAILED", "FAILED", True),
        ("CANCELLED", "CANCELLED", True),
    ],
)
def test_every_status(stack: Stack, get_job: Function, status: str, state: str, finished: bool) -> None:
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


def test_a_status_never_seen_before_counts_as_running(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    stack.amplify.answers["GetJob"] = {"job": {"summary": {"status": "PAUSED"}}}
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["job"]["status"], answer["finished"]) == ("RUNNING", "PAUSED", False)


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


def test_the_queue_is_not_charged_to_the_run(stack: Stack, get_job: Function) -> None:
    following = Following(stack, timeoutMinutes=45, receivedAt=ago(minutes=300).isoformat())
    following.show("RUNNING", steps=[build("RUNNING", ago(minutes=44, seconds=30))])
    answer = get_job(following.payload())
    assert answer["finished"] is False
    assert answer["waitSeconds"] <= 30


def test_a_job_that_stays_in_the_queue_is_timed_out(stack: Stack, get_job: Function) -> None:
    following = Following(stack, startWithinMinutes=30, receivedAt=ago(minutes=31).isoformat())
    answer = get_job(following.payload())
    assert answer["job"]["state"] == "TIMED_OUT"
    assert "still in Amplify's queue" in answer["job"]["reason"]


def test_when_a_job_left_the_queue_is_remembered(stack: Stack, get_job: Function) -> None:
    """Amplify may show a job running without saying since when; its time runs from when that was seen first."""
    following = Following(stack, timeoutMinutes=45)
    following.show("RUNNING")
    get_job(following.payload())
    first = stack.item(**following.key)["leftQueueAt"]
    get_job(following.payload())
    assert stack.item(**following.key)["leftQueueAt"] == first
    put(stack, {**stack.item(**following.key), "leftQueueAt": ago(minutes=46).isoformat()})
    assert get_job(following.payload())["job"]["state"] == "TIMED_OUT"


def test_a_job_that_ended_late_has_its_outcome(stack: Stack, get_job: Function) -> None:
    following = Following(stack, timeoutMinutes=45)
    following.show("SUCCEED", steps=[build("SUCCEED", ago(minutes=90))], endTime=ago(minutes=1))
    assert get_job(following.payload())["job"]["state"] == "SUCCEEDED"


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


@pytest.mark.parametrize("recorded", [{}, {"requestId": "web-of-somebody-else"}])
def test_a_job_that_was_not_started_for_the_request_is_never_stopped(
    stack: Stack, get_job: Function, recorded: dict[str, str]
) -> None:
    following = overdue(stack)
    put(stack, {**following.key, **recorded})
    answer = get_job(following.payload())
    assert answer["job"]["state"] == "TIMED_OUT"
    assert "did not stop it" in answer["job"]["reason"]
    assert stack.amplify.stopped(following.app_id) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "throttle", "times": 2},
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


def test_a_job_that_ended_before_it_could_be_stopped_has_its_outcome(stack: Stack, get_job: Function) -> None:
    following = overdue(stack)
    stack.faults.inject({"service": "amplify", "operation": "StopJob", "fault": "throttle", "times": 2})
    with pytest.raises(ServiceTrouble):
        get_job(following.payload())
    following.show("SUCCEED", steps=[build("SUCCEED", ago(minutes=46))], endTime=ago(seconds=1))
    assert get_job(following.payload())["job"]["state"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": "refuse", "code": "BadRequestException", "message": "not now"}, "BadRequestException: not now"),
        ({"fault": "refuse", "code": "AccessDeniedException", "message": "no", "status": 403}, "policy right"),
        ({"fault": "throttle", "times": 2}, "StopJob"),
    ],
)
def test_ten_minutes_past_its_deadline_people_are_told_of_a_job_that_cannot_be_stopped(
    stack: Stack, get_job: Function, fault: dict[str, Any], said: str
) -> None:
    following = overdue(stack)
    following.show("RUNNING", steps=[build("RUNNING", ago(minutes=56))])
    stack.faults.inject({"service": "amplify", "operation": "StopJob", **fault})
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["finished"]) == ("TIMED_OUT", True)
    assert "could not stop it" in answer["job"]["reason"]
    assert said in answer["job"]["reason"]


@pytest.mark.parametrize("minutes", [1, 9])
def test_for_ten_minutes_past_its_deadline_a_stop_is_tried_again(stack: Stack, get_job: Function, minutes: int) -> None:
    following = overdue(stack)
    following.show("RUNNING", steps=[build("RUNNING", ago(minutes=45 + minutes))])
    stack.faults.inject({"service": "amplify", "operation": "StopJob", "fault": "throttle", "times": 2})
    with pytest.raises(ServiceTrouble, match="StopJob"):
        get_job(following.payload())


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


@pytest.mark.parametrize(("status", "state"), [("SUCCEED", "SUCCEEDED"), ("FAILED", "FAILED"), ("RUNNING", "RUNNING")])
def test_a_job_that_the_stop_came_too_late_for_has_its_outcome(
    stack: Stack, get_job: Function, status: str, state: str
) -> None:
    following = superseded(stack, supersede=True)
    following.show(status, steps=[build(status, ago(minutes=4))])
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["job"]["supersededBy"]) == (state, None)


def test_a_job_that_a_person_stopped_was_not_superseded(stack: Stack, get_job: Function) -> None:
    following = Following(stack, supersede=True)
    following.show("CANCELLED")
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["job"]["supersededBy"]) == ("CANCELLED", None)


# ---------------------------------------------------------------- what is started again


@pytest.mark.parametrize(
    ("status", "retries", "attempts"),
    [
        ("FAILED", 0, []),
        ("FAILED", 2, [1, 2]),
        ("SUCCEED", 2, []),
        ("CANCELLED", 2, []),
        ("RUNNING", 2, []),
    ],
)
def test_a_failed_job_is_started_again_as_often_as_its_route_says(
    stack: Stack, get_job: Function, status: str, retries: int, attempts: list[int]
) -> None:
    following = Following(stack, retry=retries)
    following.show(status)
    answers = [get_job({**following.payload(), "attempt": attempt}) for attempt in (1, 2, 3)]
    assert [answer["attempt"] for answer in answers] == [1, 2, 3]
    assert [answer["attempt"] for answer in answers if answer["retry"]] == attempts


def test_a_job_that_timed_out_is_not_started_again(stack: Stack, get_job: Function) -> None:
    following = overdue(stack, retry=2)
    assert get_job({**following.payload(), "attempt": 1})["retry"] is False


def test_an_execution_that_does_not_count_attempts_follows_its_first(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    assert get_job(following.payload())["attempt"] == 1


@pytest.mark.parametrize(("attempt", "state"), [(1, "TIMED_OUT"), (2, "WAITING")])
def test_the_time_to_start_begins_anew_with_each_attempt(
    stack: Stack, get_job: Function, attempt: int, state: str
) -> None:
    following = Following(stack, startWithinMinutes=30, retry=1, receivedAt=ago(minutes=90).isoformat())
    answer = get_job({**following.payload(), "attempt": attempt})
    assert answer["job"]["state"] == state
    if attempt == 2:
        assert answer["waitSeconds"] <= 25 * 60


# ---------------------------------------------------------------- trouble


def test_a_job_that_amplify_no_longer_knows(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    stack.amplify.jobs[following.app_id, "main"].clear()
    answer = get_job(following.payload())
    assert (answer["job"]["state"], answer["finished"]) == ("CANCELLED", True)
    assert "no longer knows this job" in answer["job"]["reason"]


def test_a_job_that_amplify_does_not_show_yet(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    stack.amplify.jobs[following.app_id, "main"].clear()
    following.state["startedAt"] = ago(seconds=10).isoformat()
    with pytest.raises(ServiceTrouble, match="NotFound"):
        get_job(following.payload())


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
    config = get_job.module.connected["start_job"]._read_client.meta.config
    assert (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"] < 30


@pytest.mark.parametrize("fault", TROUBLES[:2], ids=lambda fault: str(fault["fault"]))
def test_trouble_with_amplify_ends_at_the_deadline(stack: Stack, get_job: Function, fault: dict[str, Any]) -> None:
    following = Following(stack, startWithinMinutes=1, receivedAt=ago(minutes=2).isoformat())
    stack.faults.inject({"service": "amplify", "operation": "GetJob", "times": 9, **fault})
    answer = get_job(following.payload())
    assert answer["job"]["state"] == "TIMED_OUT"
    assert "Amplify's last answer: GetJob" in answer["job"]["reason"]


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


def test_a_poll_answers_with_the_changes_that_it_had_seen_before_it_asked(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    put(stack, {**following.key, "changes": 3})
    assert get_job(following.payload())["seen"] == "3"


def test_a_change_during_the_poll_is_not_counted_as_seen(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    put(stack, {**following.key, "changes": 3})

    def count_a_change(operation: str) -> None:
        if operation == "GetJob":
            put(stack, {**stack.item(**following.key), "changes": 4})

    stack.amplify.before_answer = count_a_change
    assert get_job(following.payload())["seen"] == "3"
    assert stack.item(**following.key)["changes"] == 4


def test_an_end_that_was_told_and_is_not_shown_yet_is_soon_asked_for_again(stack: Stack, get_job: Function) -> None:
    following = Following(stack)
    following.show("RUNNING", steps=[build("RUNNING", ago(seconds=40))])
    put(stack, {**following.key, "changes": 1})
    assert get_job(following.payload())["waitSeconds"] == 5


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
