"""The operations that a request can ask for, and the parameters of each, as its API page states them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.backend_models import GenerateBackendAPIModelsParameters
from amplify_jobs.model.deployment import StartDeploymentParameters
from amplify_jobs.model.request import JobRequest, OnTimeout, Operation, StartJobParameters
from amplify_jobs.model.validation import faults

if TYPE_CHECKING:
    from amplify_jobs.model.codegen import StartCodegenJobParameters

Parameters: TypeAlias = (
    "StartJobParameters | StartDeploymentParameters | StartCodegenJobParameters | GenerateBackendAPIModelsParameters"
)


def parameters_model(operation: Operation) -> type[Parameters]:
    """Give the model of an operation's parameters."""
    match operation:
        case Operation.START_JOB:
            return StartJobParameters
        case Operation.START_DEPLOYMENT:
            return StartDeploymentParameters
        case Operation.GENERATE_BACKEND_API_MODELS:
            return GenerateBackendAPIModelsParameters
        case Operation.START_CODEGEN_JOB:
            # Dozens of models, for which no other operation's start shall wait.
            from amplify_jobs.model.codegen import StartCodegenJobParameters  # noqa: PLC0415

            return StartCodegenJobParameters


def validated_parameters(request: JobRequest) -> Parameters:
    """Validate a request's parameters as its operation's API page states them.

    Raises RequestRejected naming every fault with its path.
    """
    if request.fault is not None:
        raise RequestRejected(request.fault)
    try:
        model = parameters_model(Operation(request.operation))
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
    return parameters_model(Operation(operation)).model_validate(validated)


def not_for(operation: str, supersede: bool, on_timeout: OnTimeout) -> Iterator[tuple[str, str]]:
    """Say which members of a request or route mean nothing for its operation: only Amplify Hosting stops jobs."""
    if operation in (Operation.START_CODEGEN_JOB, Operation.GENERATE_BACKEND_API_MODELS):
        reason = f"no API stops a job of {operation}"
        if supersede:
            yield "supersede", f"{reason}; leave it out"
        if on_timeout is OnTimeout.STOP:
            yield "onTimeout", f"{reason}; use leave"
