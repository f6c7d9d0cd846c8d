"""`make run`: starts the local cloud, makes an app with a real repository, pushes to it, and shows what happens."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time

import boto3
from rich.console import Console

from amplify_jobs import cli
from demo.app import ROOT, SECRET_NAME, create_app, use
from demo.repository import FULL_NAME, Repository
from demo.watching import Announcements, Watcher
from local.cloud import LocalCloud
from local.codegen import Generator
from local.http_server import PortOccupiedError
from local.ports import ports

STATE = ROOT / ".local" / "demo"
PATIENCE_SECONDS = 120
# The generator's packages are set up when they are first needed.
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
    parser.add_argument("--once", action="store_true", help="end after the first job; exit code 0 if it SUCCEEDED")
    once = parser.parse_args().once
    console = Console()
    try:
        aws_port, http_port = ports()
        with console.status("Starting the local cloud from template.yaml"):
            cloud = LocalCloud(
                ROOT / "template.yaml", aws_port=aws_port, http_port=http_port, state_dir=STATE / "cloud"
            ).start()
    except PortOccupiedError as error:
        console.print(f"{error}; set LOCAL_AWS_PORT or LOCAL_HTTP_PORT to another", style="red", highlight=False)
        return 1
    except ValueError as error:
        console.print(str(error), style="red", highlight=False)
        return 1
    try:
        return show(cloud, console, once=once)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0
    finally:
        cloud.stop()


def show(cloud: LocalCloud, console: Console, *, once: bool) -> int:
    """Set the demonstration up, push once, and then show every further push until Ctrl-C."""
    console.print(f"Local cloud: AWS at {cloud.endpoint_url}, HTTP API at {cloud.api_url}", highlight=False)
    session = use(cloud.endpoint_url, cloud.region)
    repository = Repository(STATE)
    outputs = json.loads(session.client("ssm").get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])
    webhook_url = f"{outputs['apiUrl']}/webhooks/github"
    app_id = create_app(session, repository, webhook_url=webhook_url, secret=secrets.token_hex(32))
    routes = STATE / "routes.yaml"
    routes.write_text(ROUTES.format(secret_name=SECRET_NAME, repository=FULL_NAME, app_id=app_id))
    console.print(f"App {app_id} builds {repository.bare}\n$ amplify-jobs routes push {routes}", highlight=False)
    if status := cli.main(["routes", "push", str(routes)]):
        return status

    announcements = Announcements(session, topic_arn=outputs["topicArn"], bus_name=outputs["busName"])
    watcher = Watcher(session, announcements, console)
    console.print("\n$ git push origin main", highlight=False)
    for line in repository.commit_and_push("Say hello").splitlines():
        if line.startswith("remote:"):
            console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
    give_up = time.monotonic() + PATIENCE_SECONDS
    outcome = watcher.next_outcome(lambda: time.monotonic() < give_up)
    if outcome is None:
        console.print(f"Nothing was announced within {PATIENCE_SECONDS} s; see {STATE / 'cloud'}", style="red")
        return 1
    show_codegen(session, watcher, console, app_id=app_id, function=outputs["receiveEventFunctionArn"])
    if once:
        return 0 if outcome == "SUCCEEDED" else 1
    while True:
        console.print(
            f"\nPush again, from another terminal:  cd {repository.work_tree} && "
            "echo '<p>Again</p>' >> index.html && git commit -am 'Say it again' && git push\n"
            f"Ask Amplify:  AWS_ENDPOINT_URL={cloud.endpoint_url} aws amplify list-jobs --app-id {app_id} "
            "--branch-name main\nCtrl-C ends.",
            highlight=False,
            soft_wrap=True,
        )
        watcher.next_outcome(lambda: True)


def show_codegen(session: boto3.Session, watcher: Watcher, console: Console, *, app_id: str, function: str) -> None:
    """Ask for forms for a GraphQL schema, where AWS's code generator can run, and show what becomes of it."""
    if (hindrance := Generator().hindrance()) is not None:
        console.print(f"\nNo codegen job is shown. {hindrance}.", highlight=False, soft_wrap=True)
        return
    job = {"renderConfig": {"react": {"script": "jsx"}}, "autoGenerateForms": True, "graphqlSchema": SCHEMA}
    parameters = {"appId": app_id, "environmentName": "dev", "codegenJobToCreate": job}
    request = {"operation": "start_codegen_job", "parameters": parameters}
    name = function.rpartition(":")[2]
    console.print(f"\nA direct call of {name} asks for forms for a GraphQL schema:", highlight=False, soft_wrap=True)
    console.print(f"\n{SCHEMA}", markup=False, highlight=False)
    session.client("lambda").invoke(FunctionName=function, Payload=json.dumps(request).encode())
    give_up = time.monotonic() + GENERATOR_PATIENCE_SECONDS
    if watcher.next_outcome(lambda: time.monotonic() < give_up) is None:
        console.print(f"Nothing was announced within {GENERATOR_PATIENCE_SECONDS} s.", style="red")


if __name__ == "__main__":
    sys.exit(main())
