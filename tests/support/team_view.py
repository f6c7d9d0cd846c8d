"""What a team sees of its stack: announcements, executions, jobs and stored objects."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

import boto3

from demo.announcements import Announcements

PATIENCE_SECONDS = 400
"""Longer than a message stays hidden whose function was killed, and than the second pause of a report."""

T = TypeVar("T")


class TeamView:
    """Every announcement is kept by request id: those for programs in `events`, those for people in `messages`."""

    def __init__(self) -> None:
        self.session = boto3.Session()
        self.amplify = self.session.client("amplify")
        self.stepfunctions = self.session.client("stepfunctions")
        ssm = self.session.client("ssm")
        self.outputs = json.loads(ssm.get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])
        self._announcements = Announcements(
            self.session, topic_arn=self.outputs["topicArn"], bus_name=self.outputs["busName"]
        )
        self.events: list[dict[str, Any]] = []
        self.messages: list[tuple[str, str]] = []

    def told(self, request_id: str, detail_type: str = "Job Finished") -> dict[str, Any]:
        """Wait for an event about a request, and give its detail."""

        def find() -> dict[str, Any] | None:
            self.collect()
            for event in self.events:
                if event["detail"]["requestId"] == request_id and event["detail-type"] == detail_type:
                    return dict(event["detail"])
            return None

        return self.until(find, f"no {detail_type} for {request_id}")

    def shown(self, finished: dict[str, Any]) -> bytes:
        """The first page of the site of a job that succeeded."""
        assert finished["outcome"] == "SUCCEEDED", finished["reason"]
        with urllib.request.urlopen(finished["links"]["site"]) as page:
            content: bytes = page.read()
        return content

    def told_of(self, route: str, detail_type: str = "Job Finished") -> dict[str, Any]:
        """Wait for an event about the one request that a route has made, and give its detail."""

        def find() -> dict[str, Any] | None:
            self.collect()
            details = [one["detail"] for one in self.events if one["detail-type"] == detail_type]
            return next((dict(detail) for detail in details if detail["route"] == route), None)

        return self.until(find, f"no {detail_type} of route {route}")

    def requests_of(self, route: str) -> list[str]:
        """The requests that a route has made, in the order in which their executions were started."""
        pages = self.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self.outputs["stateMachineArn"]
        )
        executions = [one for page in pages for one in page["executions"] if one["name"].rpartition("-")[0] == route]
        return [one["name"] for one in sorted(executions, key=lambda one: one["startDate"])]

    def message(self, request_id: str, word: str) -> tuple[str, str]:
        """Wait for a message whose subject opens with a word, and give subject and text."""

        def find() -> tuple[str, str] | None:
            self.collect()
            return next((m for m in self.messages if m[0].startswith(word) and request_id in m[1]), None)

        return self.until(find, f"no message {word} for {request_id}")

    def jobs(self, app_id: str, branch: str = "main") -> list[Any]:
        """What ListJobs shows, newest first."""
        return list(self.amplify.list_jobs(appId=app_id, branchName=branch)["jobSummaries"])

    def running_job(self, app_id: str) -> str:
        """Wait until a job of main runs, and give its id."""

        def find() -> str | None:
            return next((job["jobId"] for job in self.jobs(app_id) if job["status"] == "RUNNING"), None)

        return self.until(find, f"no job of {app_id} runs")

    def stored(self, uri: str) -> bytes:
        """Read an object by its s3:// address."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def execution(self, request_id: str) -> Any:
        """Describe a request's execution."""
        arn = self.outputs["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{request_id}"
        return self.stepfunctions.describe_execution(executionArn=arn)

    def ended(self, request_id: str) -> str:
        """Wait until a request's execution has ended, and give its status."""

        def find() -> str | None:
            status = str(self.execution(request_id)["status"])
            return None if status == "RUNNING" else status

        return self.until(find, f"the execution {request_id} did not end")

    def until(self, find: Callable[[], T | None], otherwise: str) -> T:
        start = time.monotonic()
        while (passed := time.monotonic() - start) < PATIENCE_SECONDS:
            if (value := find()) is not None:
                return value
            # Each look costs the local cloud some requests: who has waited for long looks less often.
            time.sleep(max(0.1, passed / 10))
        raise AssertionError(otherwise)

    def collect(self) -> None:
        """Take in what has been said since the last time."""
        self.events.extend(self._announcements.for_programs())
        self.messages.extend(self._announcements.for_people())
