"""Amplify Backend's API as this service uses it: boto3 in, our models and our errors out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from amplify_jobs.aws.amplify_errors import amplify_call, amplify_start
from amplify_jobs.aws.amplify_responses import backend_job_state
from amplify_jobs.aws.clients import NO_RETRY_CONFIG, READ_CONFIG
from amplify_jobs.aws.errors import required_member
from amplify_jobs.errors import ServiceTrouble, StartUnresolved
from amplify_jobs.model.job import Job, JobState
from amplify_jobs.model.parameters import GenerateBackendAPIModelsParameters
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.results import JobOutput, PartialError

if TYPE_CHECKING:
    from mypy_boto3_amplifybackend.client import AmplifyBackendClient

# As AWS's own generator calls them.
MODELS = "schema.js"
INTROSPECTION_SCHEMA = "model-introspection.json"
_STALE = "GetBackendAPIModels calls them STALE: the API's schema has changed since these models were made"
_OPERATION = "GenerateBackendAPIModels"
_RESOURCES = {"app": "AppId", "environment": "BackendEnvironmentName", "api": "ResourceName"}


class Backend:
    """Amplify Backend behind boto3 clients that are made when they are first needed, which most invocations do not."""

    @classmethod
    def connect(cls) -> Backend:
        return cls()

    @cached_property
    def _start_client(self) -> AmplifyBackendClient:
        return boto3.client("amplifybackend", config=NO_RETRY_CONFIG)

    @cached_property
    def _read_client(self) -> AmplifyBackendClient:
        return boto3.client("amplifybackend", config=READ_CONFIG)

    def generate_models(self, parameters: GenerateBackendAPIModelsParameters) -> str:
        """Call GenerateBackendAPIModels once, and give the id of the job.

        Raises RequestRejected, Throttled, BranchBusy or ServiceTrouble where the service said that it started nothing,
        and StartUnresolved where that is not known.
        """
        with amplify_start(_OPERATION, _RESOURCES):
            job_id = self._start_client.generate_backend_api_models(**parameters.model_dump(by_alias=True)).get("JobId")
        if not isinstance(job_id, str) or not job_id:
            raise StartUnresolved(f"{_OPERATION}: answered without a job id")
        return job_id

    def model_jobs(self, app_id: str, environment_name: str) -> list[str]:
        """List the ids of an environment's jobs that generate models (API: ListBackendJobs, one page of 25).

        Raises RequestRejected for an app or environment that is not there, Throttled or ServiceTrouble.
        """
        with amplify_call("ListBackendJobs", _RESOURCES):
            answer = self._read_client.list_backend_jobs(
                AppId=app_id, BackendEnvironmentName=environment_name, Operation=_OPERATION, MaxResults=25
            )
            jobs = required_member(answer, "Jobs", list)
        ids = [job.get("JobId") for job in jobs if isinstance(job, dict)]
        return [job_id for job_id in ids if isinstance(job_id, str)]

    def get_job(self, job: Job) -> JobState:
        """Ask for a job's state (API: GetBackendJob).

        Raises NotFoundError, RequestRejected, Throttled or ServiceTrouble.
        """
        with amplify_call("GetBackendJob"):
            answer: dict[str, Any] = dict(
                self._read_client.get_backend_job(
                    AppId=job.app_id, BackendEnvironmentName=job.require_environment(), JobId=job.job_id
                )
            )
            required_member(answer, "JobId", str)
            return backend_job_state(job, answer)

    def get_output(self, job: Job, request: JobRequest) -> JobOutput:
        """Read what a job made (API: GetBackendAPIModels). Raises as above."""
        resource_name = str(request.parameters.get("ResourceName"))
        with amplify_call("GetBackendAPIModels"):
            answer = self._read_client.get_backend_api_models(
                AppId=job.app_id, BackendEnvironmentName=job.require_environment(), ResourceName=resource_name
            )
        models, schema, status = (answer.get(name) for name in ("Models", "ModelIntrospectionSchema", "Status"))
        if not isinstance(models, str) or not models:
            raise ServiceTrouble("GetBackendAPIModels: answered without Models")
        texts = {MODELS: models, INTROSPECTION_SCHEMA: schema if isinstance(schema, str) else ""}
        stale = (PartialError(schema_name=resource_name, error=_STALE),) if status == "STALE" else ()
        return JobOutput(texts={name: text for name, text in texts.items() if text}, errors=stale)
