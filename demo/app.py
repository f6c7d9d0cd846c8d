"""The demonstration's app: what local Amplify, the webhook's secret and a git repository need to know of each other."""

from __future__ import annotations

import os
from pathlib import Path

import boto3

from demo.repository import Repository
from local.amplify.hosting import APP_ID_TAG

ROOT = Path(__file__).resolve().parent.parent
SECRET_NAME = "/amplify-jobs/secrets/github"  # noqa: S105 -- a name, not a secret


def use(endpoint_url: str, region: str) -> boto3.Session:
    """Make this process, and those that it starts, call the local cloud, and give a session that does."""
    os.environ.update(
        {
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
    )
    return boto3.Session()


def create_app(
    session: boto3.Session, repository: Repository, *, webhook_url: str, secret: str, app_id: str | None = None
) -> str:
    """Make a repository anew, an app with a branch that builds it, and what delivers its pushes; give the app's id.

    Local Amplify chooses an id where none is wanted.
    """
    session.client("ssm").put_parameter(Name=SECRET_NAME, Type="SecureString", Value=secret, Overwrite=True)
    repository.create(
        {"WEBHOOK_URL": webhook_url, "WEBHOOK_SECRET": secret, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    )
    amplify = session.client("amplify")
    tags = {APP_ID_TAG: app_id} if app_id else {}
    created = amplify.create_app(name="web", repository=str(repository.bare), tags=tags)["app"]["appId"]
    # The route builds its pushes.
    amplify.create_branch(appId=created, branchName="main", stage="PRODUCTION", enableAutoBuild=False)
    return created
