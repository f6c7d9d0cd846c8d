"""The registry of operations: one row has everything that differs between them.

A row names classes by module and name and does not import them: a function loads only what its request needs, and the
model stays below the packages that start and follow jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from amplify_jobs.model.parameters import OperationParameters

_DEFAULT_TIMEOUT_MINUTES = 60
# Code and models are generated in seconds; the Amplify CLI itself gives up after two minutes.
_GENERATOR_TIMEOUT_MINUTES = 10
# Amplify ends a build itself after two hours at the latest (user guide: build timeout).
_FOLLOWED_TIMEOUT_MINUTES = 180

FOLLOW_JOB: Final = "follow_job"
"""The operation of a job that somebody else started: no route and no sender of a request may ask for it."""
REMOVE_PREVIEW: Final = "remove_preview"
"""The operation of a request that takes a preview away. It starts no job, and no sender of a request may ask for it."""


class Operation(StrEnum):
    """The API operation that a route or a sender asks for, in boto3's own names."""

    START_JOB = "start_job"
    START_DEPLOYMENT = "start_deployment"
    START_CODEGEN_JOB = "start_codegen_job"
    GENERATE_BACKEND_API_MODELS = "generate_backend_api_models"

    @property
    def spec(self) -> OperationSpec:
        return OPERATIONS[self]

    def parameters_model(self) -> type[OperationParameters]:
        """Load the model of the operation's parameters."""
        return self.spec.parameters_model()


@dataclass(frozen=True)
class OperationSpec:
    """A row of the registry; classes are named as `module:name`.

    `parameters` is the model of the operation's input, an OperationParameters, which also says how a failed job is
    retried. `service` calls the API that runs the jobs; its `connect()` makes it. `starter` starts a job exactly once
    (starting/starter.py). `is_hosting` is true of jobs of Amplify Hosting: they belong to a branch, an event tells of
    their end, and an API stops them.
    """

    parameters: str
    service: str
    starter: str
    is_hosting: bool = False
    default_timeout_minutes: int = _DEFAULT_TIMEOUT_MINUTES

    def parameters_model(self) -> type[OperationParameters]:
        """Load the model of the parameters."""
        model: type[OperationParameters] = resolve_name(self.parameters)
        return model


OPERATIONS: Mapping[str, OperationSpec] = {
    Operation.START_JOB: OperationSpec(
        parameters="amplify_jobs.model.parameters:StartJobParameters",
        service="amplify_jobs.aws.amplify:Amplify",
        starter="amplify_jobs.starting.hosting:HostingStarter",
        is_hosting=True,
    ),
    Operation.START_DEPLOYMENT: OperationSpec(
        parameters="amplify_jobs.model.parameters:StartDeploymentParameters",
        service="amplify_jobs.aws.amplify:Amplify",
        starter="amplify_jobs.starting.hosting:HostingStarter",
        is_hosting=True,
    ),
    Operation.START_CODEGEN_JOB: OperationSpec(
        parameters="amplify_jobs.model.codegen_parameters:StartCodegenJobParameters",
        service="amplify_jobs.aws.ui_builder:UiBuilder",
        starter="amplify_jobs.starting.codegen:CodegenStarter",
        default_timeout_minutes=_GENERATOR_TIMEOUT_MINUTES,
    ),
    Operation.GENERATE_BACKEND_API_MODELS: OperationSpec(
        parameters="amplify_jobs.model.parameters:GenerateBackendAPIModelsParameters",
        service="amplify_jobs.aws.amplify_backend:Backend",
        starter="amplify_jobs.starting.models:ModelsStarter",
        default_timeout_minutes=_GENERATOR_TIMEOUT_MINUTES,
    ),
    FOLLOW_JOB: OperationSpec(
        parameters="amplify_jobs.model.parameters:FollowJobParameters",
        service="amplify_jobs.aws.amplify:Amplify",
        starter="amplify_jobs.starting.follow:FollowStarter",
        is_hosting=True,
        default_timeout_minutes=_FOLLOWED_TIMEOUT_MINUTES,
    ),
}


def default_timeout_minutes(operation: str) -> int:
    """How long a job of an operation, which may be unknown, may run where nobody says."""
    spec = OPERATIONS.get(operation)
    return spec.default_timeout_minutes if spec is not None else _DEFAULT_TIMEOUT_MINUTES
