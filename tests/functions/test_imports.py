"""What a handler loads, in a process of its own as Lambda loads it: each module makes a cold start longer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from local.template.loader import Pseudo, Template

REPOSITORY = Path(__file__).parents[2]
# Somebody waits for each of these: a git host, a program, the state machine, or who wants to know that a job has ended.
AWAITED = ("receive_webhook", "receive_event", "start_job", "get_job", "on_status_change", "announce")
# They load every envelope, event class and resolver that Powertools has (docs/figures.md, "Cold start").
DEAR = (
    "aws_lambda_powertools.utilities.parser.envelopes",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.batch",
)
LOAD = "import json, sys; sys.path.insert(0, sys.argv[1]); import handler; print(json.dumps(list(sys.modules)))"


@cache
def template() -> Template:
    pseudo = Pseudo(account="123456789012", region="eu-west-1", stack_name="amplify-jobs")
    return Template(REPOSITORY / "template.yaml", {}, pseudo)


def variables(name: str) -> dict[str, str]:
    """The variables that the template sets for a function; their values are only names here."""
    function = template().resources[f"{name.title().replace('_', '')}Function"]
    resolved = template().resolve(function.properties["Environment"], lambda logical_id, attribute: logical_id)
    return {key: str(value) for key, value in resolved["Variables"].items()}


@cache
def loaded_by(name: str) -> frozenset[str]:
    """The modules in memory once the handler is loaded."""
    run = subprocess.run(
        [sys.executable, "-c", LOAD, str(REPOSITORY / "functions" / name)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY / "layers" / "core"),
            **variables(name),
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": "test",
            # Nothing is called while a handler is loaded.
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return frozenset(json.loads(run.stdout))


@pytest.mark.parametrize("name", AWAITED)
def test_a_function_that_somebody_waits_for_does_not_load_what_is_dear(name: str) -> None:
    assert "amplify_jobs.errors" in loaded_by(name)
    dear = [module for module in loaded_by(name) if module.startswith(DEAR)]
    assert dear == []


def test_receive_webhook_never_loads_what_only_others_need() -> None:
    others = {"yaml", "rich", "boto3", "botocore.client", "amplify_jobs_cli", "graphql", "amplify_jobs.graphql"}
    assert not others & loaded_by("receive_webhook")


def test_only_drain_intake_loads_powertools_batch() -> None:
    assert "aws_lambda_powertools.utilities.batch" in loaded_by("drain_intake")


def test_the_api_loads_what_only_some_calls_need_with_the_first_of_them() -> None:
    late = {"amplify_jobs.routing.routes", "amplify_jobs.aws.amplify", "amplify_jobs.steering.orders"}
    assert not late & loaded_by("api")
