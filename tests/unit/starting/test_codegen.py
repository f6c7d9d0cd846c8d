"""What UI Builder is sent for a codegen job: the token, and the data schema that a GraphQL schema becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.codegen_parameters import StartCodegenJobParameters
from amplify_jobs.model.job import Job
from amplify_jobs.starting.codegen import CodegenStarter
from tests.support.starting import Surroundings, make_request

SCHEMA = "type Post @model { id: ID! title: String! }"
URI = "s3://bucket/schema.graphql"


@dataclass
class UiBuilder:
    """UI Builder."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    def start_codegen_job(self, parameters: StartCodegenJobParameters) -> Job:
        self.sent.append(parameters.model_dump(mode="json", by_alias=True, exclude_none=True))
        return Job(operation="start_codegen_job", app_id="d1", environment_name="dev", job_id="job-1")


def start(data: dict[str, Any], *, token: str | None = None) -> tuple[Job, dict[str, Any]]:
    """Start a codegen job; give it, and what UI Builder was sent."""
    job = {"renderConfig": {"react": {}}, **data}
    members = {"appId": "d1", "environmentName": "dev", "clientToken": token, "codegenJobToCreate": job}
    ui_builder, surroundings = UiBuilder(), Surroundings()
    surroundings.objects[URI] = SCHEMA
    started = CodegenStarter(ui_builder, surroundings.resources()).start(
        "codegen-1",
        make_request("codegen-1", "start_codegen_job", members),
        StartCodegenJobParameters.model_validate(members),
    )
    return started, ui_builder.sent[0]


@pytest.mark.parametrize("data", [{"graphqlSchema": SCHEMA}, {"graphqlSchemaUri": URI}])
def test_a_graphql_schema_becomes_the_data_schema(data: dict[str, Any]) -> None:
    _, sent = start(data)
    job = sent["codegenJobToCreate"]
    assert set(job["genericDataSchema"]["models"]) == {"Post"}
    assert job.keys().isdisjoint(data)


def test_a_data_schema_is_sent_as_it_is() -> None:
    schema = {"dataSourceType": "DataStore", "models": {}, "enums": {"E": {"values": ["A"]}}, "nonModels": {}}
    _, sent = start({"genericDataSchema": schema})
    assert sent["codegenJobToCreate"] == {"renderConfig": {"react": {}}, "genericDataSchema": schema}


@pytest.mark.parametrize(("token", "sent_token"), [(None, "codegen-1"), ("mine", "mine")])
def test_the_starts_id_is_the_token_unless_the_request_has_one(token: str | None, sent_token: str) -> None:
    _, sent = start({"graphqlSchema": SCHEMA}, token=token)
    assert sent["clientToken"] == sent_token


def test_warnings_travel_with_the_job_and_name_the_place() -> None:
    job, _ = start({"graphqlSchema": SCHEMA + "\ntype Comment @modle { id: ID! }"})
    (warning,) = job.warnings
    assert warning.startswith("parameters.codegenJobToCreate.graphqlSchema: ")
    assert "@modle" in warning


def test_a_schema_that_cannot_be_used_is_rejected_with_its_line_and_column() -> None:
    with pytest.raises(RequestRejected, match=r"codegenJobToCreate\.graphqlSchema: .*3.*9") as error:
        start({"graphqlSchema": "type Post @model {\n  id: ID!\n  title String\n}"})
    # The state machine goes by the name of the error's class.
    assert type(error.value) is RequestRejected
