"""RedriveExecution has an execution go on where it failed, as Step Functions' guide describes it."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from amplify_jobs_cli import cli
from local.cloud import LocalCloud
from tests.cli.conftest import OUTPUTS
from tests.support.waiting import eventually

Clients = Callable[..., Any]


@pytest.fixture
def states(client: Clients) -> Any:
    return client("stepfunctions")


def start(cloud: LocalCloud, states: Any, event: dict[str, Any]) -> str:
    arn: str = states.start_execution(
        stateMachineArn=cloud.physical_id("Machine"), name=os.urandom(8).hex(), input=json.dumps(event)
    )["executionArn"]
    return arn


def ended(states: Any, arn: str) -> Any:
    def described() -> Any:
        result = states.describe_execution(executionArn=arn)
        return None if result["status"] == "RUNNING" else result

    return eventually(described)


def throttled(cloud: LocalCloud, states: Any) -> str:
    """An execution that failed in its task Invoke, since Lambda throttled it."""
    fault = {"service": "lambda", "operation": "Invoke", "fault": "throttle"}
    urllib.request.urlopen(f"{cloud.endpoint_url}/_local/faults", json.dumps(fault).encode()).close()
    arn = start(cloud, states, {"a": 1})
    assert ended(states, arn)["error"] == "Lambda.TooManyRequestsException"
    return arn


def test_a_failed_execution_goes_on_in_the_state_that_failed(cloud: LocalCloud, states: Any) -> None:
    arn = throttled(cloud, states)
    assert states.describe_execution(executionArn=arn)["redriveStatus"] == "REDRIVABLE"
    date = states.redrive_execution(executionArn=arn)["redriveDate"]
    described = ended(states, arn)
    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", {"a": 1})
    assert (described["redriveCount"], described["redriveDate"]) == (1, date)
    assert "error" not in described
    history = states.get_execution_history(executionArn=arn)["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    assert entered == ["Which", "Invoke", "Invoke", "Done"]
    assert [event["type"] for event in history if event["type"].startswith("Execution")] == [
        "ExecutionStarted",
        "ExecutionFailed",
        "ExecutionRedriven",
        "ExecutionSucceeded",
    ]
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))


def test_status_changes_tell_of_a_redrive(cloud: LocalCloud, states: Any) -> None:
    arn = throttled(cloud, states)
    states.redrive_execution(executionArn=arn)

    def changes() -> list[tuple[str, int]]:
        details = [event["detail"] for event in cloud.events.archived("small-KeptChanges")]
        return [(one["status"], one["redriveCount"]) for one in details if one["executionArn"] == arn]

    eventually(lambda: changes() == [("RUNNING", 0), ("FAILED", 0), ("RUNNING", 1), ("SUCCEEDED", 1)])
    machine = cloud.physical_id("Machine")
    listed = states.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]
    assert [one["redriveCount"] for one in listed if one["executionArn"] == arn] == [1]


def test_an_execution_that_was_stopped_waits_again(cloud: LocalCloud, states: Any, client: Clients) -> None:
    arn = start(cloud, states, {"do": "await", "key": "redriven"})
    table = {"TableName": cloud.physical_id("Table"), "Key": {"pk": {"S": "redriven"}}}

    def token() -> Any:
        return client("dynamodb").get_item(**table).get("Item", {}).get("taskToken", {}).get("S")

    first = eventually(token)
    states.stop_execution(executionArn=arn)
    assert ended(states, arn)["status"] == "ABORTED"
    states.redrive_execution(executionArn=arn)
    second = eventually(lambda: token() if token() != first else None)
    states.send_task_success(taskToken=second, output="{}")
    assert ended(states, arn)["status"] == "SUCCEEDED"


def test_a_redrive_that_fails_again_can_be_redriven_again(cloud: LocalCloud, states: Any) -> None:
    arn = start(cloud, states, {"do": "exit", "code": 3})
    for count in (0, 1, 2):
        described = ended(states, arn)
        assert (described["status"], described["error"]) == ("FAILED", "Runtime.ExitError")
        assert described["redriveCount"] == count
        states.redrive_execution(executionArn=arn)
    ended(states, arn)


def test_what_does_not_run_wrong_is_not_redriven(cloud: LocalCloud, states: Any) -> None:
    succeeded = start(cloud, states, {"do": "pass"})
    ended(states, succeeded)
    running = start(cloud, states, {"do": "await", "key": "not redriven"})
    for arn in (succeeded, running):
        with pytest.raises(states.exceptions.ExecutionNotRedrivable):
            states.redrive_execution(executionArn=arn)
    states.stop_execution(executionArn=running)
    with pytest.raises(states.exceptions.ExecutionDoesNotExist):
        states.redrive_execution(executionArn=f"{succeeded}-unknown")
    with pytest.raises(states.exceptions.InvalidArn):
        states.redrive_execution(executionArn="none")


def test_a_call_that_is_sent_twice_is_one_redrive(cloud: LocalCloud, states: Any) -> None:
    arn = throttled(cloud, states)
    dates = [states.redrive_execution(executionArn=arn, clientToken="once")["redriveDate"] for _ in range(2)]
    assert dates[0] == dates[1]
    assert ended(states, arn)["redriveCount"] == 1


def test_the_command_line_redrives_all_that_failed_those_of_a_time_and_those_that_are_named(
    cloud: LocalCloud,
    states: Any,
    client: Clients,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outputs = {**OUTPUTS, "stateMachineArn": cloud.physical_id("Machine")}
    client("ssm").put_parameter(Name="/redriven/outputs", Type="String", Value=json.dumps(outputs))
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
    stopped = start(cloud, states, {"do": "await", "key": "stopped before"})
    table = {"TableName": cloud.physical_id("Table"), "Key": {"pk": {"S": "stopped before"}}}
    eventually(lambda: client("dynamodb").get_item(**table).get("Item"))
    states.stop_execution(executionArn=stopped)
    ended(states, stopped)
    arns = [throttled(cloud, states) for _ in range(3)]
    names = [arn.rpartition(":")[2] for arn in arns]

    def redrive(*arguments: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert cli.main(["redrive", "--stack", "redriven", "--json", *arguments]) == code
        report = json.loads(capsys.readouterr().out)
        return {one["requestId"]: one["redriven"] for one in report["executions"]}, report["unknown"]

    meant, _ = redrive("--dry-run", "--since", "1h")
    assert {name: meant[name] for name in names} == dict.fromkeys(names, False)
    assert stopped.rpartition(":")[2] not in meant
    assert redrive(names[0]) == ({names[0]: True}, [])
    assert redrive(names[0], "unknown", code=1) == ({}, sorted([names[0], "unknown"]))
    done, _ = redrive("--since", "1h")
    assert [done.get(name) for name in names] == [None, True, True]
    assert [ended(states, arn)["status"] for arn in arns] == ["SUCCEEDED"] * 3

    assert cli.main(["redrive", "--stack", "redriven", "--aborted", stopped.rpartition(":")[2]]) == 0
    assert "1 execution redriven." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["redrive", "--since", "soon"])
    assert "use a number of minutes, hours or days" in capsys.readouterr().err
