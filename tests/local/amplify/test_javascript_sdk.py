"""The JavaScript SDK, which we did not write, against local Amplify: all three services."""

from __future__ import annotations

import fcntl
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.codegen import Generator
from tests.support.amplify_world import World
from tests.support.node import NEEDS_NODE

FOLDER = Path(__file__).parents[1] / "javascript"
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"

pytestmark = NEEDS_NODE


@pytest.fixture(scope="module", autouse=True)
def _sdk() -> None:
    """Have npm install the pinned SDK, once for all the processes that tests run in."""
    lock_file = FOLDER / "package-lock.json"
    with lock_file.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < lock_file.stat().st_mtime:
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(["npm", "ci", *options], cwd=FOLDER, check=True, capture_output=True)


@pytest.fixture
def world(make_world: Callable[..., World], tmp_path: Path) -> World:
    """A world without Node, where codegen and model jobs fail soon: only the protocol matters here."""
    return make_world(generator=Generator(path=str(tmp_path)))


def answers(world: World, *calls: tuple[str, str, dict[str, Any]]) -> list[Any]:
    orders = [{"service": service, "command": command, "input": parameters} for service, command, parameters in calls]
    done = subprocess.run(
        ["node", "call.mjs", world.url],
        cwd=FOLDER,
        input=json.dumps(orders),
        capture_output=True,
        text=True,
        check=True,
    )
    answered: list[Any] = json.loads(done.stdout)
    return answered


def test_hosting(world: World) -> None:
    app_id = world.branch({"index.html": "from JavaScript"}, name="feature/x")
    branch = {"appId": app_id, "branchName": "feature/x"}
    [started] = answers(world, ("Amplify", "StartJob", {**branch, "jobType": "RELEASE"}))
    job_id = started["output"]["jobSummary"]["jobId"]
    world.ended(app_id, job_id, "feature/x")
    job, missing = answers(
        world,
        ("Amplify", "GetJob", {**branch, "jobId": job_id}),
        ("Amplify", "GetJob", {**branch, "jobId": "99"}),
    )
    assert job["output"]["job"]["summary"]["status"] == "SUCCEED"
    assert missing == {"error": "NotFoundException", "message": "Job 99 not found."}


def test_ui_builder(world: World) -> None:
    place = {"appId": world.app(), "environmentName": "dev"}
    order = {"codegenJobToCreate": {"renderConfig": {"react": {"script": "jsx"}}}, "clientToken": "once"}
    first, again, listed, refused = answers(
        world,
        ("AmplifyUIBuilder", "StartCodegenJob", {**place, **order}),
        ("AmplifyUIBuilder", "StartCodegenJob", {**place, **order}),
        ("AmplifyUIBuilder", "ListCodegenJobs", place),
        ("AmplifyUIBuilder", "GetCodegenJob", {**place, "id": "none"}),
    )
    job_id = first["output"]["entity"]["id"]
    assert again["output"]["entity"]["id"] == job_id
    assert [job["id"] for job in listed["output"]["entities"]] == [job_id]
    assert refused["error"] == "ResourceNotFoundException"


def test_backend(world: World) -> None:
    environment = {"AppId": world.app(), "BackendEnvironmentName": "dev"}
    api = {**environment, "ResourceName": "blog"}
    config = {"TransformSchema": "type Note @model { text: String }"}
    created, result, started, refused = answers(
        world,
        ("AmplifyBackend", "CreateBackend", {**environment, "AppName": "web"}),
        ("AmplifyBackend", "CreateBackendAPI", {**api, "ResourceConfig": config}),
        ("AmplifyBackend", "GenerateBackendAPIModels", api),
        ("AmplifyBackend", "GetBackendAPIModels", api),
    )
    assert [each["output"]["Status"] for each in (created, result, started)] == ["COMPLETED", "COMPLETED", "RUNNING"]
    assert refused["error"] == "NotFoundException"
    place = {**environment, "JobId": started["output"]["JobId"]}
    [job] = answers(world, ("AmplifyBackend", "GetBackendJob", place))
    assert job["output"]["Operation"] == "GenerateBackendAPIModels"
