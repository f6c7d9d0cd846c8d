"""Amplify Backend's environments, APIs and models through boto3."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.codegen import Generator
from tests.support.amplify_world import GENERATOR_PATIENCE_SECONDS, World
from tests.support.node import needs_node

SCHEMA = "type Note @model { text: String }"


class Backend:
    """One app's environment called dev, with an API called blog."""

    def __init__(self, world: World, schema: str | None = SCHEMA) -> None:
        self.world = world
        self.client = world.make_client("amplifybackend")
        self.app_id = world.app()
        self.environment = {"AppId": self.app_id, "BackendEnvironmentName": "dev"}
        self.api = {**self.environment, "ResourceName": "blog"}
        self.client.create_backend(**self.environment, AppName="web")
        config = {"ApiName": "blog", "Service": "AppSync"} | ({"TransformSchema": schema} if schema else {})
        self.client.create_backend_api(**self.api, ResourceConfig=config)

    def generate(self) -> dict[str, Any]:
        started: dict[str, Any] = self.client.generate_backend_api_models(**self.api)
        return started

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.client.get_backend_job(**self.environment, JobId=job_id)
        return job

    def ended(self, job_id: str) -> dict[str, Any]:
        self.world.eventually(lambda: self.job(job_id)["Status"] != "RUNNING", GENERATOR_PATIENCE_SECONDS)
        return self.job(job_id)


@pytest.fixture
def backend(world: World) -> Backend:
    return Backend(world)


@pytest.fixture
def idle(make_world: Callable[..., World], tmp_path: Path) -> Backend:
    """A backend whose models can't be made, since there is no Node."""
    return Backend(make_world(generator=Generator(path=str(tmp_path))))


@needs_node
def test_models_from_the_order_to_their_text(backend: Backend) -> None:
    started = backend.generate()
    assert {name: started[name] for name in ("AppId", "BackendEnvironmentName", "Operation", "Status")} == {
        **backend.environment,
        "Operation": "GenerateBackendAPIModels",
        "Status": "RUNNING",
    }
    job = backend.ended(started["JobId"])
    assert (job["Status"], job.get("Error")) == ("COMPLETED", None)
    assert job["UpdateTime"] > job["CreateTime"]
    models = backend.client.get_backend_api_models(**backend.api)
    assert models["Status"] == "LATEST"
    assert models["Models"].startswith("export const schema = {")
    assert json.loads(models["ModelIntrospectionSchema"])["models"]["Note"]["fields"].keys() >= {"id", "text"}
    backend.client.update_backend_api(**backend.api, ResourceConfig={"TransformSchema": SCHEMA + " enum E { A }"})
    assert backend.client.get_backend_api_models(**backend.api)["Status"] == "STALE"


@needs_node
def test_a_schema_without_models_fails_the_job(world: World) -> None:
    backend = Backend(world, "type Note @model { text: Nowhere }")
    job = backend.ended(backend.generate()["JobId"])
    assert (job["Status"], job["Error"]) == ("FAILED", 'Unknown type: "Nowhere".')


def test_without_node_the_job_fails_and_says_what_to_install(idle: Backend) -> None:
    job = idle.ended(idle.generate()["JobId"])
    assert job["Status"] == "FAILED"
    assert "install Node 20 or newer" in job["Error"]


def test_an_api_without_a_schema_has_no_models(make_world: Callable[..., World], tmp_path: Path) -> None:
    backend = Backend(make_world(generator=Generator(path=str(tmp_path))), None)
    job = backend.ended(backend.generate()["JobId"])
    assert (job["Status"], job["Error"]) == ("FAILED", "The API has no TransformSchema to make models of")


def test_an_environment_makes_models_one_at_a_time(make_world: Callable[..., World], tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\nsleep 600\n")
    node.chmod(0o755)
    generator = Generator(path=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    backend = Backend(make_world(generator=generator))
    backend.generate()
    with pytest.raises(ClientError) as caught:
        backend.generate()
    assert caught.value.response["Error"] == {
        "Code": "BadRequestException",
        "Message": f"There is already a pending job for the requested appId: {backend.app_id} and "
        "backendEnvironmentName: dev, wait for it to complete before creating a new job.",
    }


def test_an_api_is_described_as_it_was_made(idle: Backend) -> None:
    result = idle.client.get_backend_api(**idle.api)
    config = {"ApiName": "blog", "Service": "AppSync", "TransformSchema": SCHEMA}
    assert {name: result[name] for name in (*idle.api, "ResourceConfig")} == {**idle.api, "ResourceConfig": config}


def test_jobs_are_listed_newest_first_in_pages_and_by_what_they_did(idle: Backend) -> None:
    def listed(**place: Any) -> tuple[list[str], str | None]:
        answer = idle.client.list_backend_jobs(**idle.environment, **place)
        return [job["Operation"] for job in answer["Jobs"]], answer.get("NextToken")

    assert listed() == (["CreateBackendAPI", "CreateBackend"], None)
    assert listed(Operation="CreateBackend", Status="COMPLETED") == (["CreateBackend"], None)
    first, token = listed(MaxResults=1)
    assert first == ["CreateBackendAPI"]
    assert listed(MaxResults=1, NextToken=token) == (["CreateBackend"], None)


UNKNOWN: list[tuple[str, str, dict[str, str]]] = [
    ("App d0 not found", "get_backend_api", {"AppId": "d0"}),
    ("Backend environment prod not found", "generate_backend_api_models", {"BackendEnvironmentName": "prod"}),
    ("API shop not found", "generate_backend_api_models", {"ResourceName": "shop"}),
    ("has no models yet", "get_backend_api_models", {}),
]


@pytest.mark.parametrize(("text", "operation", "parameters"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_what_is_not_there_is_not_found(text: str, operation: str, parameters: dict[str, str], idle: Backend) -> None:
    with pytest.raises(idle.client.exceptions.NotFoundException, match=text):
        getattr(idle.client, operation)(**{**idle.api, **parameters})


def test_a_job_that_is_not_there_is_not_found(idle: Backend) -> None:
    with pytest.raises(idle.client.exceptions.NotFoundException, match="Job x not found"):
        idle.job("x")


def test_names_are_given_once(idle: Backend) -> None:
    with pytest.raises(idle.client.exceptions.BadRequestException, match="has a backend environment dev"):
        idle.client.create_backend(**idle.environment, AppName="web")
    with pytest.raises(idle.client.exceptions.BadRequestException, match="has an API called blog"):
        idle.client.create_backend_api(**idle.api, ResourceConfig={})
