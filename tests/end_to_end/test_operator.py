"""The command line works with the rights of OperatorPolicy, and writes nothing with those of ReaderPolicy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from amplify_jobs_cli import cli
from tests.support.team import SECRET_NAME, Team

pytestmark = pytest.mark.thorough


@pytest.fixture
def acting(team: Team, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Give the command line the rights of one policy of the template, and the name under which it then acts."""
    policy: str = request.param
    for name, value in team.cloud.credentials(policy).variables().items():
        monkeypatch.setenv(name, value)
    return f"amplify-jobs-{policy}"


operator = pytest.mark.parametrize("acting", ["OperatorPolicy"], indirect=True)
reader = pytest.mark.parametrize("acting", ["ReaderPolicy"], indirect=True)


def refused(team: Team, role: str) -> list[str]:
    shown = team.cloud.authorization.report()["roles"][role]["accesses"]
    return [f"{one['action']} on {one['resource']}" for one in shown if one["decision"] != "allowed"]


def asked(team: Team, role: str) -> set[str]:
    return {one["action"] for one in team.cloud.authorization.report()["roles"][role]["accesses"]}


def pushed(folder: Path, app_id: str, routes: dict[str, Any]) -> int:
    file = folder / "routes.yaml"
    source = {"provider": "github", "secrets": [SECRET_NAME]}
    parameters = {"appId": app_id, "branchName": "main", "jobType": "RELEASE"}
    request = {"operation": "start_job", "parameters": parameters}
    written = {name: {"when": when, "request": request} for name, when in routes.items()}
    file.write_text(yaml.safe_dump({"sources": {"github": source}, "routes": written}))
    return cli.main(["routes", "push", "--yes", str(file)])


@operator
def test_an_operator_pushes_routes_with_schedules(
    team: Team, acting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app_id = str(team.amplify.create_app(name="operated")["app"]["appId"])
    team.amplify.create_branch(appId=app_id, branchName="main")
    push = {"push": {"repository": "acme/operated", "branches": ["main"]}}
    monthly = {"schedule": {"expression": "rate(30 days)"}}
    yearly = {"schedule": {"expression": "rate(365 days)"}}
    stored = {"object": {"bucket": "e2e-artifacts", "prefix": "web/"}}
    for routes in ({"a": push, "b": monthly, "c": stored}, {"a": push, "b": yearly}, {"a": push}):
        assert pushed(tmp_path, app_id, routes) == 0, capsys.readouterr().err
    assert refused(team, acting) == []
    assert asked(team, acting) >= {
        "iam:PassRole",
        "s3:GetObject",
        "s3:PutObject",
        "scheduler:CreateSchedule",
        "scheduler:DeleteSchedule",
        "scheduler:UpdateSchedule",
        "ssm:GetParameter",
        "ssm:GetParametersByPath",
        "ssm:PutParameter",
    }


@operator
def test_an_operator_has_things_processed_again(
    team: Team, acting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app_id = team.app("again")
    parameters = {"appId": app_id, "branchName": "main", "jobType": "RELEASE"}
    request_id = team.asks("start_job", parameters)
    team.told(request_id)
    event = {"source": "nobody", "detail-type": "Nothing", "detail": {}}
    arn = f"arn:aws:lambda:{team.cloud.region}:{team.cloud.account}:function:amplify-jobs-on-status-change"
    team.session.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=json.dumps(event).encode())

    assert cli.main(["replay", request_id]) == 0, capsys.readouterr().err
    assert team.told(f"{request_id}-r1")["job"]["jobId"] == "2"

    assert cli.main(["dead-letters", "list"]) == 0

    def sent_again() -> bool | None:
        assert cli.main(["dead-letters", "replay"]) == 0
        return "1 dead letter sent again" in capsys.readouterr().out or None

    team.until(sent_again, "the event did not become a dead letter")
    assert refused(team, acting) == []
    assert asked(team, acting) >= {"lambda:InvokeFunction", "sqs:ReceiveMessage", "states:StartExecution"}


@reader
def test_a_reader_is_told_which_right_is_missing(
    team: Team, acting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app_id = str(team.amplify.create_app(name="read")["app"]["appId"])
    assert pushed(tmp_path, app_id, {"a": {"push": {"repository": "acme/read", "branches": ["main"]}}}) == 1
    text = capsys.readouterr().err
    assert f"assumed-role/{acting}/person is not authorized to perform: " in text
    assert "Traceback" not in text


@operator
def test_an_operator_redrives_what_was_stopped(team: Team, acting: str, capsys: pytest.CaptureFixture[str]) -> None:
    app_id = team.app("redriven", ["sleep 3"])
    request_id = team.asks("start_job", {"appId": app_id, "branchName": "main", "jobType": "RELEASE"})
    team.told(request_id, "Job Started")
    team.stepfunctions.stop_execution(executionArn=team.execution(request_id)["executionArn"])
    assert team.told(request_id)["outcome"] == "UNKNOWN"
    assert cli.main(["redrive", request_id]) == 0, capsys.readouterr().err
    assert refused(team, acting) == []
    assert asked(team, acting) >= {"states:ListExecutions", "states:RedriveExecution"}


@pytest.fixture
def looked_at(team: Team) -> str:
    """Push routes with an app, by somebody who may, and give the app's id."""
    app_id = team.app("looked-at")
    team.route("looked-at", app_id)
    return app_id


@reader
def test_a_reader_sees_what_became_of_a_push(team: Team, looked_at: str, acting: str) -> None:
    app_id = looked_at
    request_id = team.asks("start_job", {"appId": app_id, "branchName": "main", "jobType": "RELEASE"})
    job_id = team.told(request_id)["job"]["jobId"]
    own = boto3.Session()
    outputs = json.loads(own.client("ssm").get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])
    s3 = own.client("s3")
    assert json.load(s3.get_object(Bucket=outputs["bucketName"], Key="routes.json")["Body"])["routes"]
    team.store("results/reader.json", b"{}")
    assert s3.get_object(Bucket=outputs["bucketName"], Key="results/reader.json")["Body"].read() == b"{}"
    steps = own.client("stepfunctions")
    listed = steps.list_executions(stateMachineArn=outputs["stateMachineArn"])["executions"]
    (arn,) = [one["executionArn"] for one in listed if one["name"] == request_id]
    assert steps.describe_execution(executionArn=arn)["status"] == "SUCCEEDED"
    assert steps.get_execution_history(executionArn=arn)["events"]
    for queue in ("intakeQueueUrl", "intakeDeadLetterQueueUrl", "deadLetterQueueUrl"):
        assert own.client("sqs").get_queue_attributes(QueueUrl=outputs[queue], AttributeNames=["All"])["Attributes"]
    amplify = own.client("amplify")
    assert amplify.get_app(appId=app_id)["app"]["name"] == "looked-at"
    assert amplify.get_branch(appId=app_id, branchName="main")["branch"]["branchName"] == "main"
    assert amplify.get_job(appId=app_id, branchName="main", jobId=job_id)["job"]["summary"]["status"] == "SUCCEED"
    assert amplify.list_jobs(appId=app_id, branchName="main")["jobSummaries"]
    # A call that is refused raises: nothing above was.
    own.client("cloudwatch").describe_alarms()


@reader
def test_a_reader_changes_nothing(team: Team, acting: str) -> None:
    app_id = team.manual_app("left-alone")["appId"]
    own, bucket = boto3.Session(), team.outputs["bucketName"]
    arn = team.outputs["stateMachineArn"]
    event: Any = {"EventBusName": team.outputs["busName"], "Source": "a", "DetailType": "Job Requested", "Detail": "{}"}
    changes: list[Callable[[], Any]] = [
        lambda: own.client("s3").put_object(Bucket=bucket, Key="routes.json", Body=b"{}"),
        lambda: own.client("s3").delete_object(Bucket=bucket, Key="routes.json"),
        lambda: own.client("ssm").get_parameters(Names=[SECRET_NAME], WithDecryption=True),
        lambda: own.client("ssm").put_parameter(Name=SECRET_NAME, Value="x", Type="SecureString", Overwrite=True),
        lambda: own.client("stepfunctions").start_execution(stateMachineArn=arn, input="{}"),
        lambda: own.client("sqs").receive_message(QueueUrl=team.outputs["deadLetterQueueUrl"]),
        lambda: own.client("events").put_events(Entries=[event]),
        lambda: own.client("lambda").invoke(FunctionName=team.outputs["receiveEventFunctionArn"], Payload=b"{}"),
        lambda: own.client("amplify").start_job(appId=app_id, branchName="main", jobType="RELEASE"),
    ]
    for change in changes:
        with pytest.raises(ClientError, match="not authorized"):
            change()
