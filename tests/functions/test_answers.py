"""Answers of status 200 that are none: whatever is called, nothing is taken for done without what proves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from amplify_jobs.announcing.announcement import DetailType
from amplify_jobs.aws.amplify import Amplify
from amplify_jobs.aws.amplify_backend import Backend
from amplify_jobs.aws.dynamodb import dynamodb_client
from amplify_jobs.aws.executions import Executions
from amplify_jobs.aws.intake_queue import IntakeQueue
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.publisher import Publisher
from amplify_jobs.aws.s3 import Objects
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.ui_builder import UiBuilder
from amplify_jobs.errors import ServiceTrouble, StartUnresolved
from amplify_jobs.model.job import BranchRef, Job, JobRef, JobState, State
from amplify_jobs.model.parameters import (
    GenerateBackendAPIModelsParameters,
    JobType,
    StartDeploymentParameters,
    StartJobParameters,
)
from amplify_jobs.model.request import JobRequest
from amplify_jobs.starting.lease import Attempt, Lease
from amplify_jobs.starting.superseding import Latest, SupersedingRequest
from tests.support.announcements import FAILED, REQUEST, finished
from tests.support.stack import BUCKET, REGION, Stack, any_request, job_request, record_key, serving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BRANCH = BranchRef(REGION, "d1", "main")
REF = JobRef(BRANCH, "7")
KEY = record_key("d1", "main", "7")
JOB = Job(operation="start_job", app_id="d1", branch_name="main", job_id="7")
CODEGEN = Job(operation="start_codegen_job", app_id="d1", environment_name="dev", job_id="job-1")
MODELS = Job(operation="generate_backend_api_models", app_id="d1", environment_name="dev", job_id="job-1")
MODELS_REQUEST = JobRequest.model_validate(
    any_request("generate_backend_api_models", {"AppId": "d1", "BackendEnvironmentName": "dev", "ResourceName": "blog"})
)
ATTEMPT = Attempt("web-1", NOW, 3, "RELEASE", "Fix the header")
URI = f"s3://{BUCKET}/artifacts/web.zip"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with serving() as new_stack:
        yield new_stack


@pytest.fixture
def store() -> JobsTable:
    return JobsTable.connect("jobs")


STORED: list[tuple[str, Callable[[JobsTable], object]]] = [
    ("GetItem", lambda store: store.job_of_request("web-1")),
    ("GetItem", lambda store: store.lease(BRANCH)),
    ("GetItem", lambda store: store.published_announcements("web-1")),
    ("GetItem", lambda store: store.models_attempt("web-1")),
    ("GetItem", lambda store: store.superseding_request("web-1")),
    ("GetItem", lambda store: store.stop_of_request("web-1")),
    ("GetItem", lambda store: store.progress("web-1")),
    ("GetItem", lambda store: store.latest_of_kind(BRANCH, "push")),
    ("GetItem", lambda store: store.has_ended(REF)),
    ("PutItem", lambda store: store.acquire_lease(BRANCH, ATTEMPT, Lease())),
    ("PutItem", lambda store: store.write_latest(BRANCH, "push", Latest(SupersedingRequest("web-1", NOW, NOW)), NOW)),
    ("GetItem", lambda store: store.owner(REF)),
    ("UpdateItem", lambda store: store.raise_highest_job_id(BRANCH, Lease(), 3, NOW)),
    ("UpdateItem", lambda store: store.claim_job(REGION, "web-1", JOB, NOW)),
    ("UpdateItem", lambda store: store.claim_job_anew(REGION, "web-1", JOB, NOW)),
    ("UpdateItem", lambda store: store.link_request_to_job("web-1", JOB, NOW)),
    ("UpdateItem", lambda store: store.save_models_attempt("web-1", None, NOW)),
    ("UpdateItem", lambda store: store.release_lease(BRANCH, ATTEMPT, 3)),
    ("UpdateItem", lambda store: store.record_start(REGION, JobRequest.model_validate(job_request("d1")), JOB, NOW)),
    ("UpdateItem", lambda store: store.record_poll(KEY, NOW)),
    ("UpdateItem", lambda store: store.record_state(KEY, JobState(job=JOB, state=State.RUNNING), None, NOW)),
    ("UpdateItem", lambda store: store.record_status_change(REF, NOW)),
    ("UpdateItem", lambda store: store.mark_superseded("web-1", "web-2", NOW)),
    ("UpdateItem", lambda store: store.order_stop("web-1", "r", NOW)),
    ("UpdateItem", lambda store: store.mark_announced("web-1", "Job Started to people", {}, NOW)),
    ("Query", lambda store: store.earlier_jobs(KEY)),
    ("Query", lambda store: store.followed_jobs(REGION, "d1")),
]


@pytest.mark.parametrize("answer", [{"nonsense": [True]}, {}], ids=["another answer", "an empty one"])
@pytest.mark.parametrize(("operation", "call"), STORED)
def test_of_the_jobs_table(
    stack: Stack, store: JobsTable, operation: str, call: Callable[[JobsTable], object], answer: dict[str, object]
) -> None:
    stack.answers[operation] = answer
    try:
        with pytest.raises(ServiceTrouble, match=operation):
            call(store)
    finally:
        stack.answers.clear()


def test_every_method_of_the_jobs_table_is_tested() -> None:
    methods = {name for name in dir(JobsTable) if not name.startswith("_") and name != "connect"}
    assert methods <= {name for _, call in STORED for name in call.__code__.co_names}


@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "UpdateItem", "DeleteItem"])
def test_of_the_table_of_idempotency(stack: Stack, operation: str) -> None:
    """Powertools calls it, through our client."""
    client, key = dynamodb_client(), {"id": {"S": "one"}}
    calls: dict[str, Callable[[], object]] = {
        "GetItem": lambda: client.get_item(TableName="idempotency", Key=key),
        "PutItem": lambda: client.put_item(TableName="idempotency", Item=key),
        "UpdateItem": lambda: client.update_item(
            TableName="idempotency",
            Key=key,
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": "COMPLETED"}},
        ),
        "DeleteItem": lambda: client.delete_item(TableName="idempotency", Key=key),
    }
    calls[operation]()
    stack.answers[operation] = {}
    try:
        with pytest.raises(Exception, match=f"{operation} was answered without ConsumedCapacity"):
            calls[operation]()
    finally:
        stack.answers.clear()


def test_of_step_functions_and_the_queue(stack: Stack) -> None:
    aws = AwsHttp(REGION, stack.url)
    request = JobRequest.model_validate(job_request("d1"))
    large = request.model_copy(update={"parameters": {"appId": "d1", "x": "x" * 200_000}})
    queue = stack.client("sqs").create_queue(QueueName="intake.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    with_nonsense(stack, "states", "StartExecution", lambda: Executions(aws, "arn", BUCKET).start(request))
    with_nonsense(stack, "s3", "PutObject", lambda: Executions(aws, "arn", BUCKET).start(large))
    with_nonsense(stack, "sqs", "SendMessage", lambda: IntakeQueue(aws, queue, BUCKET).put("{}", ["acme/web"], "1"))
    with_nonsense(stack, "s3", "GetObject", lambda: aws.get_object(BUCKET, "routes.json", None))
    assert "Messages" not in stack.client("sqs").receive_message(QueueUrl=queue)


def with_nonsense(
    stack: Stack, service: str, operation: str, call: Callable[[], object], error: type[Exception] = ServiceTrouble
) -> None:
    stack.faults.inject({"service": service, "operation": operation, "fault": "nonsense", "times": 9})
    try:
        with pytest.raises(error):
            call()
    finally:
        stack.faults.clear()


def test_of_the_topic_and_the_bus(stack: Stack) -> None:
    publisher = Publisher.connect(topic_arn=stack.environment["TOPIC_ARN"], bus_name="amplify-jobs")
    detail = finished(REQUEST, FAILED)
    with_nonsense(stack, "sns", "Publish", lambda: publisher.publish_to_topic(DetailType.JOB_FINISHED, detail))
    with_nonsense(stack, "events", "PutEvents", lambda: publisher.put_event(DetailType.JOB_FINISHED, detail))
    for answer in ({}, {"FailedEntryCount": 0}, {"FailedEntryCount": 0, "Entries": [{}]}, {"Entries": "x"}):
        stack.answers["PutEvents"] = answer
        with pytest.raises(ServiceTrouble, match="PutEvents"):
            publisher.put_event(DetailType.JOB_FINISHED, detail)
    stack.answers.clear()


AMPLIFY: list[tuple[str, str, Callable[[], object], type[Exception]]] = [
    ("amplify", "ListJobs", lambda: Amplify.connect().list_jobs("d1", "main"), ServiceTrouble),
    ("amplify", "GetJob", lambda: Amplify.connect().get_job(JOB), ServiceTrouble),
    ("amplify", "StopJob", lambda: Amplify.connect().stop_job(JOB), ServiceTrouble),
    ("amplify", "GetApp", lambda: Amplify.connect().app_name_and_domain("d1"), ServiceTrouble),
    ("amplify", "GetBranch", lambda: Amplify.connect().branch_display_name("d1", "main"), ServiceTrouble),
    (
        "amplify",
        "StartJob",
        lambda: Amplify.connect().send(StartJobParameters(app_id="d1", branch_name="main", job_type=JobType.RELEASE)),
        StartUnresolved,
    ),
    (
        "amplify",
        "StartDeployment",
        lambda: Amplify.connect().send(StartDeploymentParameters(app_id="d1", branch_name="main", job_id="1")),
        StartUnresolved,
    ),
    ("amplifyuibuilder", "GetCodegenJob", lambda: UiBuilder().get_job(CODEGEN), ServiceTrouble),
    ("amplifybackend", "ListBackendJobs", lambda: Backend().model_jobs("d1", "dev"), ServiceTrouble),
    ("amplifybackend", "GetBackendJob", lambda: Backend().get_job(MODELS), ServiceTrouble),
    ("amplifybackend", "GetBackendAPIModels", lambda: Backend().get_output(MODELS, MODELS_REQUEST), ServiceTrouble),
    (
        "amplifybackend",
        "GenerateBackendAPIModels",
        lambda: Backend().generate_models(
            GenerateBackendAPIModelsParameters(app_id="d1", backend_environment_name="dev", resource_name="blog")
        ),
        StartUnresolved,
    ),
    ("s3", "HeadObject", lambda: Objects().check_readable(URI), ServiceTrouble),
    ("s3", "GetObject", lambda: Objects().read_text(URI, 100), ServiceTrouble),
    ("s3", "PutObject", lambda: Objects().write(URI, b"", "text/plain"), ServiceTrouble),
]


@pytest.mark.parametrize(("service", "operation", "call", "error"), AMPLIFY)
def test_of_amplify_and_s3(
    stack: Stack, service: str, operation: str, call: Callable[[], object], error: type[Exception]
) -> None:
    with_nonsense(stack, service, operation, call, error)


def test_a_lease_whose_write_was_answered_too_late_is_held(stack: Stack, store: JobsTable) -> None:
    """boto3 writes once more, and meets what it wrote: nobody else has the branch, and nothing waits for a minute."""
    own = BranchRef(REGION, "d1", "own")
    stack.faults.inject({"service": "dynamodb", "operation": "PutItem", "fault": "lose-answer"})
    assert store.acquire_lease(own, ATTEMPT, Lease())
    assert store.lease(own).attempt == ATTEMPT
    later = Attempt("web-1", datetime(2026, 3, 1, 12, 1, tzinfo=UTC), 3, "RELEASE", "Fix the header")
    stack.faults.inject({"service": "dynamodb", "operation": "PutItem", "fault": "lose-answer"})
    assert store.acquire_lease(own, later, Lease(ATTEMPT, 3))
    assert not store.acquire_lease(own, ATTEMPT, Lease())
