"""Parameters: with which ones a failed job is started again, and by what a started job is recognised."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.codegen_parameters import StartCodegenJobParameters
from amplify_jobs.model.job import Job
from amplify_jobs.model.parameters import (
    GenerateBackendAPIModelsParameters,
    HostingParameters,
    JobTraits,
    OperationParameters,
    StartDeploymentParameters,
    StartJobParameters,
)

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
    ("model", "parameters", "retried"),
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
    model: type[OperationParameters], parameters: dict[str, Any], retried: dict[str, Any]
) -> None:
    assert model.model_validate(parameters).for_retry(FAILED) == model.model_validate(retried)


def test_a_deployment_that_was_uploaded_is_not() -> None:
    uploaded = StartDeploymentParameters.model_validate({"appId": "d1", "branchName": "main", "jobId": "7"})
    with pytest.raises(RequestRejected, match="call CreateDeployment again"):
        uploaded.for_retry(FAILED)


@pytest.mark.parametrize(
    ("parameters", "traits"),
    [
        (StartJobParameters.model_validate(BUILD), JobTraits("RELEASE", "Fix it")),
        (StartDeploymentParameters.model_validate(ARTIFACT), JobTraits("MANUAL", source_url="s3://bucket/site.zip")),
        (
            StartDeploymentParameters(app_id="d1", branch_name="main", source_url="https://host.example/a.zip?token=1"),
            JobTraits("MANUAL", source_url="https://host.example/a.zip"),
        ),
        (
            StartDeploymentParameters(app_id="d1", branch_name="main", job_id="7"),
            JobTraits("MANUAL", deployment_id="7"),
        ),
    ],
)
def test_a_started_job_is_recognised_without_what_signs_its_source(
    parameters: HostingParameters, traits: JobTraits
) -> None:
    assert parameters.traits() == traits
