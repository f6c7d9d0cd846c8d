"""The pages call the command line as it is, and the examples for CI services do what they say."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from amplify_jobs_cli.cli import parser
from amplify_jobs_cli.commands.arguments import with_default_command
from tests.cli.conftest import OUTPUTS
from tests.support.jobs_api import COMMIT, FakeJobsApi, serving_jobs_api, story

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]
# In a line of its own or in a sentence, and on the next line where a shell would go on there.
CALL = re.compile(r"(?:^ {4,8}|`)(?:\.venv/bin/)?amplify-jobs ((?:[^`\n\\#|>)]|\\\n)+)", re.MULTILINE)
CALLS = sorted(
    {
        (page.name, " ".join(call.replace("\\\n", " ").split()))
        for page in PAGES
        for call in CALL.findall(page.read_text())
    }
)
# What a sentence says instead of a command's own words.
NO_CALLS = re.compile(r"COMMAND\b.*|\w+$|(?:jobs|routes|deliveries|dead-letters) \w[\w-]*$|.*[…*]")


@pytest.mark.parametrize(("page", "call"), [one for one in CALLS if not NO_CALLS.fullmatch(one[1])])
def test_a_call_in_a_page_is_one(page: str, call: str) -> None:
    words = re.sub(r"(\$\(|<).*", "", call)
    parser().parse_args(with_default_command(shlex.split(words)))


def test_pages_call_many_commands() -> None:
    assert len({call.split()[0] for _, call in CALLS}) > 10


def questions(page: str, title: str) -> set[str]:
    """The first cells of a page's table of questions."""
    section = (ROOT / "docs" / page).read_text().partition(title)[2].partition("\n## ")[0]
    return {row.split(" | ")[0] for row in re.findall(r"^\| (.+)", section, re.MULTILINE)} - {"question", "---"}


def test_each_question_has_a_command_and_a_click() -> None:
    commands, clicks = questions("cli.md", "# The command line"), questions("console.md", "## Questions and clicks")
    assert len(clicks) > 10
    # A diagnosis reads more of the account than the console may.
    assert commands - {"What is wrong with the stack?"} == clicks


@dataclass(frozen=True)
class CiJob:
    """The shell steps of an example, with the variables that it sets and those that the service sets."""

    service: str
    variables: dict[str, str]
    steps: list[str]


def ci_jobs() -> Iterator[CiJob]:
    github, gitlab = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "cli.md").read_text(), re.DOTALL)
    workflow = yaml.safe_load(github)
    steps = [step["run"] for step in workflow["jobs"]["wait"]["steps"] if "run" in step]
    yield CiJob("GitHub Actions", {**workflow["env"], "GITHUB_REPOSITORY": "acme/web", "GITHUB_SHA": COMMIT}, steps)
    job = yaml.safe_load(gitlab)["deployed"]
    own = {"CI_PROJECT_PATH": "acme/web", "CI_COMMIT_SHA": COMMIT, "AWS_TOKEN": "token"}
    yield CiJob("GitLab CI", {**job["variables"], **own}, job["script"])


@pytest.mark.thorough
@pytest.mark.parametrize("job", list(ci_jobs()), ids=lambda job: job.service)
@pytest.mark.parametrize("outcome", ["SUCCEEDED", "FAILED"])
def test_an_example_for_ci_runs_as_it_is_written(tmp_path: Path, ssm: SSMClient, job: CiJob, outcome: str) -> None:
    """All but where the package comes from and where the token lies."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    told: dict[str, Any] = {
        **os.environ,
        **job.variables,
        "CI": "true",
        "PATH": os.pathsep.join([str(environment / "bin"), os.environ["PATH"]]),
        "AMPLIFY_JOBS": str(ROOT),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
    }
    with serving_jobs_api() as served:
        served.api = FakeJobsApi(stories=[story("web-1", outcome=outcome, duration_seconds=58)])
        outputs = {**OUTPUTS, "apiUrl": served.url}
        ssm.put_parameter(Name="/amplify-jobs/outputs", Type="String", Value=json.dumps(outputs))
        codes, printed = [], ""
        for step in job.steps:
            done = subprocess.run(
                ["bash", "-e", "-c", step], env=told, cwd=tmp_path, capture_output=True, text=True, check=False
            )
            codes.append(done.returncode)
            printed = done.stdout + done.stderr
    assert codes == [0] * (len(job.steps) - 1) + [int(outcome != "SUCCEEDED")], printed
    assert f"web main #17: {outcome.lower()} after 58 s" in printed
