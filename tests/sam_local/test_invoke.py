"""Every function under `sam local invoke`, with the events of the folder events/, against the local cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.sam_running import Running
from tests.support.waiting import eventually, messages

APP_ID = "d1a2b3c4d5e6"
EXAMPLE_REQUEST_ID = "web-5f1c0a7e9b3d4c2f8a6e1d0b7c9f3a52"


def test_a_signed_delivery_becomes_one_execution(running: Running) -> None:
    for duplicate in (False, True):
        answer = running.invoke("ReceiveWebhookFunction", "receive_webhook.push.json")
        assert answer["statusCode"] == 202
        content = json.loads(answer["body"])
        assert content["events"][0]["message"] == "Greet visitors by name"
        [request] = content["requests"]
        assert (request["route"], request["operation"], request["duplicate"]) == ("web", "start_job", duplicate)
    assert eventually(running.ended_executions)[-1] == "SUCCEEDED"


def test_a_delivery_with_another_signature_is_refused(running: Running) -> None:
    def forge(event: dict[str, Any]) -> None:
        event["headers"]["x-hub-signature-256"] = "sha256=" + "0" * 64

    assert running.invoke("ReceiveWebhookFunction", "receive_webhook.push.json", forge)["statusCode"] == 401


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("receive_event.schedule.json", "schedule"),
        ("receive_event.object.json", "object"),
        ("receive_event.codecommit_push.json", "push"),
        ("receive_event.codecommit_pull_request.json", "pull_request"),
        ("receive_event.job_requested.json", "request"),
        ("receive_event.job_request.json", "request"),
        ("receive_event.named_route.json", "request"),
    ],
)
def test_an_event_of_aws_is_understood(running: Running, event: str, kind: str) -> None:
    answer = running.invoke("ReceiveEventFunction", event)
    assert [occurrence["kind"] for occurrence in answer["events"]] == [kind]
    assert answer["deferred"] == []


def test_what_waited_in_the_intake_queue_is_started(running: Running) -> None:
    assert running.invoke("DrainIntakeFunction", "drain_intake.json") == {"batchItemFailures": []}
    started = running.stepfunctions.list_executions(stateMachineArn=running.names["STATE_MACHINE_ARN"])["executions"]
    described = [running.stepfunctions.describe_execution(executionArn=one["executionArn"]) for one in started]
    assert "2" * 40 in [json.loads(execution["input"])["cause"]["commit"] for execution in described]


def test_a_request_becomes_a_job(running: Running) -> None:
    answer = running.invoke("StartJobFunction", "start_job.json")
    assert (answer["finished"], answer["job"]["state"]) == (False, "WAITING")
    job = answer["job"]["job"]
    assert (job["appId"], job["branchName"]) == (APP_ID, "main")
    summary = running.amplify.get_job(appId=APP_ID, branchName="main", jobId=job["jobId"])["job"]["summary"]
    assert summary["commitMessage"] == "Fix the header"
    # The record of the job is under the key that the next state gets.
    key = {name: {"S": value} for name, value in answer["key"].items()}
    assert "Item" in running.dynamodb.get_item(TableName=running.names["JOBS_TABLE"], Key=key)


@pytest.mark.parametrize(
    ("file", "operation"),
    [
        ("start_job.retry.json", "start_job"),
        ("start_job.web_hook.json", "start_job"),
        ("start_job.deployment_of_artifact.json", "start_deployment"),
        ("start_job.deployment_of_address.json", "start_deployment"),
        ("start_job.deployment_of_zip_in_s3.json", "start_deployment"),
        ("start_job.deployment_of_prefix.json", "start_deployment"),
        ("start_job.deployment_of_upload.json", "start_deployment"),
        ("start_job.codegen_of_graphql.json", "start_codegen_job"),
        ("start_job.codegen_of_graphql_in_s3.json", "start_codegen_job"),
        ("start_job.codegen_of_data_schema.json", "start_codegen_job"),
        ("start_job.codegen_of_large_request.json", "start_codegen_job"),
        ("start_job.models.json", "generate_backend_api_models"),
    ],
)
def test_every_operation_is_started(running: Running, file: str, operation: str) -> None:
    answer = running.invoke("StartJobFunction", file)
    assert (answer["finished"], answer["job"]["job"]["operation"]) == (False, operation)


@pytest.mark.parametrize("file", ["get_job.codegen.json", "get_job.models.json"])
def test_a_job_of_any_service_is_asked_for(running: Running, file: str) -> None:
    answer = running.invoke("GetJobFunction", file)
    assert (answer["finished"], answer["job"]["state"]) == (True, "CANCELLED")
    assert "no longer knows this job" in answer["job"]["reason"]


def test_an_unknown_app_is_the_function_s_error(running: Running) -> None:
    def rename(event: dict[str, Any]) -> None:
        event["request"]["parameters"]["appId"] = "d0000"
        event["request"]["requestId"] = "web-" + "0" * 32

    answer = running.invoke("StartJobFunction", "start_job.json", rename)
    assert answer["errorType"] == "RequestRejected"
    assert "App d0000 not found" in answer["errorMessage"]


def test_a_job_is_asked_for(running: Running) -> None:
    answer = running.invoke("GetJobFunction", "get_job.json")
    assert (answer["finished"], answer["job"]["state"], answer["job"]["job"]["jobId"]) == (True, "SUCCEEDED", "1")
    assert [step["name"] for step in answer["job"]["steps"]] == ["BUILD", "DEPLOY", "VERIFY"]


def test_a_status_change_wakes_who_waits(running: Running) -> None:
    table = running.names["JOBS_TABLE"]
    key = {"pk": {"S": f"eu-west-1#{APP_ID}#main"}, "sk": {"S": "job#0000000001"}}
    wait = {
        "StartAt": "Wait",
        "States": {
            "Wait": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
                "Parameters": {
                    "TableName": table,
                    "Key": key,
                    "UpdateExpression": "SET taskToken = :token",
                    "ExpressionAttributeValues": {":token": {"S.$": "$$.Task.Token"}},
                },
                "End": True,
            }
        },
    }
    machine = running.stepfunctions.create_state_machine(
        name="waits", definition=json.dumps(wait), roleArn="arn:aws:iam::123456789012:role/waits"
    )
    execution = running.stepfunctions.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    eventually(lambda: "taskToken" in running.dynamodb.get_item(TableName=table, Key=key)["Item"])
    assert running.invoke("OnStatusChangeFunction", "on_status_change.json") == {"woke": True}
    assert running.stepfunctions.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("file", "detail_type", "subject", "text"),
    [
        ("announce.started.json", "Job Started", "Started: web main #1 (8920543)", "Fix the header"),
        ("announce.finished.json", "Job Finished", "FAILED: web main #1 (8920543)", "npm ci exited with code 1"),
        ("announce.rejected.json", "Job Rejected", "Rejected: web main (8920543)", "App d1a2b3c4d5e6 not found"),
        ("announce.execution_failed.json", "Job Rejected", "Rejected: web main (8920543)", "ended as ABORTED"),
    ],
)
def test_an_announcement_is_published(running: Running, file: str, detail_type: str, subject: str, text: str) -> None:
    # What was announced of a request, by an earlier test too, is not announced again.
    request_id = f"web-{file.encode().hex()[-32:]}"

    def rename(event: dict[str, Any]) -> None:
        if "request" in event:
            event["request"]["requestId"] = request_id
        else:
            event["detail"]["input"] = event["detail"]["input"].replace(EXAMPLE_REQUEST_ID, request_id)

    queue = running.sqs.create_queue(QueueName=request_id)["QueueUrl"]
    arn = running.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    running.sns.subscribe(TopicArn=running.names["TOPIC_ARN"], Protocol="sqs", Endpoint=arn)
    answer = running.invoke("AnnounceFunction", file, rename)
    assert answer == {"detailType": detail_type, "requestId": request_id}
    [message] = messages(running.sqs, queue)
    assert message["Subject"] == subject
    assert text in message["Message"]
    assert request_id in message["Message"]


def test_news_are_indexed(running: Running) -> None:
    assert running.invoke("IndexJobsFunction", "index_jobs.json") == {"batchItemFailures": []}
    assert running.invoke("ApiFunction", "api.json")["statusCode"] == 200


def test_a_report_is_planned_and_sent(running: Running) -> None:
    assert running.invoke("PlanReportsFunction", "plan_reports.json") == {"planned": 1}
    # The local cloud's own function can't reach the chat: its address is that for containers.
    assert running.reports("slack") == []
    assert running.invoke("SendReportFunction", "send_report.json") == {"batchItemFailures": []}
    (report,) = running.reports("slack")
    assert report["status"] == 200
    assert "web · main · job 1: failed" in report["content"]["text"]
