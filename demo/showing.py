"""`make run`: starts the local cloud, pushes to an app's real repository three times, and shows what happens."""

from __future__ import annotations

import argparse
import json
import secrets
import shlex
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import boto3
from rich.console import Console
from rich.text import Text

from amplify_jobs_cli import cli
from demo.acts import Acts
from demo.app import ROOT, SECRET_NAME, create_app, use
from demo.reports import Reports
from demo.repository import FULL_NAME, NO_GIT, Repository
from demo.watching import Announcements, Watcher, put
from local.cloud import CloudSettings, LocalCloud
from local.codegen import INSTALLATION, Generator, GeneratorError
from local.server.http_server import PortOccupiedError
from local.server.interrupts import raise_once
from local.server.ports import ports
from local.state_folder import free_folder

FOLDER = ROOT / ".local" / "demo"
GENERATOR_PATIENCE_SECONDS = 600
SCHEMA = """\
type Post @model {
  id: ID!
  title: String!
  rating: Rating
}

enum Rating {
  GOOD
  BAD
}
"""

ROUTES = """\
sources:
  github: {{provider: github, secrets: [{secret_name}]}}
routes:
  web:
    when: {{push: {{repository: {repository}, branches: [main]}}}}
    request: {{operation: start_job, parameters: {{appId: {app_id}, branchName: "{{branch}}", jobType: RELEASE}}}}
    timeoutMinutes: 45
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="exit after the three pushes; exit code 0 if each came out as meant"
    )
    once = parser.parse_args().once
    console = Console()
    if shutil.which("git") is None:
        console.print(f"make run: {NO_GIT}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    try:
        raise_once()
        aws_port, http_port = ports()
        with free_folder(FOLDER) as folder, ExitStack() as stack:
            with console.status("Starting the local cloud from template.yaml"):
                cloud = stack.enter_context(
                    LocalCloud(
                        ROOT / "template.yaml",
                        CloudSettings(aws_port=aws_port, http_port=http_port, state_dir=folder / "cloud"),
                    )
                )
            return show(cloud, folder, console, once=once)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0
    except PortOccupiedError as error:
        console.print(
            f"{error}; set LOCAL_AWS_PORT or LOCAL_HTTP_PORT to another",
            style="red",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        return 1
    except (RuntimeError, ValueError) as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1


def show(cloud: LocalCloud, folder: Path, console: Console, *, once: bool) -> int:
    """Set the demonstration up, show the acts, and then every further push until Ctrl-C."""
    console.print(f"Local cloud: AWS at {cloud.endpoint_url}, HTTP API at {cloud.api_url}", highlight=False)
    session = use(cloud.endpoint_url, cloud.region)
    repository = Repository(folder)
    outputs = json.loads(session.client("ssm").get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])
    webhook_url = f"{outputs['apiUrl']}/webhooks/github"
    app_id = create_app(session, repository, webhook_url=webhook_url, secret=secrets.token_hex(32))
    reports = Reports(cloud.endpoint_url)
    reports.store_secrets(session)
    if repository.previous.exists():
        console.print(f"The repository of the previous run is in {shown(repository.previous)}", highlight=False)
    routes = folder / "routes.yaml"
    own = ROUTES.format(secret_name=SECRET_NAME, repository=FULL_NAME, app_id=app_id)
    routes.write_text(own + reports.routes())
    console.print(f"App {app_id} builds {shown(repository.bare)}", highlight=False, soft_wrap=True)
    console.print(f"$ .venv/bin/amplify-jobs routes push {shown(routes)}", highlight=False, soft_wrap=True)
    if status := cli.main(["routes", "push", str(routes)]):
        return status

    announcements = Announcements(session, topic_arn=outputs["topicArn"], bus_name=outputs["busName"])
    watcher = Watcher(session, announcements, reports, console)
    is_as_meant = Acts(repository, watcher, console).play()
    show_codegen(session, watcher, console, app_id=app_id, function=outputs["receiveEventFunctionArn"])
    if once:
        return 0 if is_as_meant else 1
    while True:
        console.print("\nFrom another terminal, in this folder:", highlight=False)
        for purpose, command in commands(cloud, repository, app_id):
            console.print(f"  {purpose}:\n    {command}", markup=False, highlight=False, soft_wrap=True)
        console.print("Ctrl-C stops the local cloud.")
        watcher.next_end(lambda: True)


def commands(cloud: LocalCloud, repository: Repository, app_id: str) -> list[tuple[str, str]]:
    """What to try while the local cloud runs: a purpose, and a command for a shell in the project's folder."""
    tree = shlex.quote(shown(repository.work_tree))
    again = "echo '<p>Again</p>' >> index.html && git commit -qam 'Say it again' && git push -q"
    broken = "git rm -q style.css && git commit -qm 'Break the build' && git push -q"
    # The last commit that broke it, whatever was pushed since.
    repaired = "git revert --no-edit ':/^Break the build' && git push -q"
    endpoint = f"AWS_ENDPOINT_URL={cloud.endpoint_url} tools/local-aws"
    return [
        ("Repair the build", f"(cd {tree} && {repaired})"),
        ("Push again", f"(cd {tree} && {again})"),
        ("Break the build", f"(cd {tree} && {broken})"),
        ("List the jobs", f"{endpoint} amplify list-jobs --app-id {app_id} --branch-name main"),
    ]


def shown(path: Path) -> str:
    """A path relative to the project's folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def show_codegen(session: boto3.Session, watcher: Watcher, console: Console, *, app_id: str, function: str) -> None:
    """Request forms for a GraphQL schema, if AWS's code generator can run, and show the job."""
    generator = Generator()
    if (hindrance := generator.hindrance()) is not None:
        console.print(f"\nNo codegen job is shown. {hindrance}.", highlight=False, soft_wrap=True)
        return
    if not generator.is_installed():
        console.print(f"\n{INSTALLATION} ...", highlight=False)
        with console.status("npm ci"):
            try:
                generator.install()
            except GeneratorError as error:
                console.print(f"No codegen job is shown. {error}", markup=False, highlight=False)
                return
    job = {"renderConfig": {"react": {"script": "jsx"}}, "autoGenerateForms": True, "graphqlSchema": SCHEMA}
    parameters = {"appId": app_id, "environmentName": "dev", "codegenJobToCreate": job}
    request = {"operation": "start_codegen_job", "parameters": parameters}
    name = function.rpartition(":")[2]
    put(console, Text(f"\nA direct invoke of {name} requests forms for a GraphQL schema:"))
    console.print(f"\n{SCHEMA}", markup=False, highlight=False)
    session.client("lambda").invoke(FunctionName=function, Payload=json.dumps(request).encode())
    give_up = time.monotonic() + GENERATOR_PATIENCE_SECONDS
    if watcher.next_end(lambda: time.monotonic() < give_up) is None:
        console.print(f"Nothing was announced within {GENERATOR_PATIENCE_SECONDS} s.", style="red")
