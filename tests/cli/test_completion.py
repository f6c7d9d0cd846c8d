"""`completion`: what a shell offers, asked of the shell itself."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from amplify_jobs_cli.cli import main


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> str:
    assert main(["completion", request.param]) == 0
    return capsys.readouterr().out


def offered_by_bash(script: str, line: str) -> list[str]:
    words = line.split(" ")
    session = f"""
{script}
COMP_WORDS=({" ".join(f"'{word}'" for word in words)})
COMP_CWORD={len(words) - 1}
_amplify_jobs
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return subprocess.run(["bash", "-c", session], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("script", ["bash"], indirect=True)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("amplify-jobs dead", ["dead-letters"]),
        ("amplify-jobs dead-letters ", ["list", "replay", "--help"]),
        ("amplify-jobs routes push --no", ["--no-lookup"]),
        ("amplify-jobs routes push --stack x --y", ["--yes"]),
        ("amplify-jobs completion z", ["zsh"]),
        ("amplify-jobs nonsense --", ["--help", "--version"]),
    ],
)
def test_bash(script: str, line: str, expected: list[str]) -> None:
    assert offered_by_bash(script, line) == expected


@pytest.mark.parametrize("script", ["zsh", "fish"], indirect=True)
def test_other_shells_read_their_script(script: str, request: pytest.FixtureRequest) -> None:
    shell = request.node.callspec.params["script"]
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    subprocess.run([shell, "-n", "-c", script], check=True)


@pytest.mark.parametrize("script", ["fish"], indirect=True)
def test_fish_is_told_of_each_option_at_its_command(script: str) -> None:
    assert "-n '__amplify_jobs_at \" routes push\"' -l dry-run -d 'show what changes, and write nothing'\n" in script
    assert "-n '__amplify_jobs_at \" dead-letters\"' -a list -d '" in script
