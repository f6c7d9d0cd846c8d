"""What all commands have in common: how the stack is found, what stands for a command that is left out, JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from amplify_jobs_cli.cli import main, parser
from amplify_jobs_cli.commands.arguments import with_default_command
from tests.cli.conftest import OUTPUTS

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient


@pytest.mark.parametrize(
    ("parameters", "run"),
    [
        (["dead-letters"], ["dead-letters", "list"]),
        (["dead-letters", "--json"], ["dead-letters", "list", "--json"]),
        (["dead-letters", "replay"], ["dead-letters", "replay"]),
        (["dead-letters", "--help"], ["dead-letters", "--help"]),
        (["routes"], ["routes"]),
        (["--version"], ["--version"]),
        ([], []),
    ],
)
def test_a_group_has_a_command_that_can_be_left_out(parameters: list[str], run: list[str]) -> None:
    assert with_default_command(parameters) == run


def stack_exists(ssm: SSMClient, name: str) -> None:
    session = boto3.Session("AKIATEST", "test", region_name="eu-west-1")
    queue = session.client("sqs", endpoint_url=ssm.meta.endpoint_url).create_queue(QueueName=f"{name}-dead-letters")[
        "QueueUrl"
    ]
    outputs = {**OUTPUTS, "deadLetterQueueUrl": queue}
    ssm.put_parameter(Name=f"/{name}/outputs", Type="String", Value=json.dumps(outputs))


def test_the_environment_names_the_stack(
    ssm: SSMClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack_exists(ssm, "ours")
    assert main(["dead-letters"]) == 1
    assert "no stack amplify-jobs at " in capsys.readouterr().err
    monkeypatch.setenv("AMPLIFY_JOBS_STACK", "ours")
    assert main(["dead-letters", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"deadLetters": []}
    assert main(["dead-letters", "--stack", "theirs"]) == 1
    assert "no stack theirs at " in capsys.readouterr().err


def test_a_profile_and_a_region_are_chosen(
    ssm: SSMClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["dead-letters", "--region", "us-east-1"]) == 1
    assert "Region us-east-1; deploy it first" in capsys.readouterr().err
    assert main(["dead-letters", "--profile", "nobody"]) == 1
    assert "The config profile (nobody) could not be found" in capsys.readouterr().err
    file = tmp_path / "config"
    file.write_text(
        "[profile team]\nregion = eu-central-1\naws_access_key_id = AKIATEAM\naws_secret_access_key = team\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.delenv("AWS_REGION")
    assert main(["dead-letters", "--profile", "team"]) == 1
    assert "Region eu-central-1" in capsys.readouterr().err


def test_every_command_that_calls_takes_the_same_options() -> None:
    """And every command prints JSON for programs, but for those that only a person reads."""
    for path, command in commands(parser()):
        options = {name for action in command._actions for name in action.option_strings}
        if "--profile" in options:
            assert {"--stack", "--region"} <= options, path
        assert ("--json" in options) == (path not in WITHOUT_JSON), path
        assert command.description, path


WITHOUT_JSON = {"completion", "console", "jobs watch"}


def commands(parser: argparse.ArgumentParser, path: str = "") -> list[tuple[str, argparse.ArgumentParser]]:
    items: list[tuple[str, argparse.ArgumentParser]] = []
    for action in parser._actions:
        for name, sub in action.choices.items() if isinstance(action.choices, dict) else ():
            below = commands(sub, f"{path} {name}")
            items += below or [(f"{path} {name}".strip(), sub)]
    return items
