"""`make examples`: puts into a running local cloud what the events of the folder events/ speak of."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from amplify_jobs import cli
from amplify_jobs.routes_file import read_routes
from demo.app import ROOT, create_app, use
from demo.repository import Repository
from local.ports import ports

# What the events name, and what the deliveries among them are signed with.
APP_ID = "d1a2b3c4d5e6"
SECRET = "example-secret"  # noqa: S105 -- known to everybody who reads events/README.md
ROUTES = ROOT / "events" / "routes.yaml"


def main() -> int:
    """Make the app with its repository, routes and first job; 1 with one line of error if it can't be done."""
    parser = argparse.ArgumentParser(prog="make examples", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local" / "examples", help="where the repository goes")
    repository = Repository(parser.parse_args().folder)
    try:
        endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or f"http://127.0.0.1:{ports()[0]}"
        return make(repository, endpoint_url, os.environ.get("AWS_REGION") or "eu-west-1")
    except (BotoCoreError, ClientError, RuntimeError, ValueError) as error:
        print(f"examples: {error}", file=sys.stderr)  # noqa: T201
        return 1


def make(repository: Repository, endpoint_url: str, region: str) -> int:
    session = use(endpoint_url, region)
    outputs = json.loads(session.client("ssm").get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])
    if APP_ID in {app["appId"] for app in session.client("amplify").list_apps()["apps"]}:
        _print(f"App {APP_ID} is there already.")
        return 0
    create_app(session, repository, webhook_url=f"{outputs['apiUrl']}/webhooks/github", secret=SECRET, app_id=APP_ID)
    for source in read_routes(ROUTES.read_bytes(), ROUTES.name, "amplify-jobs").sources.values():
        value = f"user:{SECRET}" if source.provider == "azure-devops" else SECRET
        for name in source.secrets:
            session.client("ssm").put_parameter(Name=name, Type="SecureString", Value=value, Overwrite=True)
    if status := cli.main(["routes", "push", str(ROUTES)]):
        return status
    _print(repository.commit_and_push("Say hello"))
    _print(f"App {APP_ID} builds {repository.bare}; push to it again from {repository.work_tree}.")
    return 0


def _print(text: str) -> None:
    print(text.rstrip(), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
