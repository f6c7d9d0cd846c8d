"""UI Builder's codegen jobs through boto3: from the order to the files, and what can go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_jobs.graphql.convert import convert_schema
from local.codegen import Generator
from tests.support.amplify_world import GENERATOR_PATIENCE_SECONDS, World
from tests.support.node import needs_node


def order(sdl: str = "type Note @model { text: String }", **members: Any) -> dict[str, Any]:
    schema = convert_schema(sdl).schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    react = {"module": "es2020", "target": "es2020", "script": "jsx", "dependencies": {"aws-amplify": "^6.0.0"}}
    return {"renderConfig": {"react": react}, "genericDataSchema": schema, "autoGenerateForms": True, **members}


class Jobs:
    """The codegen jobs of one app."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = world.make_client("amplifyuibuilder")
        self.app_id = world.app()
        self.place = {"appId": self.app_id, "environmentName": "dev"}

    def start(self, job: dict[str, Any], **parameters: Any) -> dict[str, Any]:
        entity: dict[str, Any] = self.client.start_codegen_job(**self.place, codegenJobToCreate=job, **parameters)[
            "entity"
        ]
        return entity

    def get(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.client.get_codegen_job(**self.place, id=job_id)["job"]
        return job

    def ended(self, job_id: str) -> dict[str, Any]:
        self.world.eventually(lambda: self.get(job_id)["status"] != "in_progress", GENERATOR_PATIENCE_SECONDS)
        return self.get(job_id)

    def manifest(self, job: dict[str, Any]) -> list[dict[str, str]]:
        status, text = self.world.get(job["asset"]["downloadUrl"])
        assert status == 200
        output: list[dict[str, str]] = json.loads(text)["Output"]
        return output


@pytest.fixture
def jobs(world: World) -> Jobs:
    return Jobs(world)


@pytest.fixture
def idle(make_world: Callable[..., World], tmp_path: Path) -> Jobs:
    """Jobs that end at once, since there is no Node."""
    return Jobs(make_world(generator=Generator(path=str(tmp_path))))


@needs_node
def test_a_job_from_its_order_to_its_files(jobs: Jobs) -> None:
    parameters = order(tags={"team": "forms"}, features={"isRelationshipSupported": True, "isNonModelSupported": True})
    started = jobs.start(parameters)
    assert started["status"] == "in_progress"
    assert "asset" not in started
    assert {name: started[name] for name in parameters} == parameters
    job = jobs.ended(started["id"])
    assert job["status"] == "succeeded"
    assert "statusMessage" not in job
    assert job["modifiedAt"] > job["createdAt"]
    assert {each["name"]: each["supportedVersion"] for each in job["dependencies"]}["aws-amplify"] == "^6.0.0"
    manifest = jobs.manifest(job)
    assert [file["fileName"] for file in manifest] == [
        "studioTheme.js",
        "NoteCreateForm.jsx",
        "NoteUpdateForm.jsx",
        "index.js",
        "utils.js",
    ]
    texts = {file["schemaName"]: jobs.world.get(file["downloadUrl"]) for file in manifest}
    assert all(status == 200 and "generated with Amplify Studio" in text for status, text in texts.values())
    assert "export default function NoteCreateForm" in texts["NoteCreateForm"][1]


@needs_node
def test_single_failures_leave_the_job_succeeded(jobs: Jobs) -> None:
    job = jobs.ended(jobs.start(order("type odd_name @model { a: Int }"))["id"])
    errors = [
        {"schemaName": f"odd_name{action}Form", "error": "Expected an alphanumeric string with capital first letter"}
        for action in ("Create", "Update")
    ]
    assert job["status"] == "succeeded"
    assert json.loads(job["statusMessage"]) == {"codegenErrors": errors}
    failed = [file for file in jobs.manifest(job) if "error" in file]
    assert failed == [{"fileName": f"{error['schemaName']}.jsx", **error} for error in errors]


@needs_node
def test_addresses_work_only_as_signed(jobs: Jobs) -> None:
    job = jobs.ended(jobs.start(order(autoGenerateForms=False))["id"])
    address = job["asset"]["downloadUrl"]
    assert jobs.world.get(address.partition("?")[0])[0] == 403
    assert jobs.world.get(address.replace("manifest.json", "index.js"))[0] == 403
    assert jobs.world.get(address, method="PUT")[0] == 404


def test_without_node_the_job_fails_and_says_what_to_install(idle: Jobs) -> None:
    job = idle.ended(idle.start(order())["id"])
    assert job["status"] == "failed"
    assert "install Node 20 or newer" in job["statusMessage"]
    assert "asset" not in job


def test_the_same_token_starts_one_job(idle: Jobs) -> None:
    first = idle.start(order(), clientToken="once")
    again = idle.start(order(), clientToken="once")
    other = idle.start(order(), clientToken="twice")
    assert again["id"] == first["id"] != other["id"]
    elsewhere = idle.client.start_codegen_job(
        appId=idle.app_id, environmentName="prod", clientToken="once", codegenJobToCreate=order()
    )["entity"]
    assert elsewhere["id"] != first["id"]


def test_jobs_are_listed_by_environment_newest_first_and_in_pages(idle: Jobs) -> None:
    ids = [idle.start(order())["id"] for _ in range(3)]
    pages = list(
        idle.client.get_paginator("list_codegen_jobs").paginate(**idle.place, PaginationConfig={"PageSize": 2})
    )
    assert [[job["id"] for job in page["entities"]] for page in pages] == [ids[:0:-1], ids[:1]]
    other = idle.client.list_codegen_jobs(appId=idle.app_id, environmentName="prod")
    assert other["entities"] == []


def test_a_job_is_found_only_where_it_was_started(idle: Jobs) -> None:
    job_id = idle.start(order())["id"]
    with pytest.raises(idle.client.exceptions.ResourceNotFoundException):
        idle.client.get_codegen_job(appId=idle.app_id, environmentName="prod", id=job_id)


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("App d0 not found", {"appId": "d0"}),
    ("codegenJobToCreate.renderConfig", {"codegenJobToCreate": {}}),
    ("exactly one member", {"codegenJobToCreate": {"renderConfig": {}}}),
    ("enum value set", {"codegenJobToCreate": {"renderConfig": {"react": {"script": "ts"}}}}),
    (
        "genericDataSchema.enums",
        {"codegenJobToCreate": {"renderConfig": {"react": {}}, "genericDataSchema": {"models": {}}}},
    ),
]


@pytest.mark.parametrize(("text", "parameters"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_the_api_does_not_take_is_refused(text: str, parameters: dict[str, Any], idle: Jobs) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException") as caught:
        idle.client.start_codegen_job(**{**idle.place, "codegenJobToCreate": order(), **parameters})
    assert text in str(caught.value)


def test_a_token_of_no_list_is_refused(idle: Jobs) -> None:
    with pytest.raises(idle.client.exceptions.InvalidParameterException, match="nextToken"):
        idle.client.list_codegen_jobs(**idle.place, nextToken="x")
