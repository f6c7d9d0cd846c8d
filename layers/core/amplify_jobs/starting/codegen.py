"""Starts a codegen job: its data schema, if it is given as a GraphQL schema, is made first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from amplify_jobs.errors import InvalidSchemaError, RequestRejected
from amplify_jobs.model.job import Job
from amplify_jobs.model.results import counted
from amplify_jobs.text import presentable

if TYPE_CHECKING:
    from amplify_jobs.model.codegen_parameters import StartCodegenJobData, StartCodegenJobParameters

# Ten times the largest schema that AppSync takes is no schema.
SCHEMA_LIMIT = 10 * 1024 * 1024
# Warnings travel with the job, through the state machine and in announcements.
_WARNINGS_BYTES = 10_000
_JOB = "parameters.codegenJobToCreate"


class UiBuilder(Protocol):
    """What is asked of UI Builder; ui_builder.UiBuilder does it."""

    def start_codegen_job(self, parameters: StartCodegenJobParameters) -> Job: ...


class Texts(Protocol):
    """What reads a text from S3; objects.Objects does it."""

    def read_text(self, uri: str, limit: int) -> str: ...


def start_codegen_job(
    request_id: str, parameters: StartCodegenJobParameters, *, ui_builder: UiBuilder, objects: Texts
) -> Job:
    """Start the job that a request asks for, exactly once, since its id is the clientToken; a repeat gives the same.

    Raises RequestRejected, for a schema that can't be used with its line and column; Throttled or ServiceTrouble if it
    is to be called again later.
    """
    data, warnings = _with_schema(parameters.codegen_job_to_create, objects)
    token = parameters.client_token or request_id
    job = ui_builder.start_codegen_job(
        parameters.model_copy(update={"client_token": token, "codegen_job_to_create": data})
    )
    texts = tuple(presentable(warning) for warning in warnings)
    return job.model_copy(update={"warnings": counted(texts, _WARNINGS_BYTES, str)})


def _with_schema(data: StartCodegenJobData, objects: Texts) -> tuple[StartCodegenJobData, tuple[str, ...]]:
    if data.graphql_schema is not None:
        where, text = f"{_JOB}.graphqlSchema", data.graphql_schema
    elif data.graphql_schema_uri is not None:
        where, text = data.graphql_schema_uri, objects.read_text(data.graphql_schema_uri, SCHEMA_LIMIT)
    else:
        return data, ()
    # It brings graphql-core with it, which nothing else needs: a build's start shall not wait for it.
    from amplify_jobs.graphql.convert import convert_schema  # noqa: PLC0415

    try:
        converted = convert_schema(text)
    except InvalidSchemaError as error:
        # By its own name, which is what the state machine goes by.
        raise RequestRejected(f"{where}: {error}") from error
    return data.with_schema(converted.schema), tuple(f"{where}: {warning}" for warning in converted.warnings)
