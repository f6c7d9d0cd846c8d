"""`make examples`: loads into a running local cloud what the events of the folder events/ name."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from amplify_jobs_cli import cli
from amplify_jobs_cli.routes_file.load import read_routes
from amplify_jobs_cli.stack import Stack
from demo.app import ROOT, create_app, use
from demo.repository import Repository
from local.amplify.hosting import APP_ID_TAG
from local.report_targets import PREFIX as REPORTS
from local.server.broken_pipe import until_nobody_reads
from local.server.ports import ports

# The apps of the events, and the secret of the deliveries.
APP_ID = "d1a2b3c4d5e6"
MANUAL_APP_ID = "d6e5d4c3b2a1"
ENVIRONMENT, API = "dev", "blog"
SITE = b"<!doctype html><title>Example</title><h1>Deployed by hand</h1>"
SCHEMA = "type Post @model {\n  id: ID!\n  title: String!\n  rating: Rating\n}\n\nenum Rating {\n  GOOD\n  BAD\n}\n"
LARGE_REQUEST = ROOT / "events" / "start_job.codegen_of_large_request.json"
SECRET = "example-secret"  # noqa: S105 -- known to everybody who reads events/README.md
ROUTES = ROOT / "events" / "routes.yaml"
# Holds the address of a chat, where local/sam-env.json has the functions of sam local find the local cloud.
CHAT = "/amplify-jobs/secrets/reports/chat"
HOST_OF_CONTAINERS = "host.docker.internal"


def main() -> int:
    """Make the app with its repository, routes and first job; 1 with one line of error if it can't be done."""
    parser = argparse.ArgumentParser(prog="make examples", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the repository goes (default: one per port in .local)")
    parser.add_argument("--replace", action="store_true", help="replace existing routes and secrets")
    options = parser.parse_args()
    try:
        endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or f"http://127.0.0.1:{ports()[0]}"
        repository = Repository(options.folder or ROOT / ".local" / f"examples-{urlsplit(endpoint_url).port or 80}")
        return make(repository, endpoint_url, os.environ.get("AWS_REGION") or "eu-west-1", replace=options.replace)
    except (BotoCoreError, ClientError, RuntimeError, ValueError) as error:
        print(f"examples: {error}", file=sys.stderr)  # noqa: T201
        return 1


def make(repository: Repository, endpoint_url: str, region: str, *, replace: bool = False) -> int:
    """Create everything. Raises RuntimeError if that would replace routes or secrets, unless `replace` is true."""
    session = use(endpoint_url, region)
    outputs = json.loads(session.client("ssm").get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])
    if APP_ID in {app["appId"] for app in session.client("amplify").list_apps()["apps"]}:
        _print(f"App {APP_ID} exists already.")
        return 0
    secrets = example_secrets(endpoint_url)
    if not replace and (lost := replaced(session, outputs, secrets)):
        raise RuntimeError(
            f"this would replace {', '.join(lost)}; to do so: make examples REPLACE=1, or start another local cloud"
        )
    create_app(session, repository, webhook_url=f"{outputs['apiUrl']}/webhooks/github", secret=SECRET, app_id=APP_ID)
    for name, value in secrets.items():
        session.client("ssm").put_parameter(Name=name, Type="SecureString", Value=value, Overwrite=True)
    if status := cli.main(["routes", "push", str(ROUTES)]):
        return status
    make_manual_app(session)
    make_backend(session)
    for key, content in example_objects().items():
        session.client("s3").put_object(Bucket=outputs["bucketName"], Key=key, Body=content)
    _print(repository.commit_and_push("Say hello"))
    _print(f"App {APP_ID} builds {repository.bare}; to push again, commit in {repository.work_tree}.")
    return 0


def example_secrets(endpoint_url: str) -> dict[str, str]:
    """The secrets of the sources and of the target of reports, by the names of their parameters."""
    checked = read_routes(ROUTES.read_bytes(), ROUTES.name, "amplify-jobs")
    chat = f"http://{HOST_OF_CONTAINERS}:{urlsplit(endpoint_url).port or 80}{REPORTS}/slack/example"
    return {CHAT: chat} | {
        name: f"user:{SECRET}" if source.provider == "azure-devops" else SECRET
        for source in checked.sources.values()
        for name in source.secrets
    }


def replaced(session: boto3.Session, outputs: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What the examples would replace: the stack's routes, and secrets with other values."""
    stored = Stack.find("amplify-jobs").stored_routes()
    lost = [] if stored is None else [f"the routes in s3://{outputs['bucketName']}"]
    for name, value in secrets.items():
        try:
            parameter = session.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
        else:
            lost += [] if parameter["Value"] == value else [name]
    return lost


def make_manual_app(session: boto3.Session) -> None:
    """Make an app without a repository, a branch for each form of deployment, and one that only has to be started."""
    amplify = session.client("amplify")
    amplify.create_app(name="manual", tags={APP_ID_TAG: MANUAL_APP_ID})
    for branch in ("main", "address", "zip", "prefix", "upload"):
        amplify.create_branch(appId=MANUAL_APP_ID, branchName=branch)
    url = amplify.create_deployment(appId=MANUAL_APP_ID, branchName="upload")["zipUploadUrl"]
    upload = urllib.request.Request(url, zipped_site(SITE), method="PUT")  # noqa: S310 -- local Amplify's own address
    urllib.request.urlopen(upload).close()  # noqa: S310


def make_backend(session: boto3.Session) -> None:
    """Make the app's backend environment, with an API whose models can be generated."""
    backend = session.client("amplifybackend")
    backend.create_backend(AppId=APP_ID, AppName="web", BackendEnvironmentName=ENVIRONMENT)
    config: Any = {"TransformSchema": SCHEMA}
    backend.create_backend_api(
        AppId=APP_ID, BackendEnvironmentName=ENVIRONMENT, ResourceName=API, ResourceConfig=config
    )


def example_objects() -> dict[str, bytes]:
    """The objects in the stack's bucket that the examples name, by key."""
    request = json.loads(LARGE_REQUEST.read_text(encoding="utf-8"))["request"]
    large = {"codegenJobToCreate": {"renderConfig": {"react": {}}, "autoGenerateForms": True, "graphqlSchema": SCHEMA}}
    return {
        "examples/site.zip": zipped_site(SITE),
        "examples/site/index.html": SITE,
        "examples/blog.graphql": SCHEMA.encode(),
        f"requests/{request['requestId']}.json": json.dumps(large).encode(),
    }


def zipped_site(page: str | bytes) -> bytes:
    """Zip a site of one page, as StartDeployment takes it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.html", page)
    return content.getvalue()


def _print(text: str) -> None:
    print(text.rstrip(), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(until_nobody_reads(main))
