"""The functions as they are measured: their variables, real events, and what a right answer is."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from amplify_jobs.intake.message import UnverifiedDelivery
from amplify_jobs.model.request import Cause, JobRequest
from benchmarks.running_cloud import HOST, PROJECT, REGION, RunningCloud, function_variables
from benchmarks.team import CHAT, Team, announcement, until
from local.services.functions.runtime import ExecutionEnvironment, Invocation
from tests.support.git_histories import History
from tests.support.git_server import running_git_server

STACK = "amplify-jobs"
BRANCH = "main"
ENDLESS_BUILD = "sleep 3600"
UNKNOWN_APP = "d0unknown0"
ENDED = ("SUCCEED", "FAILED", "CANCELLED")
TIMEOUT_SECONDS = 30.0
# A commit, its tree and its file.
OBJECTS_OF_COMMIT = 3


Event = Callable[[], Mapping[str, Any]]
Check = Callable[[Any], bool]
Settle = Callable[[], object]


def _at_once() -> None:
    """Nothing of a call goes on after its answer."""


class WrongAnswerError(Exception):
    """A function answered its event with something else than it should have."""


@dataclass(frozen=True)
class Subject:
    """A function under measurement.

    `event` makes a new event for each call, once `settle` has waited until nothing of the last one is under way;
    `right` says whether an answer is what it should be.
    """

    name: str
    folder: Path
    variables: Mapping[str, str]
    event: Event
    right: Check
    settle: Settle = _at_once


def ordinary_function(cloud: RunningCloud) -> Subject:
    """What the functions are measured against."""
    folder = Path(__file__).parent / "ordinary_function"
    own = {"IDEMPOTENCY_TABLE": "orders", "TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:orders"}
    own |= {"POWERTOOLS_SERVICE_NAME": "orders", "POWERTOOLS_METRICS_NAMESPACE": "orders"}
    order = {"order_id": "1", "items": [{"name": "tea", "count": 2}, {"name": "cup", "count": 1}]}
    return Subject(
        name="ordinary_function",
        folder=folder,
        variables=environment_variables("ordinary", folder, cloud, own),
        event=lambda: order,
        right=lambda answer: answer == {"orderId": "1", "items": 3},
    )


def call(subject: Subject, environment: ExecutionEnvironment, event: Mapping[str, Any]) -> None:
    """Have a function in its environment answer an event. Raises WrongAnswerError."""
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:{subject.name}"
    outcome = environment.invoke(Invocation(str(uuid4()), json.dumps(event).encode(), arn, TIMEOUT_SECONDS))
    answer = json.loads(outcome.payload)
    if outcome.function_error or not subject.right(answer):
        raise WrongAnswerError(f"{subject.name} answered {answer}")


@contextmanager
def subjects(cloud: RunningCloud, team: Team) -> Iterator[list[Subject]]:
    """Prepare the functions' world: a job that an execution follows, one app more to start jobs of, a git server."""
    with tempfile.TemporaryDirectory() as folder, running_git_server(Path(folder)) as server:
        source = History(server.repository("source"))
        server.repository("target")
        team.mirror("mirrored", server.address("source"), server.address("target"))
        yield from _subjects(cloud, team, source, f"{HOST}:{server.port}")


def _subjects(cloud: RunningCloud, team: Team, source: History, git_host: str) -> Iterator[list[Subject]]:
    followed_app = team.app("followed", [BRANCH], ENDLESS_BUILD)
    started_app = team.app("started", [BRANCH], ENDLESS_BUILD)
    team.route("rejected", UNKNOWN_APP)
    team.show("shown")
    team.report_to_chat()
    team.store_routes()
    status, answer = team.deliver(team.push("followed", BRANCH))
    if status != 202:
        raise RuntimeError(f"the push of the job to follow was answered {status}: {answer}")
    world = _World(team, followed_app, started_app, team.executions()[0]["executionArn"], source)
    world.until_followed()
    parts: list[tuple[str, Event, Check, Settle]] = [
        ("receive_webhook", world.delivery, is_accepted, world.until_rejected),
        ("receive_event", world.job_requested, _is_requested, world.until_rejected),
        ("drain_intake", world.batch, world.is_drained, world.until_rejected),
        ("preview", world.shown, lambda answer: answer["isPreview"], _at_once),
        ("mirror", world.mirrored, lambda answer: answer["objects"] == OBJECTS_OF_COMMIT, _at_once),
        ("reconcile", lambda: {"order": {}}, lambda answer: len(answer["batches"]) == 1, _at_once),
        ("sweep_previews", dict, lambda answer: answer["removals"] == [], _at_once),
        ("start_job", world.start, _is_started, world.stop_started),
        ("get_job", world.poll, lambda answer: answer["job"]["state"] == "RUNNING", _at_once),
        ("on_status_change", world.change, lambda answer: answer["woke"], world.until_followed),
        ("announce", world.end, lambda answer: answer["detailType"] == "Job Finished", _at_once),
        ("plan_reports", world.announcement, lambda answer: answer == {"planned": 1}, world.until_reported),
        ("send_report", world.report, world.is_reported, _at_once),
        ("index_jobs", world.news, lambda answer: answer == {"batchItemFailures": []}, _at_once),
        ("api", world.question, lambda answer: answer["statusCode"] == 200, _at_once),
    ]
    lambda_client = team.client("lambda")
    try:
        subjects_so_far = []
        for name, event, right, settle in parts:
            function = f"{STACK}-{name.replace('_', '-')}"
            configuration = lambda_client.get_function_configuration(FunctionName=function)
            folder = PROJECT / "functions" / name
            own = configuration["Environment"]["Variables"]
            if name == "mirror":
                own = own | {"PRIVATE_HOSTS": git_host}
            variables = environment_variables(function, folder, cloud, own)
            subjects_so_far.append(Subject(name, folder, variables, event, right, settle))
        yield subjects_so_far
    finally:
        world.stop_started()
        team.amplify.stop_job(appId=followed_app, branchName=BRANCH, jobId="1")


class _World:
    """The events that happen in it; `followed` and `started` are apps, `execution` follows a job of the former."""

    def __init__(self, team: Team, followed: str, started: str, execution: str, source: History) -> None:
        self._team = team
        self._source = source
        self._followed = followed
        self._started = started
        self._execution = execution
        self._record = {"pk": f"{REGION}#{followed}#{BRANCH}", "sk": "job#0000000001"}
        self._job = {"operation": "start_job", "appId": followed, "branchName": BRANCH, "jobId": "1"}
        self._table = team.client("dynamodb")
        self._numbers = itertools.count(1)
        self._executions_before = 0
        self._report = ""
        self._delivery = json.loads((PROJECT / "events" / "receive_webhook.push.json").read_text(encoding="utf-8"))

    def delivery(self) -> Mapping[str, Any]:
        """A push that starts an execution; its app is unknown, so that it ends soon."""
        push = self._team.push("rejected", BRANCH)
        headers = {name.lower(): value for name, value in push.headers.items()}
        return {**self._delivery, "headers": self._delivery["headers"] | headers, "body": push.body.decode()}

    def job_requested(self) -> Mapping[str, Any]:
        """A program's request for a job, on the bus; its app is unknown too."""
        return {
            "id": str(uuid4()),
            "source": "com.acme.measured",
            "detail-type": "Job Requested",
            "account": "123456789012",
            "region": REGION,
            "time": datetime.now(UTC).isoformat(),
            "resources": [],
            "detail": {
                "requestId": f"measured-{next(self._numbers)}",
                "operation": "start_job",
                "parameters": {"appId": UNKNOWN_APP, "branchName": BRANCH, "jobType": "RELEASE"},
            },
        }

    def batch(self) -> Mapping[str, Any]:
        """A batch of one message: a push that could not be verified when it came."""
        self._executions_before = len(self._team.executions())
        push = self._team.push("rejected", BRANCH)
        delivery = UnverifiedDelivery(
            source="github", headers=dict(push.headers), body=push.body, received_at=datetime.now(UTC)
        )
        record = {
            "messageId": str(uuid4()),
            "receiptHandle": "measured",
            "body": delivery.model_dump_json(by_alias=True),
            "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "measured"},
            "eventSource": "aws:sqs",
        }
        return {"Records": [record]}

    def is_drained(self, answer: Any) -> bool:
        """Whether drain_intake has started one execution for the batch."""
        is_started = len(self._team.executions()) == self._executions_before + 1
        return is_started and answer == {"batchItemFailures": []}

    def until_rejected(self) -> None:
        """Wait until no execution is under way but the one that follows a job."""

        def only_one() -> bool:
            running = [execution for execution in self._team.executions() if execution["status"] == "RUNNING"]
            return [execution["executionArn"] for execution in running] == [self._execution]

        until(only_one, "end of the rejected request")

    def start(self) -> Mapping[str, Any]:
        return {"request": self._request(self._started), "execution": self._execution}

    def mirrored(self) -> Mapping[str, Any]:
        """A request for one more commit, on a branch that the mirror does not have."""
        self._source.set(f"refs/heads/{BRANCH}", self._source.commit())
        request = self._request(self._started)
        branch = f"branch-{next(self._numbers)}"
        order = {"source": "mirrored", "repository": "acme/mirrored", "ref": f"refs/heads/{BRANCH}", "branch": branch}
        return {"request": {**request, "route": "mirrored", "mirror": order}, "execution": self._execution}

    def shown(self) -> Mapping[str, Any]:
        """A request for a pull request, whose branch the first one makes and the others find."""
        order = {"action": "build", "source": "github", "repository": "acme/shown", "pullRequest": 7}
        request = self._request(self._started)
        parameters = {**request["parameters"], "branchName": "pr-7"}
        return {"request": {**request, "route": "shown", "parameters": parameters, "preview": order}}

    def stop_started(self) -> None:
        """Stop the last job that a start has started, and wait for its end."""

        def jobs() -> list[dict[str, Any]]:
            answer = self._team.amplify.list_jobs(appId=self._started, branchName=BRANCH, maxResults=10)
            return [job for job in answer["jobSummaries"] if job["status"] not in ENDED]

        for job in jobs():
            self._team.amplify.stop_job(appId=self._started, branchName=BRANCH, jobId=job["jobId"])
        until(lambda: not jobs(), "end of the stopped job")

    def poll(self) -> Mapping[str, Any]:
        job = {"job": self._job, "state": "RUNNING"}
        request = self._request(self._followed)
        return {"request": request, "execution": self._execution, "job": job, "key": self._record}

    def change(self) -> Mapping[str, Any]:
        """Amplify's event for the followed job; it comes too early, so that the execution goes on after it woke."""
        return {
            "version": "0",
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "source": "aws.amplify",
            "detail-type": "Amplify Deployment Status Change",
            "account": "123456789012",
            "region": REGION,
            "time": datetime.now(UTC).isoformat(),
            "resources": [],
            "detail": {"appId": self._followed, "branchName": BRANCH, "jobId": "1", "jobStatus": "SUCCEED"},
        }

    def until_followed(self) -> None:
        """Wait until an execution waits for the followed job, its token in the job's record."""

        def waits() -> bool:
            key = {name: {"S": value} for name, value in self._record.items()}
            name = self._team.outputs["jobsTable"]
            return "taskToken" in self._table.get_item(TableName=name, Key=key, ConsistentRead=True).get("Item", {})

        until(waits, "execution that waits for its job's end")

    def end(self) -> Mapping[str, Any]:
        """The end of a job that was not announced yet."""
        now = datetime.now(UTC).isoformat()
        state = {"job": self._job, "state": "SUCCEEDED", "status": "SUCCEED", "startedAt": now, "finishedAt": now}
        request = self._request(self._followed)
        return {"detailType": "Job Finished", "request": request, "execution": self._execution, "job": state}

    def announcement(self) -> Mapping[str, Any]:
        """The announcement of another request."""
        self._report = f"reported-{next(self._numbers)}"
        return announcement(self._report)

    def report(self) -> Mapping[str, Any]:
        """A batch of one report to a chat, which no planned one is about."""
        event = self.announcement()
        body = {"target": CHAT, "subject": self._report, "detailType": event["detail-type"]}
        (record,) = json.loads((PROJECT / "events" / "send_report.json").read_text(encoding="utf-8"))["Records"]
        return {"Records": [{**record, "body": json.dumps({**body, "detail": event["detail"]})}]}

    def question(self) -> Mapping[str, Any]:
        """The question for the newest requests."""
        event: dict[str, Any] = json.loads((PROJECT / "events" / "api.json").read_text(encoding="utf-8"))
        return event

    def news(self) -> Mapping[str, Any]:
        """A batch of one announcement of a request that the index does not know."""
        (record,) = json.loads((PROJECT / "events" / "index_jobs.json").read_text(encoding="utf-8"))["Records"]
        return {"Records": [{**record, "body": json.dumps(self.announcement())}]}

    def is_reported(self, answer: Any) -> bool:
        """Whether send_report has sent the report to the chat."""
        return answer == {"batchItemFailures": []} and self._has_arrived()

    def until_reported(self) -> None:
        """Wait until the local cloud has sent the last report that was planned."""
        until(lambda: not self._report or self._has_arrived(), "planned report")

    def _has_arrived(self) -> bool:
        return any(self._report in json.dumps(report) for report in self._team.received_reports())

    def _request(self, app_id: str) -> Mapping[str, Any]:
        request = JobRequest(
            request_id=f"measured-{next(self._numbers):032x}",
            route="measured",
            operation="start_job",
            parameters={"appId": app_id, "branchName": BRANCH, "jobType": "RELEASE"},
            cause=Cause(source="github", kind="push", repository="acme/site", branch=BRANCH),
            received_at=datetime.now(UTC),
        )
        return request.model_dump(mode="json", by_alias=True)


def is_accepted(answer: Any) -> bool:
    """Whether receive_webhook took a delivery and started one execution for it."""
    requests = json.loads(answer["body"])["requests"]
    return answer["statusCode"] == 202 and [request["duplicate"] for request in requests] == [False]


def _is_requested(answer: Any) -> bool:
    return [request["duplicate"] for request in answer["requests"]] == [False]


def _is_started(answer: Any) -> bool:
    return not answer["finished"] and int(answer["job"]["job"]["jobId"]) > 0


def environment_variables(
    function: str, folder: Path, cloud: RunningCloud, own: Mapping[str, str]
) -> Mapping[str, str]:
    """The environment as the Lambda service makes it: the function's own, the platform's, and the paths."""
    return {
        "PATH": os.environ["PATH"],
        **own,
        **function_variables(cloud),
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "measured",
        "LAMBDA_TASK_ROOT": str(folder),
        "_HANDLER": "handler.handler",
        "TZ": ":UTC",
        "PYTHONPATH": f"{folder}:{PROJECT / 'layers' / 'core'}",
    }
