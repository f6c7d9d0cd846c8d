"""The simulated executor follows the committed definition, and refuses what it does not know."""

import json
from typing import Any

import pytest

from amplify_jobs.following.wait import EarlierJob
from benchmarks.machine import Call, Clock, NotSimulatedError, TaskError, walk
from benchmarks.polling import CALL_SECONDS, DEFINITION, EVENT_SECONDS, SimulatedJob, follow, follow_plainly

ALWAYS = ["Preview?", "StartJob", "AnnounceStart", "AwaitChange", "GetJob", "Finished?", "AnnounceEnd"]
CONTEXT = {"Execution": {"Id": "execution", "Input": {}}, "Task": {"Token": "token"}}


def definition() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DEFINITION.read_text(encoding="utf-8"))
    return loaded


def walked(job: SimulatedJob) -> list[str]:
    return [visit.state for visit in walk(definition(), {}, CONTEXT, job.task, job.clock).visits]


def test_an_event_ends_the_wait() -> None:
    job = SimulatedJob(200, events=True, earlier=())
    assert walked(job) == ALWAYS


def test_the_announcement_comes_one_poll_after_the_event() -> None:
    followed = follow(definition(), SimulatedJob(200, events=True, earlier=()))
    assert (followed.transitions, followed.polls) == (7, 1)
    assert followed.delay == pytest.approx(EVENT_SECONDS + CALL_SECONDS)


def test_without_events_a_job_longer_than_those_before_is_asked_for_again() -> None:
    earlier = [EarlierJob(60, end_event_received=False)] * 10
    states = walked(SimulatedJob(66, events=False, earlier=earlier))
    assert states[:6] == ALWAYS[:6]
    assert states[6:9] == ["AwaitChange", "GetJob", "Finished?"]
    assert states[-1] == "AnnounceEnd"


def test_an_event_that_nobody_waited_for_ends_the_next_wait_at_once() -> None:
    job = SimulatedJob(60, events=True, earlier=())
    started = job.task(lambda_call("${StartJobFunctionArn}", {}))["Payload"]
    job.clock.now = job.ends_at + EVENT_SECONDS
    with pytest.raises(TaskError, match=r"DynamoDb\.ConditionalCheckFailedException"):
        job.task(await_call(seen=started["seen"], seconds=started["waitSeconds"]))


def test_the_time_limit_ends_a_wait_without_an_event() -> None:
    job = SimulatedJob(60, events=False, earlier=())
    started = job.task(lambda_call("${StartJobFunctionArn}", {}))["Payload"]
    before = job.clock.now
    with pytest.raises(TaskError, match=r"States\.Timeout"):
        job.task(await_call(seen=started["seen"], seconds=12))
    assert job.clock.now == before + 12


def test_the_plain_poller_asks_every_fifteen_seconds() -> None:
    followed = follow_plainly(10)
    assert (followed.polls, followed.polling_transitions) == (1, 3)
    assert follow_plainly(20).polls == 2


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ({"Type": "Wait", "Seconds": 1, "Next": "B"}, "A: states of type Wait are not simulated"),
        ({"Type": "Task", "Resource": "r", "Parameters": {}, "OutputPath": "$", "End": True}, "OutputPath"),
        ({"Type": "Choice", "Choices": [{"Variable": "$.a", "IsTimestamp": True, "Next": "B"}]}, "BooleanEquals"),
    ],
)
def test_what_is_not_simulated_is_refused(state: dict[str, Any], text: str) -> None:
    with pytest.raises(NotSimulatedError, match=text):
        walk({"StartAt": "A", "States": {"A": state}}, {}, {}, lambda call: {}, Clock())


def failing(call: Call) -> Any:
    raise TaskError("Broken")


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ({}, "A: Broken is not caught"),
        ({"Retry": [{"ErrorEquals": ["Broken"]}]}, "A: Broken would be retried"),
        ({"Catch": [{"ErrorEquals": ["Other"], "Next": "A"}]}, "A: Broken is not caught"),
    ],
)
def test_a_failure_that_no_state_takes_is_told(rules: dict[str, Any], text: str) -> None:
    state = {"Type": "Task", "Resource": "r", "Parameters": {}, "End": True, **rules}
    with pytest.raises(NotSimulatedError, match=text):
        walk({"StartAt": "A", "States": {"A": state}}, {}, {}, failing, Clock())


def test_a_caught_failure_goes_where_the_catcher_says_with_the_error_in_its_place() -> None:
    states = {
        "A": {
            "Type": "Task",
            "Resource": "r",
            "Parameters": {},
            "Retry": [{"ErrorEquals": ["Broken"], "MaxAttempts": 0}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "B"}],
            "End": True,
        },
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.kept", "BooleanEquals": True, "Next": "C"}],
            "Default": "A",
        },
        "C": {"Type": "Succeed"},
    }
    done = walk({"StartAt": "A", "States": states}, {"kept": True}, {}, failing, Clock())
    assert [visit.state for visit in done.visits] == ["A", "B", "C"]


def lambda_call(function: str, payload: dict[str, Any]) -> Call:
    return Call("arn:aws:states:::lambda:invoke", {"FunctionName": function, "Payload": payload}, 60)


def await_call(*, seen: str, seconds: float) -> Call:
    resource = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
    return Call(resource, {"ExpressionAttributeValues": {":seen": {"N": seen}}}, seconds)
