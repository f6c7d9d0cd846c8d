"""Which start a failed job becomes, for each operation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.codegen_parameters import StartCodegenJobParameters
from amplify_jobs.model.job import Job
from amplify_jobs.model.parameters import (
    GenerateBackendAPIModelsParameters,
    OperationParameters,
    StartDeploymentParameters,
    StartJobParameters,
)
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.starting.retry import start_id

FAILED = Job(operation="start_job", app_id="d1", branch_name="main", job_id="7")
BUILD = {"appId": "d1", "branchName": "main", "jobType": "RELEASE", "jobReason": "push", "commitMessage": "Fix it"}
ARTIFACT = {"appId": "d1", "branchName": "main", "artifact": "s3://bucket/site.zip"}
CODEGEN = {
    "appId": "d1",
    "environmentName": "dev",
    "codegenJobToCreate": {"renderConfig": {"react": {}}, "graphqlSchemaUri": "s3://bucket/schema.graphql"},
}
MODELS = {"AppId": "d1", "BackendEnvironmentName": "dev", "ResourceName": "api"}


@pytest.mark.parametrize(
    ("model", "given", "retried"),
    [
        # A build again, of the commit of the job that failed: RETRY takes neither its message nor its commit.
        (
            StartJobParameters,
            BUILD,
            {"appId": "d1", "branchName": "main", "jobType": "RETRY", "jobId": "7", "jobReason": "push"},
        ),
        (StartDeploymentParameters, ARTIFACT, ARTIFACT),
        (GenerateBackendAPIModelsParameters, MODELS, MODELS),
        # With its token, UI Builder would answer with the job that failed.
        (StartCodegenJobParameters, {**CODEGEN, "clientToken": "mine"}, CODEGEN),
        (StartCodegenJobParameters, CODEGEN, CODEGEN),
    ],
)
def test_a_failed_job_is_started_again(
    model: type[OperationParameters], given: dict[str, Any], retried: dict[str, Any]
) -> None:
    assert model.model_validate(given).for_retry(FAILED) == model.model_validate(retried)


def test_a_deployment_that_was_uploaded_is_not() -> None:
    uploaded = StartDeploymentParameters.model_validate({"appId": "d1", "branchName": "main", "jobId": "7"})
    with pytest.raises(RequestRejected, match="call CreateDeployment anew"):
        uploaded.for_retry(FAILED)


def test_each_start_of_a_request_has_a_name_of_its_own() -> None:
    request = JobRequest(
        request_id="web-1",
        operation="start_job",
        parameters=BUILD,
        cause=Cause(source="github", kind="push"),
        received_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    assert [start_id(request, attempt) for attempt in (1, 2, 3)] == ["web-1", "web-1#2", "web-1#3"]
