"""The operations that a request can ask for, and the parameters of each, as its API page states them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from amplify_jobs.backend_model_requests import GenerateBackendAPIModelsParameters
from amplify_jobs.codegen_requests import StartCodegenJobParameters
from amplify_jobs.deployment_requests import StartDeploymentParameters
from amplify_jobs.errors import RequestRejected
from amplify_jobs.requests import JobRequest, OnTimeout, Operation, StartJobParameters, faults

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
    if request.fault is not None:
        raise RequestRejected(request.fault)
    try:
        model = PARAMETERS[Operation(request.operation)]
    except ValueError:
        known = ", ".join(Operation)
        raise RequestRejected(f"operation: {request.operation!r} is not known; use one of {known}") from None
    found = [f"{member}: {text}" for member, text in not_for(request.operation, request.supersede, request.on_timeout)]
    try:
        parameters = model.model_validate(request.parameters)
    except ValidationError as error:
        raise RequestRejected("; ".join(faults(error, "parameters") + found)) from None
    if found:
        raise RequestRejected("; ".join(found))
    return parameters


def parameters_of(operation: str, validated: dict[str, Any]) -> Parameters:
    """Read parameters that were validated before, and written as JSON since."""
    return PARAMETERS[Operation(operation)].model_validate(validated)


def not_for(operation: str, supersede: bool, on_timeout: OnTimeout) -> Iterator[tuple[str, str]]:
    """Say which members of a request or route mean nothing for its operation: only Amplify Hosting stops jobs."""
    if operation in (Operation.START_CODEGEN_JOB, Operation.GENERATE_BACKEND_API_MODELS):
        reason = f"no API stops a job of {operation}"
        if supersede:
            yield "supersede", f"{reason}; leave it out"
        if on_timeout is OnTimeout.STOP:
            yield "onTimeout", f"{reason}; use leave"
