"""A team that uses the service on a running local cloud: apps with real repositories, routes, and signed pushes."""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config

from amplify_jobs.events.webhooks.github import SIGNATURE_HEADER, sign
from amplify_jobs.model.operations import Operation
from amplify_jobs.routing.conditions import PullRequests, Push, When
from amplify_jobs.routing.mirrors import Git, Mirror
from amplify_jobs.routing.previews import Preview
from amplify_jobs.routing.report_targets import ChatWebhook, ReportConditions, Target
from amplify_jobs.routing.routes import RequestTemplate, Route, Routes, Source
from benchmarks.running_cloud import CREDENTIALS, HOST, PROJECT, REGION, RunningCloud
from local.report_targets import PREFIX

SECRET = "It's a Secret to Everybody"
SECRET_NAME = "/amplify-jobs/secrets/github"
CHAT = "chat"
REPORTED = "reported"
CHAT_ADDRESS = "/amplify-jobs/secrets/reports/chat"
PATIENCE_SECONDS = 300.0

Value = TypeVar("Value")


@dataclass(frozen=True)
class Delivery:
    """GitHub's delivery of one push."""

    headers: dict[str, str]
    body: bytes


class Team:
    """Its clients, its apps and its pushes; no two pushes are the same."""

    def __init__(self, cloud: RunningCloud, folder: Path) -> None:
        self._cloud = cloud
        self._folder = folder
        self._numbers = itertools.count(1)
        self._routes: dict[str, Route] = {}
        self._sources = {"github": Source(provider="github", secrets=(SECRET_NAME,))}
        self._reports: dict[str, Target] = {}
        self.ssm = self.client("ssm")
        self.amplify = self.client("amplify")
        self.stepfunctions = self.client("stepfunctions")
        self.ssm.put_parameter(Name=SECRET_NAME, Type="SecureString", Value=SECRET, Overwrite=True)
        self.outputs = json.loads(self.ssm.get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])

    def client(self, service: Any) -> Any:
        """A boto3 client of the local cloud that tries once."""
        return boto3.client(
            service,
            endpoint_url=self._cloud.endpoint_url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}, read_timeout=120),
        )

    def app(self, name: str, branches: Sequence[str], command: str) -> str:
        """Make an app with branches, whose builds run one command, and a route of the same name for its pushes."""
        repository = self._folder / name
        repository.mkdir()
        (repository / "index.html").write_text("<h1>A site</h1>\n", encoding="utf-8")
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        for arguments in (
            ("init", "--quiet", f"--initial-branch={branches[0]}"),
            ("add", "--all"),
            (*author, "commit", "--quiet", "--message=Begin"),
            *(("branch", branch) for branch in branches[1:]),
        ):
            subprocess.run(["git", *arguments], cwd=repository, check=True)
        build = {"phases": {"build": {"commands": [command]}}, "artifacts": {"baseDirectory": ".", "files": ["*.html"]}}
        spec = json.dumps({"version": 1, "frontend": build})
        created = self.amplify.create_app(name=name, repository=str(repository), buildSpec=spec)
        app_id = str(created["app"]["appId"])
        for branch in branches:
            self.amplify.create_branch(appId=app_id, branchName=branch)
        self.route(name, app_id)
        return app_id

    def route(self, name: str, app_id: str) -> None:
        """Have pushes to acme/<name> start jobs of an app, once the routes are stored."""
        parameters = {"appId": app_id, "branchName": "{branch}", "jobType": "RELEASE"}
        self._routes[name] = Route(
            when=When(push=Push(repository=f"acme/{name}")),
            request=RequestTemplate(operation=Operation.START_JOB, parameters=parameters),
        )

    def mirror(self, name: str, source: str, target: str) -> None:
        """Have a route bring commits from one address of a git server to another one, once the routes are stored."""
        self._sources[name] = Source(provider="github", secrets=(SECRET_NAME,), git=Git(url=source))
        parameters = {"appId": name, "branchName": "{branch}", "jobType": "RELEASE"}
        self._routes[name] = Route(
            when=When(push=Push(repository=f"acme/{name}")),
            source=name,
            request=RequestTemplate(operation=Operation.START_JOB, parameters=parameters),
            mirror=Mirror(to=target),
        )

    def show(self, name: str) -> None:
        """Have pull requests of acme/<name> shown as previews, once the routes are stored."""
        parameters = {"appId": name, "branchName": "{pullRequest.source}", "jobType": "RELEASE"}
        self._routes[name] = Route(
            when=When(pull_request=PullRequests(repository=f"acme/{name}")),
            request=RequestTemplate(operation=Operation.START_JOB, parameters=parameters),
            preview=Preview(),
        )

    def report_to_chat(self) -> None:
        """Have announcements of the route REPORTED delivered to a chat's stand-in, once the routes are stored."""
        address = f"{self._cloud.endpoint_url}{PREFIX}/slack/measured"
        self.ssm.put_parameter(Name=CHAT_ADDRESS, Type="SecureString", Value=address, Overwrite=True)
        when = ReportConditions(routes=(REPORTED,))
        self.report(CHAT, ChatWebhook(kind="slack", webhook=CHAT_ADDRESS, when=when))

    def report(self, name: str, target: Target) -> None:
        """Have announcements delivered to a target, once the routes are stored."""
        self._reports[name] = target

    def received_reports(self) -> list[dict[str, Any]]:
        """What the stand-ins for targets of reports have received."""
        request = urllib.request.Request(f"{self._cloud.endpoint_url}{PREFIX}", headers={"Accept": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return list(json.load(answer)["received"])

    def store_routes(self) -> None:
        """Put the routes of all apps where the functions read them."""
        routes = Routes(
            sources=self._sources,
            routes=self._routes,
            reports=self._reports,
        )
        self.client("s3").put_object(
            Bucket=self.outputs["bucketName"],
            Key=self.outputs["routesKey"],
            Body=routes.model_dump_json(by_alias=True).encode(),
        )

    def push(self, app: str, branch: str) -> Delivery:
        """Give the signed delivery of one more push to a branch of an app's repository."""
        number = next(self._numbers)
        commit = f"{number:040x}"
        author = {"name": "Ada", "email": "ada@example.com", "username": "ada"}
        change = {"id": commit, "message": f"Change {number}", "timestamp": "2026-01-31T12:00:00Z", "author": author}
        change |= {"added": [], "removed": [], "modified": ["index.html"]}
        payload = {
            "ref": f"refs/heads/{branch}",
            "before": f"{number + 0xABC0000:040x}",
            "after": commit,
            "created": False,
            "deleted": False,
            "forced": False,
            "repository": {
                "full_name": f"acme/{app}",
                "html_url": f"https://github.example/acme/{app}",
                "pushed_at": 1_790_000_000 + number,
            },
            "commits": [change],
            "head_commit": change,
        }
        body = json.dumps(payload).encode()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": f"delivery-{number}",
            SIGNATURE_HEADER: sign(SECRET, body),
        }
        return Delivery(headers, body)

    def deliver(self, delivery: Delivery) -> tuple[int, dict[str, Any]]:
        """POST a delivery to the HTTP API; gives the status and the JSON of the answer."""
        connection = http.client.HTTPConnection(HOST, self._cloud.http_port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", "/webhooks/github", delivery.body, delivery.headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def executions(self) -> list[dict[str, Any]]:
        """All executions of the state machine (API: ListExecutions)."""
        pages = self.stepfunctions.get_paginator("list_executions")
        listing = pages.paginate(stateMachineArn=self.outputs["stateMachineArn"])
        return [execution for page in listing for execution in page["executions"]]


def announcement(request_id: str) -> dict[str, Any]:
    """The example's announcement, of a request of the route REPORTED."""
    event: dict[str, Any] = json.loads((PROJECT / "events" / "plan_reports.json").read_text(encoding="utf-8"))
    event["detail"] |= {"requestId": request_id, "route": REPORTED}
    return event


def until(find: Callable[[], Value | None], subject: str, every_seconds: float = 0.05) -> Value:
    """Give what `find` finds, once it finds anything that is true. Raises TimeoutError saying what was waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (value := find()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {subject} within {PATIENCE_SECONDS:.0f} s")
        time.sleep(every_seconds)
    return value
