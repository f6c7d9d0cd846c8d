"""Codegen jobs, backend models and deployments through the same machine: from the request to the announcement."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.end_to_end.team import ROOT, Team
from tests.local.node import needs_node

SCHEMA = """\
type Post @model {
  id: ID!
  title: String!
  rating: Rating
}
enum Rating { GOOD BAD }
"""
MISSING_ENUM = {
    "dataSourceType": "DataStore",
    "models": {
        "Post": {
            "primaryKeys": ["id"],
            "fields": {
                name: {"dataType": kind, "dataTypeValue": value, "required": True, "readOnly": False, "isArray": False}
                for name, kind, value in [("id", "ID", "ID"), ("rating", "Enum", "Rating")]
            },
        }
    },
    "enums": {},
    "nonModels": {},
}


@pytest.fixture(scope="module")
def app_id(team: Team) -> str:
    return str(team.amplify.create_app(name="forms")["app"]["appId"])


def codegen(app_id: str, **data: Any) -> dict[str, Any]:
    job = {
        "renderConfig": {"react": {"module": "es2020", "target": "es2020", "script": "jsx"}},
        "autoGenerateForms": True,
        "features": {"isRelationshipSupported": True, "isNonModelSupported": True},
        **data,
    }
    return {"appId": app_id, "environmentName": "dev", "codegenJobToCreate": job}


def holds_to_its_schema(detail: dict[str, Any]) -> None:
    schema = (ROOT / "docs" / "schemas" / "job-finished.json").read_text(encoding="utf-8")
    jsonschema.validate(detail, json.loads(schema))


# ---------------------------------------------------------------- codegen jobs


@needs_node
@pytest.mark.parametrize("form", ["graphqlSchema", "graphqlSchemaUri", "genericDataSchema", "parametersUri"])
def test_a_codegen_job_leaves_its_files_in_the_bucket(team: Team, app_id: str, form: str) -> None:
    more: dict[str, Any] = {}
    match form:
        case "graphqlSchemaUri":
            parameters = codegen(app_id, graphqlSchemaUri=team.store("schemas/blog.graphql", SCHEMA.encode()))
        case "genericDataSchema":
            enums = {"Rating": {"values": ["GOOD", "BAD"]}}
            parameters = codegen(app_id, genericDataSchema={**MISSING_ENUM, "enums": enums})
        case _:
            parameters = codegen(app_id, graphqlSchema=SCHEMA)
    if form == "parametersUri":
        large = {"codegenJobToCreate": parameters.pop("codegenJobToCreate")}
        more["parametersUri"] = team.store("requests/forms.json", json.dumps(large).encode())

    request_id = team.asks("start_codegen_job", parameters, **more)

    started = team.told(request_id, "Job Started")
    assert (started["job"]["operation"], started["job"]["environmentName"]) == ("start_codegen_job", "dev")
    finished = team.told(request_id)
    assert finished["outcome"] == "SUCCEEDED"
    holds_to_its_schema(finished)
    files = {uri.rpartition("/")[2]: uri for uri in finished["results"]["files"]}
    assert set(files) >= {"PostCreateForm.jsx", "PostUpdateForm.jsx", "index.js", "utils.js", "manifest.json"}
    assert b"export default function PostCreateForm" in team.stored(files["PostCreateForm.jsx"])
    assert f"results/{request_id}/" in files["index.js"]
    assert finished["results"]["missing"] == finished["results"]["partialErrors"] == []
    subject, text = team.message(request_id, "SUCCEEDED")
    assert subject == "SUCCEEDED: forms dev start_codegen_job"
    assert f"{len(files)} in s3://" in text
    assert team.ended(request_id) == "SUCCEEDED"


@needs_node
def test_an_unknown_directive_is_a_warning_of_the_announcements(team: Team, app_id: str) -> None:
    request_id = team.asks("start_codegen_job", codegen(app_id, graphqlSchema=SCHEMA + "type Tag @modle { id: ID! }"))

    for detail_type in ("Job Started", "Job Finished"):
        (warning,) = team.told(request_id, detail_type)["warnings"]
        assert "line 7, column 10: " in warning
        assert "@modle" in warning
    assert "Warning: " in team.message(request_id, "SUCCEEDED")[1]


@needs_node
def test_an_enum_that_is_missing_is_a_partial_error(team: Team, app_id: str) -> None:
    request_id = team.asks("start_codegen_job", codegen(app_id, genericDataSchema=MISSING_ENUM))

    finished = team.told(request_id)

    assert finished["outcome"] == "SUCCEEDED"
    assert "Values could not be found for enum Rating" in str(finished["results"]["partialErrors"])
    assert "Not generated: Post" in team.message(request_id, "SUCCEEDED")[1]


def test_a_schema_that_is_wrong_is_rejected_with_line_and_column(team: Team, app_id: str) -> None:
    broken = SCHEMA.replace("title: String!", "title String!")
    request_id = team.asks("start_codegen_job", codegen(app_id, graphqlSchema=broken))

    rejected = team.told(request_id, "Job Rejected")

    assert "parameters.codegenJobToCreate.graphqlSchema: line 3, column 9" in rejected["reason"]
    assert (rejected["appId"], rejected["environmentName"]) == (app_id, "dev")
    assert team.ended(request_id) == "SUCCEEDED"


def test_all_faults_of_the_parameters_are_named(team: Team, app_id: str) -> None:
    parameters = codegen("nope", renderConfig={"react": {"script": "coffee"}}, colour="red")
    reason = team.told(team.asks("start_codegen_job", parameters), "Job Rejected")["reason"]

    for path in ("appId", "codegenJobToCreate.renderConfig.react.script", "codegenJobToCreate.colour"):
        assert f"parameters.{path}: " in reason


@needs_node
@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "StartCodegenJob", "fault": "throttle", "times": 3},
        {"operation": "StartCodegenJob", "fault": "lose-answer", "times": 2},
        {"operation": "GetCodegenJob", "fault": "throttle", "times": 3},
        {"operation": "GetCodegenJob", "fault": "nonsense", "times": 2},
    ],
    ids=lambda fault: f"{fault['operation']} {fault['fault']}",
)
def test_trouble_with_ui_builder_ends_in_exactly_one_job(team: Team, app_id: str, fault: dict[str, Any]) -> None:
    ui_builder = team.session.client("amplifyuibuilder")
    place = {"appId": app_id, "environmentName": "trouble"}
    before = len(ui_builder.list_codegen_jobs(**place)["entities"])
    team.order_fault(service="amplifyuibuilder", **fault)

    request_id = team.asks("start_codegen_job", codegen(app_id, graphqlSchema=SCHEMA) | place)

    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    assert len(ui_builder.list_codegen_jobs(**place)["entities"]) == before + 1


def test_a_codegen_job_that_fails(team: Team, app_id: str) -> None:
    """With nothing to generate from, the generator can't work; without Node, nothing can."""
    parameters = codegen(app_id, renderConfig={"react": {}})
    parameters["codegenJobToCreate"].pop("features")
    request_id = team.asks("start_codegen_job", parameters)

    finished = team.told(request_id)

    assert finished["outcome"] == "FAILED"
    assert finished["reason"]
    assert finished["results"] is None


# ---------------------------------------------------------------- models


def environment(team: Team, app_id: str, name: str, schema: str = SCHEMA) -> dict[str, Any]:
    backend = team.session.client("amplifybackend")
    backend.create_backend(AppId=app_id, AppName="forms", BackendEnvironmentName=name)
    backend.create_backend_api(
        AppId=app_id,
        BackendEnvironmentName=name,
        ResourceName="blog",
        ResourceConfig={"TransformSchema": schema},
    )
    return {"AppId": app_id, "BackendEnvironmentName": name, "ResourceName": "blog"}


@needs_node
def test_backend_models_are_left_in_the_bucket(team: Team, app_id: str) -> None:
    request_id = team.asks("generate_backend_api_models", environment(team, app_id, "models"))

    finished = team.told(request_id)

    assert finished["outcome"] == "SUCCEEDED"
    holds_to_its_schema(finished)
    assert (finished["job"]["appId"], finished["job"]["environmentName"]) == (app_id, "models")
    files = {uri.rpartition("/")[2]: uri for uri in finished["results"]["files"]}
    assert set(files) == {"schema.js", "model-introspection.json"}
    assert team.stored(files["schema.js"]).startswith(b"export const schema = {")
    assert "Post" in json.loads(team.stored(files["model-introspection.json"]))["models"]


@needs_node
def test_models_of_one_environment_are_generated_one_after_the_other(team: Team, app_id: str) -> None:
    parameters = environment(team, app_id, "twice")
    ids = [team.asks("generate_backend_api_models", parameters) for _ in range(2)]

    finished = [team.told(request_id) for request_id in ids]

    assert {detail["outcome"] for detail in finished} == {"SUCCEEDED"}
    assert len({detail["job"]["jobId"] for detail in finished}) == 2


@needs_node
def test_a_models_job_whose_answer_was_lost_is_the_only_one(team: Team, app_id: str) -> None:
    parameters = environment(team, app_id, "lost")
    team.order_fault(service="amplifybackend", operation="GenerateBackendAPIModels", fault="lose-answer")

    request_id = team.asks("generate_backend_api_models", parameters)

    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    place = {"AppId": app_id, "BackendEnvironmentName": "lost", "Operation": "GenerateBackendAPIModels"}
    assert len(team.session.client("amplifybackend").list_backend_jobs(**place)["Jobs"]) == 1


def test_models_that_cannot_be_made_are_a_failed_job(team: Team, app_id: str) -> None:
    request_id = team.asks("generate_backend_api_models", environment(team, app_id, "broken", "type Post {"))

    finished = team.told(request_id)

    assert finished["outcome"] == "FAILED"
    assert finished["reason"]


def test_models_of_nothing_are_rejected(team: Team, app_id: str) -> None:
    parameters = {"AppId": app_id, "BackendEnvironmentName": "none", "ResourceName": "blog"}

    rejected = team.told(team.asks("generate_backend_api_models", parameters), "Job Rejected")

    assert "Backend environment none not found" in rejected["reason"]
    assert (rejected["appId"], rejected["environmentName"]) == (app_id, "none")
