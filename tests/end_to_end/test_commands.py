"""Every command that README and docs print does something: it is run on the local cloud, or says here why not."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.app import use
from demo.examples import APP_ID, make
from demo.repository import Repository, git
from local.cloud import CloudSettings, LocalCloud

pytestmark = pytest.mark.thorough

PROJECT = Path(__file__).parents[2]
PAGES = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").glob("**/*.md")), PROJECT / "events" / "README.md"]
TOOLS = PROJECT / ".venv-tools" / "bin"
# What a line of a code block begins with if it is a command.
COMMAND = re.compile(
    r"(?:[A-Z_]+=\S+ )*"
    r"(?:make|aws|sam|curl|git|export|echo|openssl|pipx?|uvx|npm|docker|cd|sh|read|pre-commit|amplify-jobs|(?:\.venv|tools/)\S*)\b"
)
# Commands that are not run here, and why.
NOT_RUN = {
    r"amplify-jobs reports (?!list|replay *$)": (
        "needs a target with a secret: tests/end_to_end/test_reports_commands.py checks, resumes and replays"
    ),
    r"(\S+=\S+ )?make( |$)": "sets up or runs for long: that there is the target is tested",
    r"sam |export PATH=": "needs Docker, Python 3.13 or an account: tests/sam_local runs them",
    r"amplify-jobs run \S+ --commit ": "needs a mirror: tests/end_to_end/test_mirrors.py builds such a commit",
    r"amplify-jobs rollback ": "needs an app with a mirror: tests/end_to_end/test_mirrors.py rolls one back",
    r"\.venv/bin/python - ": "changes a file of events/",
    r"aws sqs start-message-move-task": "the local cloud does not implement it",
    r"pipx install \.": "installs into the home folder: tests/cli/test_installation.py installs the wheel elsewhere",
    r"export ": "the commands here have these variables already",
    r"aws (cloudformation deploy|iam|apigatewayv2|s3 rm|s3 rb|\S+ delete-)": (
        "changes an account, or removes what the other commands here need"
    ),
    r"aws s3api head-object .*VERSION_ID": "needs the version of a push: tests/cli/test_push.py reads it",
    r"amplify-jobs redrive (?!-)": "the example's execution succeeded: tests/end_to_end/test_recovery.py redrives one",
    r"aws ssm get-parameters-by-path [^|]*\| xargs .* delete-parameters": "removes what the other commands here need",
    r"curl --aws-sigv4": "needs credentials: tests/end_to_end/test_api.py calls the API",
    r"amplify-jobs reconcile": "the example has no git host: tests/end_to_end/test_missed_pushes.py looks at one",
    r"amplify-jobs jobs stop": "the example's job has ended: tests/end_to_end/test_cli.py stops one",
    r"amplify-jobs completion fish": "writes into the home folder: tests/cli/test_completion.py reads the script",
    r"(\.venv/bin/)?amplify-jobs console": "serves until Ctrl-C: tests/cli/test_console.py runs it",
    r"git pull": "there is nobody to pull from",
    r"pipx |pre-commit ": "installs a program and a git hook",
    r"aws s3 cp .*/results/": "needs a codegen job: tests/functions/test_operations.py reads such files",
}
REPLACEMENTS = {
    # The example app has that branch, and several pages make one.
    r"create-branch (.*) main\b": r"create-branch \1 another-$(date +%s%N)",
    r"create-repository --repository-name (\S+)": r"create-repository --repository-name \1-$(date +%s%N)",
    r"https://git-codecommit\.eu-west-1\.amazonaws\.com(?=\S+ HEAD:)": "$AWS_ENDPOINT_URL",
    r"credential-helper \$@": "credential-helper --ignore-host-check $@",
    # In a clone of the reader's own.
    r"^git (?=-c |push )": "git -C $CLONE ",
    r"--repository Shop/web": "--repository acme/web",
    r"\bROLE_ARN\b": "arn:aws:iam::123456789012:role/amplify-web",
    # What a person pastes.
    r"^read -rs SECRET": "SECRET=t0ken",
    r"\bSTACK\b": "amplify-jobs",
    r"\bAPP_ID\b": APP_ID,
    r"/path/to/a/repository\.git": "$REPOSITORY",
    r"\bEVENT\.json\b": "events/receive_event.object.json",
    r"(?<![/\w])routes\.yaml\b": "events/routes.yaml",
    r"\bTOPIC_ARN\b": "$TOPIC_ARN",
    r"\bREQUEST_ID\b": "$REQUEST_ID",
    r"\bBUCKET\b": "$BUCKET",
    r"\bBUILD\.txt\b": "$FOLDER/BUILD.txt",
    r"\bAPP\.private-key\.pem\b": "$FOLDER/app.pem",
    r"http://127\.0\.0\.1:4566": "$AWS_ENDPOINT_URL",
    r"(request|answer)\.json\b": r"$FOLDER/\1.json",
}

BUILD_LOG = """\
2026-01-31T12:00:00.000Z [INFO]: # Executing command: npm run build
2026-01-31T12:00:01.000Z [WARNING]: sh: next: command not found
2026-01-31T12:00:01.000Z [ERROR]: !!! Build failed
"""


@dataclass(frozen=True)
class Printed:
    """A command of a page."""

    page: str
    line: int
    text: str


def printed_commands(page: Path) -> Iterator[Printed]:
    """The commands in the code blocks of a page, each with the lines that it goes on in."""
    lines = page.read_text().splitlines()
    fenced, fence_is_shell = False, False
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.lstrip().startswith("```"):
            fenced = not fenced
            fence_is_shell = fenced and line.strip() in ("```sh", "```bash", "```console", "```shell")
            continue
        in_block = fence_is_shell if fenced else line.startswith("    ")
        if not in_block or not COMMAND.match(line.strip()):
            continue
        first, text = number, line.strip()
        while not is_complete(text) and number < len(lines) and (fenced or lines[number].startswith("    ")):
            text += "\n" + lines[number].strip()
            number += 1
        # A drawing can begin like a command, but no shell reads it to an end.
        if is_complete(text):
            yield Printed(page.relative_to(PROJECT).as_posix(), first, text)


def is_complete(text: str) -> bool:
    """Whether a shell would wait for more."""
    read = subprocess.run(["sh", "-n", "-c", text], capture_output=True, check=False)
    return not text.endswith("\\") and read.returncode == 0


COMMANDS = [command for page in PAGES for command in printed_commands(page)]


def reason_not_to_run(command: Printed) -> str | None:
    return next((reason for pattern, reason in NOT_RUN.items() if re.match(pattern, command.text)), None)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A local cloud with the examples in it, and the variables that stand for what a page leaves to its reader."""
    folder = tmp_path_factory.mktemp("commands")
    before = dict(os.environ)
    # The repository of the examples' mirror.
    parameters = {"BadgeKey": "k" * 32, "MirrorRepositories": "web"}
    settings = CloudSettings(aws_port=0, http_port=0, parameters=parameters, state_dir=folder / "cloud")
    cloud = LocalCloud(PROJECT / "template.yaml", settings)
    with cloud:
        repository = Repository(folder)
        assert make(repository, cloud.endpoint_url, cloud.region) == 0
        session = use(cloud.endpoint_url, cloud.region)
        session.client("s3").create_bucket(
            Bucket="acme-artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        session.client("codecommit").create_repository(repositoryName="web")
        # The token of the routes that the pages push.
        session.client("ssm").put_parameter(
            Name="/amplify-jobs/secrets/gitea-token", Type="SecureString", Value="t0ken"
        )
        machine = cloud.outputs["StateMachineArn"]
        executions = session.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        (folder / "BUILD.txt").write_text(BUILD_LOG)
        programs = folder / "bin"
        programs.mkdir()
        # The pages leave the address out where they speak of AWS itself.
        (programs / "aws").write_text(f'#!/bin/sh\nexec {shlex.quote(str(PROJECT / "tools" / "local-aws"))} "$@"\n')
        (programs / "aws").chmod(0o755)
        yield {
            **os.environ,
            "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "REPOSITORY": str(repository.bare),
            "TOPIC_ARN": cloud.outputs["AnnouncementsTopicArn"],
            "BUCKET": cloud.outputs["BucketName"],
            "REQUEST_ID": executions[0]["name"],
            "COMMIT": git("rev-parse", "HEAD", cwd=repository.work_tree).strip(),
            "FOLDER": str(folder),
            "CLONE": str(repository.work_tree),
        }
    os.environ.clear()
    os.environ.update(before)


def test_pages_print_commands() -> None:
    assert len(COMMANDS) > 30
    assert any(reason_not_to_run(command) is None for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: f"{each.page}:{each.line}")
def test_a_printed_command_works(command: Printed, environment: dict[str, str]) -> None:
    result = re.match(r"(?:\S+=\S+ )?make ([a-z-]+)", command.text)
    if result:
        subprocess.run(["make", "--dry-run", result[1]], cwd=PROJECT, check=True, capture_output=True)
    if reason := reason_not_to_run(command):
        pytest.skip(reason)
    if re.search(r"\baws |local-aws", command.text) and not (TOOLS / "aws").exists():
        pytest.skip("there is no AWS CLI here: make tools")
    text = command.text
    for pattern, replacement in REPLACEMENTS.items():
        text = re.sub(pattern, replacement, text)
    done = subprocess.run(["sh", "-c", text], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"


def test_version_1_of_the_cli_calls_the_local_cloud_for_queues_too(environment: dict[str, str]) -> None:
    if not (TOOLS / "aws").exists():
        pytest.skip("there is no AWS CLI here: make tools")
    done = subprocess.run(
        ["tools/local-aws", "sqs", "list-queues"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert environment["AWS_ENDPOINT_URL"] in done.stdout
