"""Starts a codegen job. Its data schema, if it is given as a GraphQL schema, is made first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplify_jobs.errors import InvalidSchemaError, RequestRejected
from amplify_jobs.model.job import Job
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.results import limit_items
from amplify_jobs.starting.protocols import UiBuilder
from amplify_jobs.starting.starter import StartResources
from amplify_jobs.text import presentable

if TYPE_CHECKING:
    from amplify_jobs.model.codegen_parameters import StartCodegenJobData, StartCodegenJobParameters

# Ten times the largest schema that AppSync takes is no schema.
SCHEMA_LIMIT = 10 * 1024 * 1024
# Warnings travel with the job, through the state machine and in announcements.
_WARNINGS_BYTES = 10_000
_JOB = "parameters.codegenJobToCreate"


class CodegenStarter:
    """The starter of StartCodegenJob. The start's id is the clientToken: UI Builder answers a repeat with its job."""

    def __init__(self, ui_builder: UiBuilder, resources: StartResources) -> None:
        self._ui_builder = ui_builder
        self._objects = resources.objects

    def start(self, start_id: str, _request: JobRequest, parameters: StartCodegenJobParameters) -> Job:
        """Start the job. A schema that can't be used is rejected with its line and column."""
        data, warnings = self._with_schema(parameters.codegen_job_to_create)
        token = parameters.client_token or start_id
        job = self._ui_builder.start_codegen_job(
            parameters.model_copy(update={"client_token": token, "codegen_job_to_create": data})
        )
        texts = tuple(presentable(warning) for warning in warnings)
        return job.model_copy(update={"warnings": limit_items(texts, _WARNINGS_BYTES, str)})

    def _with_schema(self, data: StartCodegenJobData) -> tuple[StartCodegenJobData, tuple[str, ...]]:
        if data.graphql_schema is not None:
            where, text = f"{_JOB}.graphqlSchema", data.graphql_schema
        elif data.graphql_schema_uri is not None:
            where = data.graphql_schema_uri
            text = self._objects.read_text(data.graphql_schema_uri, SCHEMA_LIMIT)
        else:
            return data, ()
        # It brings graphql-core with it, which nothing else needs: a build's start shall not wait for it.
        from amplify_jobs.graphql.convert import convert_schema  # noqa: PLC0415

        try:
            conversion = convert_schema(text)
        except InvalidSchemaError as error:
            # By its own name, which is what the state machine goes by.
            raise RequestRejected(f"{where}: {error}") from error
        return data.with_schema(conversion.schema), tuple(f"{where}: {warning}" for warning in conversion.warnings)
