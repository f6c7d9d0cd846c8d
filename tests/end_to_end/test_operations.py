"""Codegen jobs, backend models and deployments through the same machine: from the request to the announcement."""

from __future__ import annotations

import hashlib
import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from botocore.config import Config

from demo.examples import zipped_site
from tests.support.node import needs_node
from tests.support.team import ROOT, Team

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
    place: dict[str, Any] = {"appId": app_id, "environmentName": "trouble"}
    before = len(ui_builder.list_codegen_jobs(**place)["entities"])
    team.inject_fault(service="amplifyuibuilder", **fault)

    request_id = team.asks("start_codegen_job", codegen(app_id, graphqlSchema=SCHEMA) | place)

    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    assert len(ui_builder.list_codegen_jobs(**place)["entities"]) == before + 1


def test_a_codegen_job_without_node_fails_and_says_what_to_install(
    team: Team, app_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    request_id = team.asks("start_codegen_job", codegen(app_id, graphqlSchema=SCHEMA))

    finished = team.told(request_id)

    assert finished["outcome"] == "FAILED"
    assert "install Node 20 or newer" in finished["reason"]
    assert finished["results"] is None


@needs_node
def test_a_codegen_job_that_is_stuck_is_timed_out(
    team: Team, app_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    node = tmp_path / "node"
    node.write_text('#!/bin/sh\n[ "$1" = --version ] && echo v20.0.0 && exit\nexec /bin/sleep 300\n')
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    request_id = team.asks("start_codegen_job", codegen(app_id, graphqlSchema=SCHEMA), timeoutMinutes=1)

    finished = team.told(request_id)

    assert finished["outcome"] == "TIMED_OUT"
    assert "timeoutMinutes" in finished["reason"]


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
    team.inject_fault(service="amplifybackend", operation="GenerateBackendAPIModels", fault="lose-answer")

    request_id = team.asks("generate_backend_api_models", parameters)

    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    place: dict[str, Any] = {
        "AppId": app_id,
        "BackendEnvironmentName": "lost",
        "Operation": "GenerateBackendAPIModels",
    }
    assert len(team.session.client("amplifybackend").list_backend_jobs(**place)["Jobs"]) == 1


@needs_node
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


# ---------------------------------------------------------------- deployments


def put(url: str, content: bytes) -> None:
    urllib.request.urlopen(urllib.request.Request(url, content, method="PUT")).close()


@pytest.mark.parametrize("form", ["artifact", "sourceUrl", "s3 zip", "s3 prefix", "jobId of a zip", "jobId of files"])
def test_a_deployment_becomes_a_site(team: Team, form: str) -> None:
    place = team.manual_app("manual")
    key = f"releases/{place['appId']} 1"
    zip_uri = team.store(f"{key}.zip", zipped_site(form))
    match form:
        case "artifact":
            source = {"artifact": zip_uri}
        case "sourceUrl":
            bucket, _, name = zip_uri.removeprefix("s3://").partition("/")
            s3 = team.session.client("s3", config=Config(signature_version="s3v4"))
            source = {"sourceUrl": s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": name})}
        case "s3 zip":
            source = {"sourceUrl": zip_uri, "sourceUrlType": "ZIP"}
        case "s3 prefix":
            prefix = team.store(f"{key}/index.html", form.encode()).removesuffix("index.html")
            source = {"sourceUrl": prefix, "sourceUrlType": "BUCKET_PREFIX"}
        case "jobId of a zip":
            created = team.amplify.create_deployment(**place)
            put(created["zipUploadUrl"], zipped_site(form))
            source = {"jobId": created["jobId"]}
        case _:
            digest = hashlib.md5(form.encode()).hexdigest()
            created = team.amplify.create_deployment(**place, fileMap={"index.html": digest})
            put(created["fileUploadUrls"]["index.html"], form.encode())
            source = {"jobId": created["jobId"]}

    request_id = team.asks("start_deployment", place | source)

    finished = team.told(request_id)
    assert team.shown(finished) == form.encode()
    holds_to_its_schema(finished)
    assert (finished["job"]["operation"], finished["job"]["jobType"]) == ("start_deployment", "MANUAL")
    assert len(team.jobs(place["appId"])) == 1
    assert "X-Amz" not in json.dumps([team.told(request_id, "Job Started"), finished])


def test_an_artifacts_address_is_in_no_log_record_or_history(team: Team) -> None:
    place = team.manual_app("secret")
    team.inject_fault(service="amplify", operation="StartDeployment", fault="throttle", times=2)
    artifact = team.store("releases/secret.zip", zipped_site("secret"))
    request_id = team.asks("start_deployment", place | {"artifact": artifact})

    assert team.shown(team.told(request_id)) == b"secret"

    name = team.cloud.physical_id("StartJobFunction")
    with urllib.request.urlopen(f"{team.cloud.endpoint_url}/_local/logs/functions/{name}") as log:
        seen = log.read().decode()
    assert request_id in seen
    arn = team.execution(request_id)["executionArn"]
    seen += str(team.stepfunctions.get_execution_history(executionArn=arn)["events"])
    seen += str(team.session.resource("dynamodb").Table(team.outputs["jobsTable"]).scan()["Items"])
    assert "Signature" not in seen


def test_deployments_of_one_branch_come_one_after_the_other(team: Team) -> None:
    place = team.manual_app("queue")
    ids = [
        team.asks("start_deployment", place | {"artifact": team.store(f"releases/{n}.zip", zipped_site(str(n)))})
        for n in range(3)
    ]

    finished = [team.told(request_id) for request_id in ids]

    assert {detail["outcome"] for detail in finished} == {"SUCCEEDED"}
    assert sorted(detail["job"]["jobId"] for detail in finished) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "throttle", "times": 2},
        {"fault": "lose-answer"},
    ],
    ids=lambda fault: str(fault["fault"]),
)
def test_trouble_with_a_deployment_ends_in_exactly_one_job(team: Team, fault: dict[str, Any]) -> None:
    place = team.manual_app("trouble")
    team.inject_fault(service="amplify", operation="StartDeployment", **fault)

    artifact = team.store("releases/trouble.zip", zipped_site("trouble"))
    request_id = team.asks("start_deployment", place | {"artifact": artifact})

    assert team.shown(team.told(request_id)) == b"trouble"
    assert len(team.jobs(place["appId"])) == 1


def test_a_zip_that_is_none_is_a_failed_job(team: Team) -> None:
    place = team.manual_app("broken-zip")
    finished = team.told(team.asks("start_deployment", place | {"artifact": team.store("releases/b.zip", b"no zip")}))

    assert finished["outcome"] == "FAILED"
    assert finished["failedStep"]["name"] == "DEPLOY"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({}, "exactly one of these is required, not 0: jobId, sourceUrl, artifact"),
        (
            {"artifact": "s3://amplify-jobs-bucket-123456789012/none.zip"},
            "none.zip can't be read: it does not exist, its bucket",
        ),
        ({"jobId": "7"}, "7 not found"),
    ],
    ids=["nothing", "missing object", "missing job"],
)
def test_a_deployment_that_cannot_be_is_rejected(team: Team, source: dict[str, str], text: str) -> None:
    place = team.manual_app("refused")

    assert text in team.told(team.asks("start_deployment", place | source), "Job Rejected")["reason"]
