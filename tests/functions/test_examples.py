"""The example inputs in events/ are what the functions understand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.events.webhooks import provider
from amplify_jobs.model.parameters import validated_parameters
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.matching import Matched, decide
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.load import read_routes
from demo.examples import CHAT, MANUAL_APP_ID, example_objects
from local.report_targets import headline
from tests.support.stack import BUCKET, REGION, REPOSITORY, Stack, serving

EXAMPLES_BUCKET = "amplify-jobs-bucket-123456789012"
FILES = sorted(REPOSITORY.glob("events/*.json"))
FUNCTIONS = {path.parent.name for path in REPOSITORY.glob("functions/*/handler.py")}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack that has the app of the examples, with one job."""
    with serving() as new_stack:
        app_id = "d1a2b3c4d5e6"
        new_stack.amplify.apps[app_id] = {"appId": app_id, "name": "web", "defaultDomain": f"{app_id}.amplifyapp.com"}
        new_stack.amplify.jobs[app_id, "main"] = [{"summary": {"jobId": "1", "status": "SUCCEED"}, "steps": []}]
        new_stack.amplify.apps[MANUAL_APP_ID] = {"appId": MANUAL_APP_ID, "name": "manual"}
        for branch in ("main", "address", "zip", "prefix"):
            new_stack.amplify.jobs[MANUAL_APP_ID, branch] = []
        new_stack.amplify.jobs[MANUAL_APP_ID, "upload"] = [
            {"summary": {"jobId": "1", "status": "CREATED"}, "steps": []}
        ]
        store_examples(new_stack.client("s3"))
        new_stack.client("s3").put_object(
            Bucket=BUCKET, Key="routes.json", Body=example_routes().model_dump_json(by_alias=True)
        )
        chat = f"{new_stack.url}/_local/reports/slack/example"
        new_stack.client("ssm").put_parameter(Name=CHAT, Type="SecureString", Value=chat)
        yield new_stack


def example_routes() -> Routes:
    name = "events/routes.yaml"
    return read_routes((REPOSITORY / name).read_bytes(), name, "amplify-jobs")


def store_examples(s3: Any) -> None:
    """Put what the examples name into a bucket of the name that the stack's has in the local cloud."""
    s3.create_bucket(Bucket=EXAMPLES_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key, content in example_objects().items():
        s3.put_object(Bucket=EXAMPLES_BUCKET, Key=key, Body=content)


def example(file: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((REPOSITORY / "events" / file).read_text(encoding="utf-8"))
    return event


def answer_to(stack: Stack, file: str) -> Any:
    return stack.function(file.partition(".")[0])(example(file))


def test_every_function_has_an_example() -> None:
    assert {path.name.partition(".")[0] for path in FILES} == FUNCTIONS


@pytest.mark.parametrize(
    ("file", "answer"),
    [
        ("start_job.json", {"finished": False, "job.job.jobType": "RELEASE"}),
        ("start_job.retry.json", {"finished": False, "job.job.jobType": "RETRY"}),
        ("start_job.web_hook.json", {"finished": False, "job.job.jobType": "WEB_HOOK"}),
        ("start_job.manual.json", {"finished": False, "job.job.jobType": "MANUAL"}),
        ("start_job.deployment_of_artifact.json", {"finished": False, "key.sk": "job#0000000001"}),
        ("start_job.deployment_of_address.json", {"finished": False, "key.sk": "job#0000000001"}),
        ("start_job.deployment_of_zip_in_s3.json", {"finished": False, "key.sk": "job#0000000001"}),
        ("start_job.deployment_of_prefix.json", {"finished": False, "key.sk": "job#0000000001"}),
        ("start_job.deployment_of_upload.json", {"finished": False, "key.sk": "job#0000000001"}),
        ("start_job.codegen_of_graphql.json", {"finished": False, "job.job.operation": "start_codegen_job"}),
        ("start_job.codegen_of_graphql_in_s3.json", {"finished": False, "job.job.operation": "start_codegen_job"}),
        ("start_job.codegen_of_data_schema.json", {"finished": False, "job.job.operation": "start_codegen_job"}),
        ("start_job.codegen_of_large_request.json", {"finished": False, "job.job.operation": "start_codegen_job"}),
        ("start_job.models.json", {"finished": False, "job.job.operation": "generate_backend_api_models"}),
        # Their jobs were never started.
        ("get_job.codegen.json", {"finished": True, "job.state": "CANCELLED"}),
        ("get_job.models.json", {"finished": True, "job.state": "CANCELLED"}),
        ("get_job.json", {"finished": True, "job.state": "SUCCEEDED", "key.sk": "job#0000000001"}),
        ("preview.json", {"change": "created", "isPreview": True}),
        ("sweep_previews.json", {"unreached": 0}),
        ("start_job.follow.json", {"finished": False, "job.job.operation": "follow_job", "job.job.jobId": "1"}),
        ("on_status_change.json", {"woke": False}),
        ("on_status_change.started.json", {"woke": False}),
        ("on_status_change.api_call.json", {"woke": False}),
        ("announce.started.json", {"detailType": "Job Started"}),
        ("announce.finished.json", {"detailType": "Job Finished"}),
        ("announce.finished.codegen.json", {"detailType": "Job Finished"}),
        ("announce.rejected.json", {"detailType": "Job Rejected"}),
        ("plan_reports.json", {"planned": 1}),
        ("index_jobs.json", {"batchItemFailures": []}),
        ("api.json", {"statusCode": 200}),
    ],
)
def test_an_example_is_understood(stack: Stack, file: str, answer: dict[str, Any]) -> None:
    reply = answer_to(stack, file)
    for path, value in answer.items():
        result: Any = reply
        for name in path.split("."):
            result = result[name]
        assert result == value


def test_the_example_of_a_failed_execution_is_of_the_request_of_another_that_started_a_job(stack: Stack) -> None:
    answer_to(stack, "start_job.json")
    assert answer_to(stack, "announce.execution_failed.json")["detailType"] == "Job Finished"


def test_the_example_of_a_report_is_what_is_planned_of_the_example_of_its_announcement(stack: Stack) -> None:
    sqs, queue = stack.client("sqs"), stack.environment["REPORT_QUEUE_URL"]
    sqs.purge_queue(QueueUrl=queue)
    # The same report within five minutes is stored once.
    stack.function("plan_reports")(with_another_id(example("plan_reports.json")))
    (planned,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    (record,) = example("send_report.json")["Records"]
    assert with_another_id(json.loads(record["body"])) == json.loads(planned["Body"])


def test_the_example_of_a_report_arrives(stack: Stack) -> None:
    assert answer_to(stack, "send_report.json") == {"batchItemFailures": []}
    assert [(one.name, one.status) for one in stack.reports.received] == [("slack", 200)]
    assert "web · main · job 1: failed after 3 min 12 s" in headline(stack.reports.received[0].content)


def with_another_id(document: dict[str, Any]) -> dict[str, Any]:
    request_id = example("plan_reports.json")["detail"]["requestId"]
    changed: dict[str, Any] = json.loads(json.dumps(document).replace(request_id, f"{request_id[:-1]}0"))
    return changed


def test_every_example_is_tried() -> None:
    tried = {values[0] for values in test_an_example_is_understood.pytestmark[0].args[1]}
    # test_mirror.py and test_reconcile.py have a git server for the last ones.
    tried |= {"announce.execution_failed.json", "send_report.json", "mirror.json", "reconcile.json"}
    assert {path.name for path in FILES if not path.name.startswith(("receive_", "drain_"))} == tried


@pytest.mark.parametrize("file", [path.name for path in FILES if path.name.startswith("receive_webhook")])
def test_a_delivery_in_an_example_is_authentic_and_the_push_of_its_route(file: str) -> None:
    event = example(file)
    routes = example_routes()
    source = event["pathParameters"]["source"]
    host, body = provider(routes.source(source).provider), event["body"].encode()
    secret = "user:example-secret" if source == "azure-devops" else "example-secret"
    host.verify(event["headers"], body, [secret], datetime.now(UTC))
    (event_of_delivery,) = host.parse(event["headers"], body).events
    matched = [result for result in decide(routes, source, event_of_delivery) if isinstance(result, Matched)]
    assert [(result.name, event_of_delivery.branch) for result in matched] == [("web", "main")]


@pytest.mark.parametrize(
    "file", [path.name for path in FILES if path.name.startswith(("start_", "get_", "announce", "mirror", "preview"))]
)
def test_the_request_in_an_example_is_complete(file: str) -> None:
    event = example(file)
    raw = event["request"] if "request" in event else json.loads(event["detail"]["input"])
    request = JobRequest.model_validate(raw)
    if request.parameters_uri is None:
        validated_parameters(request)
    # Only requests that are too large for an execution's input have the last one.
    assert set(raw) | {"parametersUri"} == {field.alias for field in JobRequest.model_fields.values()}
    assert set(raw["cause"]) == set(request.cause.model_dump(by_alias=True))
