"""What the functions find around them: moto, an Amplify whose every answer can be chosen, faults that can be injected.

The Amplify here speaks the service's wire protocol, but runs nothing: a test says what became of a job.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from werkzeug.wrappers import Request, Response

from amplify_jobs.aws.jobs_table.keys import job_key
from amplify_jobs.indexing.items import LISTS
from amplify_jobs.model.job import BranchRef, JobRef, RecordKey
from local.aws_endpoint import Endpoint
from local.permissions.authorization import Authorization
from local.permissions.roles import Roles
from local.report_targets import ReportTargets
from local.server.faults import Faults
from local.server.http_server import HttpServer
from local.server.protocol.errors import ServiceError
from local.server.protocol.match import read_request
from local.server.protocol.respond import respond
from local.server.protocol.validate import validate
from local.services.moto import ACCOUNT, MotoBackend
from tests.support.generators import Backend, UiBuilder

REPOSITORY = Path(__file__).parents[2]
REGION = "eu-west-1"
MOST_BRANCHES = 50
BUCKET = "amplify-jobs-bucket"
CONSOLE_URL = "https://{region}.console.aws.amazon.com/amplify/apps/{appId}/branches/{branchName}/deployments/{jobId}"
SITE_URL = "https://{displayName}.{defaultDomain}/"


def record_key(app_id: str, branch_name: str, job_id: str) -> RecordKey:
    """The key of the record of a branch's job in the jobs table."""
    return job_key(JobRef(BranchRef(REGION, app_id, branch_name), job_id))


class Amplify:
    """Amplify Hosting on the wire, as far as the functions call it; a test puts what it wants into `jobs`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # App id -> what GetApp answers of it.
        self.apps: dict[str, dict[str, Any]] = {}
        # (app id, branch name) -> its jobs, oldest first, each as GetJob answers it.
        self.jobs: dict[tuple[str, str], list[dict[str, Any]]] = {}
        # (app id, branch name) -> what CreateBranch and UpdateBranch were given of it.
        self.branches: dict[tuple[str, str], dict[str, Any]] = {}
        # The operation and parameters of every call, in order.
        self.calls: list[tuple[str, dict[str, Any]]] = []
        # Called when StartJob has arrived, and when its job is there but its answer has not left yet.
        self.when_asked_to_start: Callable[[], object] = lambda: None
        self.when_started: Callable[[], object] = lambda: None
        # Called with the operation of every call before it is answered.
        self.before_answer: Callable[[str], object] = lambda operation: None
        # Operation -> what it answers instead, whatever was asked.
        self.answers: dict[str, Any] = {}

    def new_app(self, *branches: str, name: str = "web") -> str:
        app_id = "d" + uuid.uuid4().hex[:13]
        self.apps[app_id] = {"appId": app_id, "name": name, "defaultDomain": f"{app_id}.amplifyapp.com"}
        for branch in branches or ("main",):
            self.jobs[app_id, branch] = []
        return app_id

    def started(self, app_id: str) -> list[dict[str, Any]]:
        """What StartJob was called with for an app."""
        return [parameters for name, parameters in self.calls if name == "StartJob" and parameters["appId"] == app_id]

    def stopped(self, app_id: str) -> list[str]:
        """The jobs of an app that StopJob was called for."""
        return [
            parameters["jobId"]
            for name, parameters in self.calls
            if name == "StopJob" and parameters["appId"] == app_id
        ]

    def handle(self, service: str, request: Request) -> Response:
        operation, parameters = read_request(service, request)
        validate(operation, parameters)
        with self._lock:
            self.calls.append((operation.name, parameters))
        self.before_answer(operation.name)
        if operation.name in self.answers:
            return Response(json.dumps(self.answers[operation.name]), content_type="application/json")
        return respond(operation, self._answer(operation.name, parameters))

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if parameters["appId"] not in self.apps:
            raise ServiceError("NotFoundException", f"App {parameters['appId']} not found", 404)
        app_id, branch_name = parameters["appId"], parameters.get("branchName", "")
        if operation == "GetApp":
            return {"app": self.apps[app_id]}
        if operation == "CreateBranch":
            return self._create_branch(app_id, branch_name, parameters)
        jobs = self.jobs.get((app_id, branch_name))
        if jobs is None:
            raise ServiceError("NotFoundException", f"Branch {branch_name} not found", 404)
        match operation:
            case "GetBranch":
                return self._described(app_id, branch_name)
            case "UpdateBranch":
                self.branches[app_id, branch_name] = self.branches.get((app_id, branch_name), {}) | parameters
                return self._described(app_id, branch_name)
            case "DeleteBranch":
                described = self._described(app_id, branch_name)
                del self.jobs[app_id, branch_name]
                self.branches.pop((app_id, branch_name), None)
                return described
            case "ListJobs":
                return {"jobSummaries": [job["summary"] for job in reversed(jobs)][:50]}
            case "StartJob":
                return {"jobSummary": self._start(jobs, parameters)}
            case "StartDeployment":
                return {"jobSummary": self._deploy(jobs, parameters)}
            case "GetJob":
                for job in jobs:
                    if job["summary"]["jobId"] == parameters["jobId"]:
                        return {"job": job}
                raise ServiceError("NotFoundException", f"Job {parameters['jobId']} not found", 404)
            case "StopJob":
                for job in jobs:
                    if job["summary"]["jobId"] == parameters["jobId"]:
                        return {"jobSummary": _stop(job["summary"])}
                raise ServiceError("NotFoundException", f"Job {parameters['jobId']} not found", 404)
        raise ServiceError("InternalFailureException", f"a function called {operation}", 500)

    def _create_branch(self, app_id: str, branch_name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if (app_id, branch_name) in self.jobs:
            raise ServiceError("BadRequestException", f"The branch {branch_name} already exists")
        if sum(app == app_id for app, _ in self.jobs) >= MOST_BRANCHES:
            raise ServiceError("LimitExceededException", "The app has the maximum number of branches.", 429)
        self.jobs[app_id, branch_name] = []
        self.branches[app_id, branch_name] = parameters
        return self._described(app_id, branch_name)

    def _described(self, app_id: str, branch_name: str) -> dict[str, Any]:
        names = {"branchName": branch_name, "displayName": branch_name.replace("/", "-"), "stage": "PRODUCTION"}
        settings = self.branches.get((app_id, branch_name), {})
        return {"branch": names | {name: value for name, value in settings.items() if name != "appId"}}

    def _deploy(self, jobs: list[dict[str, Any]], parameters: dict[str, Any]) -> dict[str, Any]:
        """Start what CreateDeployment made, or make and start what an address says."""
        self.when_asked_to_start()
        unfinished = [job["summary"] for job in jobs if job["summary"]["status"] in ("PENDING", "RUNNING")]
        if unfinished:
            number = unfinished[0]["jobId"]
            raise ServiceError("BadRequestException", f"The last job(deployment) {number} was not finished, wait")
        if "jobId" in parameters:
            summary: dict[str, Any] = next(
                job["summary"] for job in jobs if job["summary"]["jobId"] == parameters["jobId"]
            )
        else:
            summary = {
                "jobId": str(len(jobs) + 1),
                "jobType": "MANUAL",
                "sourceUrl": parameters["sourceUrl"].split("?")[0],
            }
            jobs.append({"summary": summary, "steps": []})
        summary |= {"status": "PENDING", "startTime": datetime.now(UTC)}
        self.when_started()
        return summary

    def _start(self, jobs: list[dict[str, Any]], parameters: dict[str, Any]) -> dict[str, Any]:
        self.when_asked_to_start()
        with self._lock:
            summary = {
                "jobId": str(len(jobs) + 1),
                "jobType": parameters["jobType"],
                "commitId": "HEAD",
                "status": "PENDING",
                "startTime": datetime.now(UTC),
            }
            if "commitMessage" in parameters:
                summary["commitMessage"] = parameters["commitMessage"]
            jobs.append({"summary": summary, "steps": []})
        self.when_started()
        return summary


def _stop(summary: dict[str, Any]) -> dict[str, Any]:
    if summary["status"] in ("SUCCEED", "FAILED", "CANCELLED"):
        raise ServiceError("BadRequestException", f"Job {summary['jobId']} is {summary['status']}")
    summary["status"] = "CANCELLED"
    return summary


@dataclass(frozen=True)
class Context:
    """The part of the Lambda context that the functions and Powertools read."""

    milliseconds: int = 30_000
    function_name: str = "amplify-jobs-function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:amplify-jobs-function"
    aws_request_id: str = "8f5a3b2c-1d4e-4f6a-9b8c-7d6e5f4a3b2c"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class Function:
    """A function of the project, loaded in this process; `logs` and `metrics` are of its last invocation."""

    def __init__(self, name: str) -> None:
        self.module = load(name)
        self.logs: list[dict[str, Any]] = []
        self.metrics: dict[str, Any] = {}

    def __call__(self, event: dict[str, Any], context: Context | None = None) -> dict[str, Any]:
        written, printed = io.StringIO(), io.StringIO()
        self.module.logger.registered_handler.setStream(written)
        try:
            with redirect_stdout(printed):
                answer: dict[str, Any] = self.module.handler(event, context or Context())
            return json.loads(json.dumps(answer))  # type: ignore[no-any-return]
        finally:
            self.logs = [json.loads(line) for line in written.getvalue().splitlines()]
            self.metrics = {}
            for line in printed.getvalue().splitlines():
                emitted = json.loads(line)
                names = emitted["_aws"]["CloudWatchMetrics"][0]["Metrics"]
                self.metrics |= {metric["Name"]: sum(emitted[metric["Name"]]) for metric in names}


def load(name: str) -> ModuleType:
    """Load a function's module anew, under a name of its own."""
    path = REPOSITORY / "functions" / name / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{name}_handler", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Stack:
    """What the template makes, in moto, and the address at which all of it is found."""

    url: str
    amplify: Amplify
    ui_builder: UiBuilder
    backend: Backend
    faults: Faults
    environment: dict[str, str]
    topic_queue: str
    bus_queue: str
    session: boto3.Session
    # Operation of a JSON protocol -> what it answers instead of being done.
    answers: dict[str, Any] = field(default_factory=dict)
    reports: ReportTargets = field(default_factory=ReportTargets)
    _functions: dict[str, Function] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            result: Any = self.session.client(service, endpoint_url=self.url)  # type: ignore[call-overload]
            self._clients[service] = result
        return self._clients[service]

    def function(self, name: str) -> Function:
        if name not in self._functions:
            self._functions[name] = Function(name)
        return self._functions[name]

    def in_process_of_its_own(
        self, name: str, event: dict[str, Any], milliseconds: int = 1_000
    ) -> subprocess.Popen[str]:
        """Begin an invocation in another process, which prints the answer, or the name of the error, as JSON."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.stack", name, str(milliseconds), json.dumps(event)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "layers/core")])},
        )

    @property
    def jobs_table(self) -> Any:
        return self.session.resource("dynamodb", endpoint_url=self.url).Table("jobs")

    def item(self, pk: str, sk: str) -> dict[str, Any]:
        result: dict[str, Any] = self.jobs_table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item", {})
        return result

    def published(self) -> list[dict[str, Any]]:
        """The messages of the topic since the last look."""
        return [json.loads(body) for body in self._received(self.topic_queue)]

    def events(self) -> list[dict[str, Any]]:
        """The events of the bus since the last look."""
        return [json.loads(body) for body in self._received(self.bus_queue)]

    def _received(self, queue: str) -> Iterator[str]:
        sqs = self.client("sqs")
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                yield message["Body"]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@dataclass(frozen=True)
class Pages:
    """What is below /_local/: files of the UI builder, and targets of reports."""

    ui_builder: UiBuilder
    reports: ReportTargets

    def answer(self, request: Request) -> Response | None:
        return self.reports.answer(request) or self.ui_builder.answer(request)

    def answer_site(self, request: Request) -> Response | None:
        return None

    def takes_order(self, request: Request) -> bool:
        return False


@contextmanager
def serving() -> Iterator[Stack]:
    """Serve the stack on a free port, with the environment set that its functions have."""
    moto, amplify, faults = MotoBackend(REGION), Amplify(), Faults()
    ui_builder, backend, reports = UiBuilder(), Backend(), ReportTargets()
    endpoint = Endpoint(
        moto=moto,
        services={"amplify": amplify, "amplifyuibuilder": ui_builder, "amplifybackend": backend},
        faults=faults,
        authorization=Authorization(Roles(), account=ACCOUNT, region=REGION, machine_of=lambda _: None),
        pages=Pages(ui_builder, reports),
    )
    answers: dict[str, Any] = {}

    def answer(request: Request) -> Response:
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if operation in answers:
            return Response(json.dumps(answers[operation]), content_type="application/x-amz-json-1.1")
        return endpoint(request)

    server = HttpServer("aws")
    with ExitStack() as exits:
        exits.callback(moto.reset)
        exits.callback(server.close)
        exits.callback(endpoint.close)
        patch = exits.enter_context(pytest.MonkeyPatch.context())
        # moto's interpreter of state machines reads its port from the environment.
        patch.setenv("MOTO_PORT", str(server.port))
        moto.start(server.port)
        server.start(answer)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        stack = Stack(server.url, amplify, ui_builder, backend, faults, {}, "", "", session, answers, reports)
        exits.callback(stack.close)
        _make_resources(stack)
        for name, value in stack.environment.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        # Clients that the functions make of the default session are to see this environment.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield stack


def _make_resources(stack: Stack) -> None:
    dynamodb, sns, sqs, events = (stack.client(name) for name in ("dynamodb", "sns", "sqs", "events"))
    _make_index_table(dynamodb)
    for table, keys, indexes in (("jobs", ("pk", "sk"), ("followed",)), ("idempotency", ("id",), ())):
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in (*keys, *indexes)],
            KeySchema=[{"AttributeName": k, "KeyType": t} for k, t in zip(keys, ("HASH", "RANGE"), strict=False)],
            **_indexes(*indexes),
        )
    stack.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    topic = sns.create_topic(Name="announcements")["TopicArn"]
    queues = {}
    for name in ("topic", "bus", "index"):
        queues[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
    report_queue = sqs.create_queue(QueueName="reports.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arns = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for name, url in queues.items()
    }
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arns["topic"])
    events.create_event_bus(Name="amplify-jobs")
    events.put_rule(Name="all", EventBusName="amplify-jobs", EventPattern='{"source":["amplify-jobs"]}')
    events.put_targets(Rule="all", EventBusName="amplify-jobs", Targets=[{"Id": "queue", "Arn": arns["bus"]}])
    machine = stack.client("stepfunctions").create_state_machine(
        name="job",
        definition='{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}',
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/job",
    )
    stack.topic_queue, stack.bus_queue = queues["topic"], queues["bus"]
    stack.environment = {
        "AWS_ENDPOINT_URL": stack.url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "ACCOUNT_ID": ACCOUNT,
        "BUCKET_NAME": BUCKET,
        "JOBS_TABLE": "jobs",
        "STATE_MACHINE_ARN": machine["stateMachineArn"],
        "FOLLOW_WITHOUT_ROUTES": "false",
        "IDEMPOTENCY_TABLE": "idempotency",
        "REPORT_QUEUE_URL": report_queue,
        "INDEX_QUEUE_URL": queues["index"],
        "INDEX_TABLE": "index",
        "INDEX_DEAD_LETTER_QUEUE_URL": queues["index"],
        "INTAKE_QUEUE_URL": queues["index"],
        "ROUTES_KEY": "routes.json",
        "PRIVATE_HOSTS": "",
        "DISK_MEBIBYTES": "512",
        "TOPIC_ARN": topic,
        "CHAT_TOPIC_ARN": sns.create_topic(Name="chats")["TopicArn"],
        "BUS_NAME": "amplify-jobs",
        "CONSOLE_URL": CONSOLE_URL,
        "SITE_URL": SITE_URL,
        "LOG_LEVEL": "INFO",
        "POWERTOOLS_METRICS_NAMESPACE": "amplify-jobs",
        "POWERTOOLS_SERVICE_NAME": "amplify-jobs",
    }


def _make_index_table(dynamodb: Any) -> None:
    keys = ("pk", "sk", "at", *LISTS.values())
    dynamodb.create_table(
        TableName="index",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["summary"]},
            }
            for name, key in LISTS.items()
        ],
    )


def _indexes(*keys: str) -> dict[str, Any]:
    indexes = [
        {
            "IndexName": key,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        for key in keys
    ]
    return {"GlobalSecondaryIndexes": indexes} if indexes else {}


def job_request(
    app_id: str, *, branch_name: str = "main", message: str | None = "Fix the header", **members: Any
) -> Any:
    """The input of an execution, as receive_webhook makes it of a push."""
    commit = "89205432f5b72b15f33c8d9bd2a1bde3c0e4f5a6"
    parameters = {"appId": app_id, "branchName": branch_name, "jobType": "RELEASE", "commitId": commit}
    if message is not None:
        parameters["commitMessage"] = message
    return {
        "version": "1",
        "requestId": f"web-{uuid.uuid4().hex}",
        "route": "web",
        "operation": "start_job",
        "parameters": parameters,
        "timeoutMinutes": 45,
        "startWithinMinutes": 360,
        "cause": {
            "source": "github",
            "kind": "push",
            "repository": "acme/web",
            "ref": f"refs/heads/{branch_name}",
            "branch": branch_name,
            "commit": commit,
            "message": message,
            "author": "Ada",
            "deliveryId": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        },
        "receivedAt": datetime.now(UTC).isoformat(),
        **members,
    }


def any_request(operation: str, parameters: dict[str, Any], **members: Any) -> Any:
    """The input of an execution for any operation."""
    return job_request("d1", operation=operation, parameters=parameters, **members)


def payload_of(request: dict[str, Any]) -> dict[str, Any]:
    """What the state machine sends to start a job."""
    return {"request": request, "execution": execution_of(request)}


def execution_of(request: dict[str, Any]) -> str:
    return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:amplify-jobs:{request['requestId']}"


def main(name: str, milliseconds: str, event: str) -> None:
    """Invoke a function in this process, which may be killed at any point."""
    # What the function prints goes elsewhere: only the answer is read here.
    answers, sys.stdout = sys.stdout, sys.stderr
    module = load(name)
    try:
        answer = module.handler(json.loads(event), Context(int(milliseconds)))
    except Exception as error:
        answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
    answers.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
