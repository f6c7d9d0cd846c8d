"""Amplify UI Builder's API as this service uses it: boto3 in, our models and our errors out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from amplify_jobs.aws.amplify_errors import amplify_call
from amplify_jobs.aws.amplify_responses import codegen_job_state, partial_errors
from amplify_jobs.aws.clients import READ_CONFIG, client_config
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.job import Job, JobState
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.results import JobOutput

if TYPE_CHECKING:
    from mypy_boto3_amplifyuibuilder.client import AmplifyUIBuilderClient

    from amplify_jobs.model.codegen_parameters import StartCodegenJobParameters

# The token makes a repeat of the call harmless, here and in the state machine.
_START_CONFIG = client_config(attempts=2, read_timeout=8)
_RESOURCES = {"app": "appId", "environment": "environmentName"}


class UiBuilder:
    """UI Builder behind boto3 clients that are made when they are first needed, which most invocations do not."""

    @classmethod
    def connect(cls) -> UiBuilder:
        return cls()

    @cached_property
    def _start_client(self) -> AmplifyUIBuilderClient:
        return boto3.client("amplifyuibuilder", config=_START_CONFIG)

    @cached_property
    def _read_client(self) -> AmplifyUIBuilderClient:
        return boto3.client("amplifyuibuilder", config=READ_CONFIG)

    def start_codegen_job(self, parameters: StartCodegenJobParameters) -> Job:
        """Start the one job of a clientToken, which the parameters must have (API: StartCodegenJob).

        Raises RequestRejected, and Throttled or ServiceTrouble where the same call may work later.
        """
        arguments: dict[str, Any] = parameters.model_dump(mode="json", by_alias=True, exclude_none=True)
        with amplify_call("StartCodegenJob", _RESOURCES):
            job_id = self._start_client.start_codegen_job(**arguments).get("entity", {}).get("id")
        if not isinstance(job_id, str) or not job_id:
            raise ServiceTrouble("StartCodegenJob: answered without a job id")
        return Job(
            operation=Operation.START_CODEGEN_JOB,
            app_id=parameters.app_id,
            environment_name=parameters.environment_name,
            job_id=job_id,
        )

    def get_job(self, job: Job) -> JobState:
        """Ask for a job's state (API: GetCodegenJob).

        Raises NotFoundError, RequestRejected, Throttled or ServiceTrouble.
        """
        return codegen_job_state(job, self._get_job(job))

    def get_output(self, job: Job, _request: JobRequest) -> JobOutput:
        """Ask where the manifest of a job that succeeded is, and for the failures told beside it. Raises as above."""
        body = self._get_job(job).get("job")
        asset = body.get("asset") if isinstance(body, dict) else None
        address = asset.get("downloadUrl") if isinstance(asset, dict) else None
        if not isinstance(address, str) or not address:
            raise ServiceTrouble("GetCodegenJob: answered without the asset's downloadUrl")
        message = body.get("statusMessage") if isinstance(body, dict) else None
        return JobOutput(manifest_url=address, errors=partial_errors(message if isinstance(message, str) else None))

    def _get_job(self, job: Job) -> dict[str, Any]:
        with amplify_call("GetCodegenJob"):
            answer = self._read_client.get_codegen_job(
                appId=job.app_id, environmentName=job.require_environment(), id=job.job_id
            )
            return dict(answer)
