"""The operations that a request can ask for, and the parameters of each, as its API page states them."""

from __future__ import annotations

from pydantic import ValidationError

from amplify_jobs.backend_model_requests import GenerateBackendAPIModelsParameters
from amplify_jobs.codegen_requests import StartCodegenJobParameters
from amplify_jobs.deployment_requests import StartDeploymentParameters
from amplify_jobs.errors import RequestRejected
from amplify_jobs.requests import JobRequest, Operation, StartJobParameters, faults

Parameters = (
    StartJobParameters | StartDeploymentParameters | StartCodegenJobParameters | GenerateBackendAPIModelsParameters
)
PARAMETERS: dict[Operation, type[Parameters]] = {
    Operation.START_JOB: StartJobParameters,
    Operation.START_DEPLOYMENT: StartDeploymentParameters,
    Operation.START_CODEGEN_JOB: StartCodegenJobParameters,
    Operation.GENERATE_BACKEND_API_MODELS: GenerateBackendAPIModelsParameters,
}


def validated_parameters(request: JobRequest) -> Parameters:
    """Validate a request's parameters as its operation's API page states them.

    Raises RequestRejected naming every fault with its path.
    """
    try:
        model = PARAMETERS[Operation(request.operation)]
    except ValueError:
        known = ", ".join(Operation)
        raise RequestRejected(f"operation: {request.operation!r} is not known; use one of {known}") from None
    try:
        return model.model_validate(request.parameters)
    except ValidationError as error:
        raise RequestRejected("; ".join(faults(error, "parameters"))) from None
