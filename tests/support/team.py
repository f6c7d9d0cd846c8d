"""A team that uses amplify-jobs on the local cloud: its apps, routes, pushes, and what it is told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import boto3
import yaml

from amplify_jobs.aws.stored_routes import SECONDS_FRESH
from amplify_jobs.events.webhooks.github import sign
from amplify_jobs_cli import cli
from demo.announcements import Announcements
from demo.repository import Repository, git
from local.cloud import CloudSettings, LocalCloud
from tests.support.git_server import GitServer, running_git_server

ROOT = Path(__file__).parent.parent.parent
SECRET = "a secret of the team"
SECRET_NAME = "/amplify-jobs/secrets/github"
BUCKETS = ("e2e-artifacts", "e2e-triggers")
COMMENTED = ("commented", "reviewed")
"""Repositories of CodeCommit on which the stack may comment."""
MIRRORS = ("e2e-mirror", "e2e-codecommit")
"""The repositories of CodeCommit that the stack may write."""
PATIENCE_SECONDS = 400
"""Longer than a message stays hidden whose function was killed, and than the second pause of a report."""

RECONCILED = ("e2e-reconciled", COMMENTED[0])
"""The repositories of CodeCommit whose refs the stack may list."""

T = TypeVar("T")


class Team:
    """Deliveries go to `url`; every announcement is kept by request id."""

    def __init__(self, cloud: LocalCloud, folder: Path, git_server: GitServer) -> None:
        self.cloud = cloud
        self.git_server = git_server
        self.session = boto3.Session()
        self.amplify = self.session.client("amplify")
        self.stepfunctions = self.session.client("stepfunctions")
        ssm = self.session.client("ssm")
        ssm.put_parameter(Name=SECRET_NAME, Type="SecureString", Value=SECRET, Overwrite=True)
        self.outputs = json.loads(ssm.get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])
        self.url = f"{cloud.api_url}/webhooks/github"
        git_server.api = f"{cloud.endpoint_url}/_local/reports/github"
        self._folder = folder
        self._routes: dict[str, Any] = {}
        self.sources = self._own_sources()
        self.reports: dict[str, Any] = {}
        self._known_reports: dict[str, Any] = {}
        self._pushes = 0
        self._lock = threading.Lock()
        self._announcements = Announcements(
            self.session, topic_arn=self.outputs["topicArn"], bus_name=self.outputs["busName"]
        )
        self.events: list[dict[str, Any]] = []
        self.messages: list[tuple[str, str]] = []

    @classmethod
    @contextlib.contextmanager
    def at_work(cls, folder: Path) -> Iterator[Team]:
        """Start the local cloud on free ports, and set the environment as a user of it does."""
        (folder / "git").mkdir()
        with contextlib.ExitStack() as exits:
            git_server = exits.enter_context(running_git_server(folder / "git", SECRET))
            parameters = {
                "ReadableBuckets": ",".join(BUCKETS),
                "CommentRepositories": ",".join(COMMENTED),
                "MirrorRepositories": ",".join(MIRRORS),
                "ReconcileRepositories": ",".join(RECONCILED),
                "MirrorPrivateHosts": f"127.0.0.1:{git_server.port}",
                "BadgeKey": "k" * 32,
            }
            settings = CloudSettings(aws_port=0, http_port=0, parameters=parameters, state_dir=folder / "cloud")
            cloud = exits.enter_context(LocalCloud(ROOT / "template.yaml", settings))
            environment = {
                "AWS_ENDPOINT_URL": cloud.endpoint_url,
                "AWS_REGION": cloud.region,
                "AWS_DEFAULT_REGION": cloud.region,
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
            }
            before = {name: os.environ.get(name) for name in environment}
            os.environ.update(environment)
            try:
                yield cls(cloud, folder, git_server)
            finally:
                for name, value in before.items():
                    if value is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = value

    def _own_sources(self) -> dict[str, Any]:
        git_access = {"url": self.git_server.address("{repository}"), "token": SECRET_NAME}
        return {"github": {"provider": "github", "secrets": [SECRET_NAME], "git": git_access}}

    def begin_anew(self, folder: Path) -> None:
        """Forget routes and reports, store the secret again, and make further repositories in another folder.

        The apps are deleted, since an account has 25 at most.
        """
        for app in self.amplify.list_apps(maxResults=100)["apps"]:
            self.amplify.delete_app(appId=app["appId"])
        self.session.client("ssm").put_parameter(Name=SECRET_NAME, Type="SecureString", Value=SECRET, Overwrite=True)
        self._folder = folder
        self._routes = {}
        self.sources = self._own_sources()
        self.reports = {}
        self.until_empty("ReportQueue")
        self._push_routes()
        self.forget_reports()

    # ------------------------------------------------------------ what the team has

    def app(self, name: str, build: list[str] | None = None) -> str:
        """Make an app with a repository of its own and the branches main and release/1; `build` replaces the build."""
        repository = Repository(self._folder / name)
        repository.create({})
        (repository.bare / "hooks" / "post-receive").unlink()
        if build is not None:
            spec = {
                "version": 1,
                "frontend": {
                    "phases": {"build": {"commands": build}},
                    "artifacts": {"baseDirectory": ".", "files": ["index.html"]},
                },
            }
            (repository.work_tree / "amplify.yml").write_text(yaml.safe_dump(spec))
        repository.commit_and_push("Begin")
        git("push", "--quiet", "origin", "main:release/1", cwd=repository.work_tree)
        app_id = str(self.amplify.create_app(name=name, repository=str(repository.bare))["app"]["appId"])
        for branch in ("main", "release/1"):
            self.amplify.create_branch(appId=app_id, branchName=branch)
        return app_id

    def manual_app(self, name: str) -> dict[str, Any]:
        """Make an app without a repository and its branch main, and give what names the branch in requests."""
        app_id = str(self.amplify.create_app(name=name)["app"]["appId"])
        self.amplify.create_branch(appId=app_id, branchName="main")
        return {"appId": app_id, "branchName": "main"}

    def route(self, name: str, app_id: str, **more: Any) -> None:
        """Push the routes with one more: pushes to acme/<name> build the app."""
        parameters = {"appId": app_id, "branchName": "{branch}", "jobType": "RELEASE"}
        route = {
            "when": {"push": {"repository": f"acme/{name}", "branches": ["main", "release/*"]}},
            "request": {"operation": "start_job", "parameters": parameters},
            **more,
        }
        self.add_routes({name: route})

    def add_routes(self, routes: dict[str, Any]) -> None:
        """Push the routes with more, by their names."""
        self._routes |= routes
        self._push_routes()

    def _push_routes(self) -> None:
        file = self._folder / "routes.yaml"
        content = {"sources": self.sources, "routes": self._routes, "reports": self.reports}
        file.write_text(yaml.safe_dump(content))
        assert cli.main(["routes", "push", str(file), "--yes", "--no-lookup"]) == 0
        # The functions keep what they read for a while; a fresh process reads it anew.
        for function in ("ReceiveWebhookFunction", "ReceiveEventFunction", "DrainIntakeFunction"):
            self.kill(function)
        if self.reports != self._known_reports:
            self._known_reports = dict(self.reports)
            # A function of reports that is killed with a report in hand keeps it hidden for minutes.
            time.sleep(SECONDS_FRESH + 1 if self.reports else 0)

    def without(self, name: str) -> None:
        """Push the routes without one that was pushed before."""
        del self._routes[name]
        self._push_routes()

    def has_built_before(self, app_id: str, seconds: int) -> None:
        """Put the record of an earlier job of main on file, whose end a poll found."""
        begun = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.session.resource("dynamodb").Table(self.outputs["jobsTable"]).put_item(
            Item={
                "pk": f"{self.cloud.region}#{app_id}#main",
                "sk": "job#0000000000",
                "state": "SUCCEEDED",
                "leftQueueAt": begun.isoformat(),
                "finishedAt": (begun + timedelta(seconds=seconds)).isoformat(),
            }
        )

    # ------------------------------------------------------------ what it does

    def push(self, name: str, *, message: str = "Change", ref: str = "refs/heads/main", **members: Any) -> bytes:
        """The body of GitHub's delivery for one more push to acme/<name>."""
        with self._lock:
            self._pushes += 1
            number = self._pushes
        commit = f"{number:040x}"
        return json.dumps(
            {
                "ref": ref,
                "before": f"{number + 0xABC:040x}",
                "after": commit,
                "created": False,
                "deleted": False,
                "forced": False,
                "head_commit": {
                    "id": commit,
                    "message": message,
                    "timestamp": "2026-11-22T12:00:00+01:00",
                    "author": {"name": "Ada", "username": "ada"},
                    "added": [],
                    "removed": [],
                    "modified": ["index.html"],
                },
                "commits": [],
                "repository": {
                    "full_name": f"acme/{name}",
                    "html_url": f"https://github.example/acme/{name}",
                    "pushed_at": 1790000000 + number,
                },
                "pusher": {"name": "ada"},
                **members,
            }
        ).encode()

    def deliver(
        self, body: bytes, *, headers: dict[str, str] | None = None, url: str | None = None, event: str = "push"
    ) -> tuple[int, dict[str, Any]]:
        """POST a delivery, signed unless the headers say otherwise, and give the answer."""
        sent = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": f"delivery-{time.monotonic_ns()}",
            "X-Hub-Signature-256": sign(SECRET, body),
            **(headers or {}),
        }
        return self.post(url or self.url, {name: value for name, value in sent.items() if value}, body)

    @staticmethod
    def post(url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """POST a delivery as it is, and give the answer."""
        request = urllib.request.Request(url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")

    def accepted(self, body: bytes) -> str:
        """Deliver a push that one route takes, and give the request id.

        On a busy machine AWS may answer too late; the push then waits in the queue. A repeat gives the same request.
        """
        deferrals = 0

        def found() -> str | None:
            nonlocal deferrals
            status, answer = self.deliver(body)
            assert status == 202, answer
            if answer["deferred"]:
                deferrals += 1
                return None
            assert len(answer["requests"]) == 1, answer
            (request,) = answer["requests"]
            assert request["duplicate"] is False or deferrals, answer
            return str(request["requestId"])

        return self.until(found, "the push stayed in the queue")

    def kill(self, function: str) -> None:
        """Kill -9 every process of a function, by its logical id; idle or at work. Returns when they are dead."""
        name = self.cloud.physical_id(function)
        killed = set(self.cloud.functions.pids(name))
        for pid in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.until(lambda: killed.isdisjoint(self.cloud.functions.pids(name)) or None, f"{function} did not die")

    def until_empty(self, queue: str) -> None:
        """Wait until a queue, by its logical id, has no message, nor one that a function has in hand."""
        sqs, url = self.session.client("sqs"), str(self.cloud.physical_id(queue))
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        def is_empty() -> bool | None:
            counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return set(counts.values()) == {"0"} or None

        self.until(is_empty, f"messages stay in {queue}")

    def inject_fault(self, **fault: Any) -> None:
        """Inject a fault at the local cloud's address for it."""
        request = urllib.request.Request(
            f"{self.cloud.endpoint_url}/_local/faults", json.dumps(fault).encode(), method="POST"
        )
        urllib.request.urlopen(request).close()

    def clear_faults(self) -> None:
        request = urllib.request.Request(f"{self.cloud.endpoint_url}/_local/faults", method="DELETE")
        urllib.request.urlopen(request).close()

    def forget_reports(self) -> None:
        """Have the stand-ins for targets of reports forget what they received."""
        request = urllib.request.Request(f"{self.cloud.endpoint_url}/_local/reports", method="DELETE")
        urllib.request.urlopen(request).close()

    # ------------------------------------------------------------ what it is told

    def told(self, request_id: str, detail_type: str = "Job Finished") -> dict[str, Any]:
        """Wait for an event about a request, and give its detail."""

        def found() -> dict[str, Any] | None:
            self.collect()
            for event in self.events:
                if event["detail"]["requestId"] == request_id and event["detail-type"] == detail_type:
                    return dict(event["detail"])
            return None

        return self.until(found, f"no {detail_type} for {request_id}")

    def shown(self, finished: dict[str, Any]) -> bytes:
        """The first page of the site of a job that succeeded."""
        assert finished["outcome"] == "SUCCEEDED", finished["reason"]
        with urllib.request.urlopen(finished["links"]["site"]) as page:
            content: bytes = page.read()
        return content

    def told_of(self, route: str, detail_type: str = "Job Finished") -> dict[str, Any]:
        """Wait for an event about the one request that a route has made, and give its detail."""

        def found() -> dict[str, Any] | None:
            self.collect()
            details = [one["detail"] for one in self.events if one["detail-type"] == detail_type]
            return next((dict(detail) for detail in details if detail["route"] == route), None)

        return self.until(found, f"no {detail_type} of route {route}")

    def requests_of(self, route: str) -> list[str]:
        """The requests that a route has made, in the order in which their executions were started."""
        pages = self.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self.outputs["stateMachineArn"]
        )
        found = [one for page in pages for one in page["executions"] if one["name"].rpartition("-")[0] == route]
        return [one["name"] for one in sorted(found, key=lambda one: one["startDate"])]

    def message(self, request_id: str, word: str) -> tuple[str, str]:
        """Wait for a message whose subject opens with a word, and give subject and text."""

        def found() -> tuple[str, str] | None:
            self.collect()
            return next((m for m in self.messages if m[0].startswith(word) and request_id in m[1]), None)

        return self.until(found, f"no message {word} for {request_id}")

    def jobs(self, app_id: str, branch: str = "main") -> list[Any]:
        """What ListJobs shows, newest first."""
        return list(self.amplify.list_jobs(appId=app_id, branchName=branch)["jobSummaries"])

    def running_job(self, app_id: str) -> str:
        """Wait until a job of main runs, and give its id."""

        def found() -> str | None:
            return next((job["jobId"] for job in self.jobs(app_id) if job["status"] == "RUNNING"), None)

        return self.until(found, f"no job of {app_id} runs")

    def asks(self, operation: str, parameters: dict[str, Any], **more: Any) -> str:
        """Start an execution for a request directly, and give the request id."""
        with self._lock:
            self._pushes += 1
            request_id = f"direct-{self._pushes:032x}"
        request = {
            "version": "1",
            "requestId": request_id,
            "route": "direct",
            "operation": operation,
            "parameters": parameters,
            "cause": {"source": "team", "kind": "request"},
            "receivedAt": datetime.now(UTC).isoformat(),
            **more,
        }
        self.stepfunctions.start_execution(
            stateMachineArn=self.outputs["stateMachineArn"], name=request_id, input=json.dumps(request)
        )
        return request_id

    def stored(self, uri: str) -> bytes:
        """Read an object by its s3:// address."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def store(self, key: str, content: bytes) -> str:
        """Write an object to the stack's bucket, and give its s3:// address."""
        bucket = self.outputs["bucketName"]
        self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return f"s3://{bucket}/{key}"

    def execution(self, request_id: str) -> Any:
        """Describe a request's execution."""
        arn = self.outputs["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{request_id}"
        return self.stepfunctions.describe_execution(executionArn=arn)

    def ended(self, request_id: str) -> str:
        """Wait until a request's execution has ended, and give its status."""

        def found() -> str | None:
            status = str(self.execution(request_id)["status"])
            return None if status == "RUNNING" else status

        return self.until(found, f"the execution {request_id} did not end")

    def until(self, found: Callable[[], T | None], otherwise: str) -> T:
        start = time.monotonic()
        while (passed := time.monotonic() - start) < PATIENCE_SECONDS:
            if (value := found()) is not None:
                return value
            # Each look costs the local cloud some requests: who has waited for long looks less often.
            time.sleep(max(0.1, passed / 10))
        raise AssertionError(otherwise)

    def collect(self) -> None:
        """Take in what has been said since the last time."""
        self.events.extend(self._announcements.for_programs())
        self.messages.extend(self._announcements.for_people())
