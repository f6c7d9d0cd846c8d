"""The AWS CLI, which we did not write, against local Amplify; test_aws_endpoint.py has it against other services."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.codegen import Generator
from tests.support.amplify_world import World

AWS = Path(__file__).parents[3] / ".venv-tools" / "bin" / "aws"

pytestmark = [
    pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is installed by `make check`, in .venv-tools"),
    # Each start takes a second of CPU, and boto3 calls the same operations in the other modules.
    pytest.mark.thorough,
]


def aws(world: World, *arguments: str, service: str = "amplify") -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(world.state_dir),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    command = [str(AWS), service, "--endpoint-url", world.url, "--output", "json", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def answered(world: World, *arguments: str, service: str = "amplify") -> Any:
    done = aws(world, *arguments, service=service)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_app_from_its_creation_to_a_deployed_site(world: World) -> None:
    world.repository.commit({"index.html": "from the CLI"}, "feature/menu")
    app = answered(world, "create-app", "--name", "web", "--repository", str(world.repository.path))["app"]
    where = ["--app-id", app["appId"], "--branch-name", "feature/menu"]
    assert answered(world, "create-branch", *where)["branch"]["displayName"] == "feature-menu"
    started = answered(world, "start-job", *where, "--job-type", "RELEASE", "--commit-time", "2026-03-04T05:06:07Z")[
        "jobSummary"
    ]
    commit_time = world.job(app["appId"], started["jobId"], "feature/menu")["summary"]["commitTime"]
    assert commit_time == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    world.ended(app["appId"], "1", "feature/menu")
    job = answered(world, "get-job", *where, "--job-id", started["jobId"])["job"]
    assert job["summary"]["status"] == "SUCCEED"
    assert [one["jobId"] for one in answered(world, "list-jobs", *where)["jobSummaries"]] == ["1"]
    assert world.get(f"/_local/sites/{app['appId']}/feature%2Fmenu/") == (200, "from the CLI")


def test_an_error_is_shown_with_its_type(world: World) -> None:
    done = aws(world, "get-app", "--app-id", "d0")
    assert done.returncode != 0
    assert "(NotFoundException) when calling the GetApp operation: App d0 not found." in done.stderr


def test_codegen_jobs_and_backends(make_world: Callable[..., World], tmp_path: Path) -> None:
    # Without Node the jobs end soon: only the protocol matters here.
    world = make_world(generator=Generator(path=str(tmp_path)))
    app_id = world.app()
    place = ["--app-id", app_id, "--environment-name", "dev"]
    order = json.dumps({"renderConfig": {"react": {"script": "jsx"}}})
    started = answered(world, "start-codegen-job", *place, "--codegen-job-to-create", order, service="amplifyuibuilder")
    job_id = started["entity"]["id"]
    result = answered(world, "get-codegen-job", *place, "--id", job_id, service="amplifyuibuilder")
    assert result["job"]["renderConfig"] == {"react": {"script": "jsx"}}
    place = ["--app-id", app_id, "--backend-environment-name", "dev"]
    created = answered(world, "create-backend", *place, "--app-name", "web", service="amplifybackend")
    assert created["Operation"] == "CreateBackend"
    listed = answered(world, "list-backend-jobs", *place, service="amplifybackend")
    assert [job["JobId"] for job in listed["Jobs"]] == [created["JobId"]]
