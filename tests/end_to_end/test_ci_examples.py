"""The examples of docs/cli.md for CI services, run as they are written, wait for a build on a running stack."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.team import Team

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]
SUCCEEDED, FAILED, NOT_WANTED = "SUCCEEDED", "FAILED", "no route wants it"


@dataclass(frozen=True)
class CiJob:
    """The shell steps of an example, the variables that it sets, and the names of those that the service sets."""

    service: str
    variables: dict[str, str]
    repository: str
    commit: str
    steps: list[str]


def ci_jobs() -> Iterator[CiJob]:
    github, gitlab = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "cli.md").read_text(), re.DOTALL)
    workflow = yaml.safe_load(github)
    steps = [step["run"] for step in workflow["jobs"]["wait"]["steps"] if "run" in step]
    yield CiJob("GitHub Actions", workflow["env"], "GITHUB_REPOSITORY", "GITHUB_SHA", steps)
    job = yaml.safe_load(gitlab)["deployed"]
    variables = {**job["variables"], "AWS_TOKEN": "token"}
    yield CiJob("GitLab CI", variables, "CI_PROJECT_PATH", "CI_COMMIT_SHA", job["script"])


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples install the command line."""
    folder = tmp_path_factory.mktemp("ci") / "environment"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def built(team: Team) -> dict[str, str]:
    """Ways in which a push may end -> its repository. The command line waits for what has not begun yet, too."""
    team.route("waited", team.app("waited"))
    team.route("broken", team.app("broken", ["cp nothing-there public/"]))
    return {SUCCEEDED: "waited", FAILED: "broken", NOT_WANTED: "waited"}


@pytest.mark.parametrize("job", list(ci_jobs()), ids=lambda job: job.service)
@pytest.mark.parametrize("end", [SUCCEEDED, FAILED, NOT_WANTED])
def test_an_example_runs_as_it_is_written(
    team: Team, built: dict[str, str], environment: Path, tmp_path: Path, *, job: CiJob, end: str
) -> None:
    """All but where the package comes from, where the token lies, and whose credentials there are."""
    name = built[end]
    body = team.push(name, ref="refs/heads/draft" if end == NOT_WANTED else "refs/heads/main")
    status, answer = team.deliver(body)
    assert status in (200, 202), answer
    variables = {
        **os.environ,
        **job.variables,
        "CI": "true",
        "PATH": os.pathsep.join([str(environment / "bin"), os.environ["PATH"]]),
        "AMPLIFY_JOBS": str(ROOT),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        job.repository: f"acme/{name}",
        job.commit: json.loads(body)["after"],
    }
    codes, printed = [], ""
    for step in job.steps:
        done = subprocess.run(
            ["bash", "-e", "-c", step], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        codes.append(done.returncode)
        printed = done.stdout + done.stderr
    assert codes == [0] * (len(job.steps) - 1) + [int(end != SUCCEEDED)], printed
    if end == NOT_WANTED:
        assert "branch draft does not match main" in printed
    else:
        assert re.search(rf"{name} main #\d+: {end.lower()} after ", printed), printed
