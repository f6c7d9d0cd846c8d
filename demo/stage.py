"""Sets the demonstration up on a local cloud: an app with a repository, routes, targets of reports, subscribers."""

from __future__ import annotations

import io
import json
import secrets
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import boto3

from amplify_jobs_cli import cli
from demo.announcements import Announcements
from demo.app import ROOT, SECRET_NAME, create_app, use
from demo.mirror import MirrorAct
from demo.reports import Reports
from demo.repository import FULL_NAME, Repository
from demo.screen import Screen
from local.cloud import LocalCloud

ROUTES = """\
sources:
  github: {{provider: github, secrets: [{secret_name}]}}
{source}routes:
  web:
    source: github
    when: {{push: {{repository: {repository}, branches: [main]}}}}
    request: {{operation: start_job, parameters: {{appId: {app_id}, branchName: "{{branch}}", jobType: RELEASE}}}}
    timeoutMinutes: 45
{route}"""


@dataclass(frozen=True)
class Stage:
    """What the acts play with."""

    session: boto3.Session
    repository: Repository
    app_id: str
    function_arn: str
    announcements: Announcements
    reports: Reports


def set_stage(cloud: LocalCloud, folder: Path, screen: Screen, mirror: MirrorAct | None) -> Stage:
    """Make everything, step by step; `mirror` is the act of a mirror, if it is played.

    Raises RuntimeError if the routes can't be pushed.
    """
    session = use(cloud.endpoint_url, cloud.region)
    repository, reports = Repository(folder), Reports(cloud.endpoint_url)
    outputs = json.loads(session.client("ssm").get_parameter(Name="/amplify-jobs/outputs")["Parameter"]["Value"])
    webhook_url = f"{outputs['apiUrl']}/webhooks/github"
    with screen.step("An app in Amplify, and its git repository"):
        app_id = create_app(session, repository, webhook_url=webhook_url, secret=secrets.token_hex(32))
    screen.detail(f"App {app_id} builds {shown(repository.bare)}")
    if repository.previous.exists():
        screen.detail(f"The previous run's repository: {shown(repository.previous)}")
    if mirror is not None:
        with screen.step("A self-hosted git server, and its mirror"):
            mirror.set_up(session, f"{outputs['apiUrl']}/webhooks/gitea")
    with screen.step("Routes: which push starts which job"):
        reports.store_secrets(session)
        routes = folder / "routes.yaml"
        own = ROUTES.format(
            secret_name=SECRET_NAME,
            repository=FULL_NAME,
            app_id=app_id,
            source=mirror.source() if mirror else "",
            route=mirror.route() if mirror else "",
        )
        routes.write_text(own + reports.routes("github", *(["gitea"] if mirror else [])))
        _push(routes)
    screen.copyable(f".venv/bin/amplify-jobs routes push {shown(routes)}")
    screen.detail(f"{webhook_url} hears of each push")
    with screen.step("Subscribers: a mailbox, and a program"):
        announcements = Announcements(session, topic_arn=outputs["topicArn"], bus_name=outputs["busName"])
    return Stage(session, repository, app_id, outputs["receiveEventFunctionArn"], announcements, reports)


def _push(routes: Path) -> None:
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        status = cli.main(["routes", "push", str(routes)])
    if status:
        raise RuntimeError(f"{shown(routes)} can't be pushed: {printed.getvalue().strip()}")


def shown(path: Path) -> str:
    """A path relative to the project's folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
