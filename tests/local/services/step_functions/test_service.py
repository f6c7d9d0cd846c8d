"""State machines run as on AWS, as far as moto's interpreter does and what the local cloud keeps of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from tests.support.waiting import eventually

Clients = Callable[..., Any]
ROLE = "arn:aws:iam::123456789012:role/any"


@pytest.fixture(scope="module")
def states(client: Clients) -> Any:
    return client("stepfunctions")


def ended(states: Any, definition: dict[str, Any], parameters: Any) -> dict[str, Any]:
    """Run an execution of a definition to its end, and describe it."""
    name = f"m{uuid4().hex}"
    machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine, input=json.dumps(parameters))["executionArn"]
    eventually(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING")
    return dict(states.describe_execution(executionArn=arn))


def invoke(event: Any, **more: Any) -> dict[str, Any]:
    parameters = {"FunctionName": "small-patient", "Payload": event}
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters, "End": True, **more}


def has_failed(states: Any, arn: str) -> bool:
    return bool(states.describe_execution(executionArn=arn)["status"] == "FAILED")


PATHS = [
    ("$.a.b", {"a": {"b": [1, {"c": None}]}}),
    ("$.a", {"a": 0}),
    ("$", {"a": 1}),
    ("$.a[1]", {"a": [1, 2]}),
    ("$['a']", {"a": "x"}),
    ("$.list[*].n", {"list": [{"n": 1}, {"n": 2}]}),
    ("$$.Execution.Input.a", {"a": {"deep": True}}),
]


@pytest.mark.parametrize(("path", "parameters"), PATHS)
def test_paths_give_what_they_gave_in_moto(states: Any, path: str, parameters: Any) -> None:
    values = {
        "$.a.b": [1, {"c": None}],
        "$.a": 0,
        "$": {"a": 1},
        "$.a[1]": 2,
        "$['a']": "x",
        "$.list[*].n": [1, 2],
        "$$.Execution.Input.a": {"deep": True},
    }
    end = ended(
        states,
        {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"v.$": path}, "End": True}}},
        parameters,
    )
    assert json.loads(end["output"]) == {"v": values[path]}


def test_a_path_to_nothing_fails_the_execution(states: Any) -> None:
    machine = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"v.$": "$.a.b"}, "End": True}}}
    assert ended(states, machine, {"a": [{"b": 1}]})["status"] == "FAILED"


def test_executions_of_one_definition_do_not_share_their_retries(states: Any) -> None:
    retry = [{"ErrorEquals": ["WrongError"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    machine = {"StartAt": "T", "States": {"T": invoke({"do": "raise"}, Retry=retry)}}
    name = f"m{uuid4().hex}"
    arn = states.create_state_machine(name=name, definition=json.dumps(machine), roleArn=ROLE)["stateMachineArn"]
    executions = [states.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(3)]
    for one in executions:
        eventually(partial(has_failed, states, one))
        events = states.get_execution_history(executionArn=one)["events"]
        assert [event["type"] for event in events].count("TaskScheduled") == 2


def test_a_task_that_is_timed_out_has_an_error_and_a_cause(states: Any) -> None:
    task = invoke({"do": "sleep", "seconds": 20}, TimeoutSeconds=1)
    task |= {"Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "F"}]}
    fail = {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}
    end = ended(states, {"StartAt": "T", "States": {"T": task, "F": fail}}, {})
    assert (end["status"], end["error"], end.get("cause", "")) == ("FAILED", "States.Timeout", "")


def test_a_function_s_answer_that_is_lost_is_the_client_s_error(client: Clients, cloud: Any, states: Any) -> None:
    cloud.faults.inject({"service": "lambda", "operation": "Invoke", "fault": "lose-answer"})
    end = ended(states, {"StartAt": "T", "States": {"T": invoke({})}}, {})
    assert (end["status"], end["error"]) == ("FAILED", "Lambda.SdkClientException")


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:none"}, "StateMachineDoesNotExist"),
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"name": "a b"}, "InvalidName"),
    ],
)
def test_what_start_execution_refuses(states: Any, parameters: dict[str, str], code: str) -> None:
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    arn = states.create_state_machine(name=f"m{uuid4().hex}", definition=definition, roleArn=ROLE)["stateMachineArn"]
    with pytest.raises(states.exceptions.ClientError) as refused:
        states.start_execution(**{"stateMachineArn": arn, **parameters})
    assert refused.value.response["Error"]["Code"] == code
