"""What could not be processed waits, is listed with its reason, and can be processed again."""

from __future__ import annotations

import json

import pytest

from amplify_jobs_cli import cli
from tests.support.team import Team


def dead_letters(team: Team) -> int:
    url = team.outputs["deadLetterQueueUrl"]
    attributes = team.session.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def test_an_event_that_a_function_fails_on_waits_and_is_replayed(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    detail = {"appId": "not an id", "branchName": "main", "jobId": "1", "jobStatus": "SUCCEED"}
    arn = f"arn:aws:lambda:{team.cloud.region}:{team.cloud.account}:function:amplify-jobs-on-status-change"
    event = {"source": "aws.amplify", "detail-type": "Amplify Deployment Status Change", "detail": detail}
    team.session.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=json.dumps(event).encode())
    team.until(lambda: dead_letters(team) or None, "the event did not reach the dead-letter queue")

    assert cli.main(["dead-letters", "list"]) == 0
    listed = capsys.readouterr().out
    assert "Amplify Deployment Status Change for amplify-jobs-on-status-change" in listed
    assert "detail.appId" in listed
    assert "1 dead letter." in listed


def test_a_request_is_made_once_more_under_an_id_of_its_own(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    app_id = team.app("replayed")
    team.route("replayed", app_id)
    request_id = team.accepted(team.push("replayed"))
    team.told(request_id)
    capsys.readouterr()

    assert cli.main(["replay", request_id]) == 0
    assert capsys.readouterr().out == f"Started {request_id}-r1.\n"
    assert team.told(f"{request_id}-r1")["job"]["jobId"] == "2"
    assert cli.main(["replay", "web-unknown"]) == 1
    assert "no request web-unknown" in capsys.readouterr().err


def redriven(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, bool]:
    """Redrive, and give which requests were redriven."""
    capsys.readouterr()
    assert cli.main(["redrive", "--json", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    return {one["requestId"]: one["redriven"] for one in report["executions"]}


def test_an_execution_that_somebody_stopped_goes_on_only_if_it_is_named(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    app_id = team.app("stopped", ["sleep 3"])
    request_id = team.asks("start_job", {"appId": app_id, "branchName": "main", "jobType": "RELEASE"})
    team.told(request_id, "Job Started")
    team.stepfunctions.stop_execution(executionArn=team.execution(request_id)["executionArn"])
    assert team.told(request_id)["outcome"] == "UNKNOWN"

    assert redriven(capsys) == {}
    assert redriven(capsys, "--aborted", "--dry-run") == {request_id: False}
    assert redriven(capsys, request_id) == {request_id: True}

    def succeeded() -> bool | None:
        team.collect()
        outcomes = [one["detail"].get("outcome") for one in team.events if one["detail"]["requestId"] == request_id]
        return "SUCCEEDED" in outcomes or None

    team.until(succeeded, "the redriven execution did not tell how the job ended")
