"""Amplify Hosting's API as this service uses it: boto3 in, our models and our errors out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3

from amplify_jobs.aws.amplify_errors import HOSTING_RESOURCES, amplify_call, amplify_start
from amplify_jobs.aws.amplify_responses import hosting_job_state, job_with_origin, step_addresses, text_or_none
from amplify_jobs.aws.amplify_stops import send_stop
from amplify_jobs.aws.clients import NO_RETRY_CONFIG, READ_CONFIG
from amplify_jobs.aws.errors import required_member
from amplify_jobs.aws.s3 import Objects
from amplify_jobs.errors import RequestRejected, StartUnresolved
from amplify_jobs.model.job import Job, JobState, StepAddress
from amplify_jobs.model.parameters import (
    SOURCE_URL_LIMIT,
    HostingParameters,
    StartDeploymentParameters,
)
from amplify_jobs.starting.lease import ListedJob

if TYPE_CHECKING:
    from mypy_boto3_amplify.client import AmplifyClient


class Amplify:
    """Amplify Hosting behind two boto3 clients: one for starts, which it never repeats, and one for everything else.

    `objects` sign the addresses of artifacts; who starts no deployments needs none.
    """

    def __init__(self, start_client: AmplifyClient, read_client: AmplifyClient, objects: Objects | None = None) -> None:
        self._start_client = start_client
        self._read_client = read_client
        self._objects = objects or Objects()

    @classmethod
    def connect(cls, objects: Objects | None = None) -> Amplify:
        """Build it with boto3 clients that go where the environment says."""
        return cls(
            boto3.client("amplify", config=NO_RETRY_CONFIG), boto3.client("amplify", config=READ_CONFIG), objects
        )

    def send(self, parameters: HostingParameters) -> ListedJob:
        """Call StartJob or StartDeployment once.

        Raises RequestRejected, Throttled, BranchBusy or ServiceTrouble where nothing was started, and StartUnresolved
        where that is not known (no answer, an answer that is no job, or an internal failure).
        """
        if isinstance(parameters, StartDeploymentParameters):
            return self._start_deployment(parameters)
        arguments: dict[str, Any] = parameters.model_dump(by_alias=True, exclude_none=True)
        return _started("StartJob", lambda: self._start_client.start_job(**arguments))

    def _start_deployment(self, parameters: StartDeploymentParameters) -> ListedJob:
        arguments: dict[str, Any] = parameters.model_dump(
            by_alias=True, exclude_none=True, exclude={"artifact", "artifact_version"}
        )
        if parameters.artifact is not None:
            # Anew for each attempt, and nobody's but Amplify's to see.
            arguments["sourceUrl"] = self._signed(parameters.artifact, parameters.artifact_version)
        return _started("StartDeployment", lambda: self._start_client.start_deployment(**arguments))

    def list_jobs(self, app_id: str, branch_name: str) -> list[ListedJob]:
        """List the newest jobs of a branch (API: ListJobs, one page of 50), newest first.

        Raises RequestRejected for an app or branch that Amplify does not know, Throttled or ServiceTrouble.
        """
        with amplify_call("ListJobs", HOSTING_RESOURCES):
            answer = self._read_client.list_jobs(appId=app_id, branchName=branch_name, maxResults=50)
            jobs = [_listed_job(summary) for summary in required_member(answer, "jobSummaries", list)]
        return [job for job in jobs if job is not None]

    def get_job(self, job: Job) -> JobState:
        """Ask for a job's state (API: GetJob). Raises NotFoundError, RequestRejected, Throttled or ServiceTrouble."""
        with amplify_call("GetJob"):
            answer = self._read_client.get_job(appId=job.app_id, branchName=job.require_branch(), jobId=job.job_id)
            return hosting_job_state(job, answer)

    def job_with_origin(self, job: Job) -> Job:
        """Add to a job what Amplify tells of it and of its app's repository (APIs: GetJob, GetApp).

        Raises as get_job does.
        """
        with amplify_call("GetJob"):
            answer = self._read_client.get_job(appId=job.app_id, branchName=job.require_branch(), jobId=job.job_id)
        with amplify_call("GetApp"):
            app = required_member(self._read_client.get_app(appId=job.app_id), "app", dict)
            return job_with_origin(job, answer, app)

    def step_addresses(self, job: Job) -> tuple[StepAddress, ...]:
        """Give a job's steps with fresh addresses of their logs (API: GetJob). Raises as get_job does."""
        with amplify_call("GetJob"):
            return step_addresses(
                self._read_client.get_job(appId=job.app_id, branchName=job.require_branch(), jobId=job.job_id)
            )

    def build_variables(self, job: Job) -> dict[str, str]:
        """Give the environment variables of a job's app and branch, the branch's first (APIs: GetApp, GetBranch).

        Their values may be secrets. Raises as get_job does.
        """
        with amplify_call("GetApp"):
            app = required_member(self._read_client.get_app(appId=job.app_id), "app", dict)
        with amplify_call("GetBranch"):
            branch = required_member(
                self._read_client.get_branch(appId=job.app_id, branchName=job.require_branch()), "branch", dict
            )
        listed = [resource.get("environmentVariables") for resource in (app, branch)]
        variables = [members for members in listed if isinstance(members, dict)]
        return {str(name): str(value) for level in variables for name, value in level.items()}

    def stop_job(self, job: Job) -> None:
        """Have a job stopped; raises as amplify_stops.send_stop."""
        send_stop(self._read_client, job)

    def app_name_and_domain(self, app_id: str) -> tuple[str | None, str | None]:
        """Give an app's name and default domain (API: GetApp). Raises NotFoundError, Throttled or ServiceTrouble."""
        with amplify_call("GetApp"):
            app = required_member(self._read_client.get_app(appId=app_id), "app", dict)
            return text_or_none(app.get("name")), text_or_none(app.get("defaultDomain"))

    def branch_display_name(self, app_id: str, branch_name: str) -> str | None:
        """Give the name a branch has in its site's address (API: GetBranch, displayName). Raises as above."""
        with amplify_call("GetBranch"):
            branch = required_member(self._read_client.get_branch(appId=app_id, branchName=branch_name), "branch", dict)
            return text_or_none(branch.get("displayName"))

    def _signed(self, artifact: str, version: str | None) -> str:
        self._objects.check_readable(artifact, version)
        address = self._objects.signed_address(artifact, version)
        if len(address) > SOURCE_URL_LIMIT:
            raise RequestRejected(
                f"parameters.artifact: the address signed for it has {len(address)} characters, and StartDeployment "
                f"takes {SOURCE_URL_LIMIT}: give the object a shorter key"
            )
        return address


def _started(operation: str, send: Callable[[], Mapping[str, Any]]) -> ListedJob:
    with amplify_start(operation, HOSTING_RESOURCES):
        job = _listed_job(send().get("jobSummary"))
    if job is None:
        raise StartUnresolved(f"{operation}: answered without a job id")
    return job


def _listed_job(summary: Mapping[str, Any] | None) -> ListedJob | None:
    job_id = summary.get("jobId") if isinstance(summary, Mapping) else None
    if summary is None or not isinstance(job_id, str) or not job_id.isdecimal():
        return None
    names = ("jobType", "commitMessage", "status", "sourceUrl")
    job_type, message, status, source_url = (text_or_none(summary.get(name)) for name in names)
    return ListedJob(job_id, job_type, message, status, source_url)
