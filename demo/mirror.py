"""The last act of `make run`: a push to a git host that Amplify can't reach, and the build of exactly its commit."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import TracebackType

import boto3

from demo.acts import end_of, show_remote
from demo.app import ROOT
from demo.git_host import GitHost
from demo.repository import Repository, git
from demo.screen import Mark, Screen
from demo.watching import Watcher

NAME = "shop"
FULL_NAME = f"acme/{NAME}"
SECRET_NAME = "/amplify-jobs/secrets/gitea"  # noqa: S105 -- a name, not a secret
TOKEN_NAME = "/amplify-jobs/secrets/gitea-token"  # noqa: S105
SOURCE = Template(
    f"""\
  gitea: {{provider: gitea, secrets: [{SECRET_NAME}], git: {{url: "$url", token: {TOKEN_NAME}}}}}
"""
)
ROUTE = Template(
    f"""\
  {NAME}:
    source: gitea
    when: {{push: {{repository: {FULL_NAME}, branches: [main]}}}}
    request: {{operation: start_job, parameters: {{appId: $app_id, branchName: "{{branch}}", jobType: RELEASE}}}}
    mirror: {{to: "codecommit::{NAME}"}}
"""
)


class MirrorAct:
    """A self-hosted git server, an app whose code lies there, and its mirror in CodeCommit. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._host = GitHost(folder / "git-host", secrets.token_hex(20))
        self._repository = Repository(self._host.folder / "acme", NAME)
        self._app_id = ""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What the stack must be deployed with."""
        return {"MirrorRepositories": NAME, "MirrorPrivateHosts": self._host.name}

    def set_up(self, session: boto3.Session, webhook_url: str) -> None:
        """Make both repositories, the app and the secrets; `webhook_url` is the source's."""
        secret = secrets.token_hex(32)
        for name, value in ((SECRET_NAME, secret), (TOKEN_NAME, self._host.token)):
            session.client("ssm").put_parameter(Name=name, Type="SecureString", Value=value, Overwrite=True)
        self._repository.create(
            {
                "WEBHOOK_URL": webhook_url,
                "WEBHOOK_SECRET": secret,
                "WEBHOOK_HOST": "gitea",
                "FULL_NAME": FULL_NAME,
                "PYTHONPATH": str(ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
        )
        git("config", "http.receivepack", "true", cwd=self._repository.bare)
        tree, address = self._repository.work_tree, self._host.address(FULL_NAME)
        git("remote", "set-url", "origin", address, cwd=tree)
        login = base64.b64encode(f"ada:{self._host.token}".encode()).decode()
        git("config", f"http.{address}.extraHeader", f"Authorization: Basic {login}", cwd=tree)
        session.client("codecommit").create_repository(repositoryName=NAME)
        mirror = f"https://git-codecommit.{session.region_name}.amazonaws.com/v1/repos/{NAME}"
        amplify = session.client("amplify")
        self._app_id = amplify.create_app(name=NAME, repository=mirror)["app"]["appId"]
        amplify.create_branch(appId=self._app_id, branchName="main", stage="PRODUCTION", enableAutoBuild=False)

    def source(self) -> str:
        """The git host among the sources of routes.yaml."""
        return SOURCE.substitute(url=self._host.address("{repository}"))

    def route(self) -> str:
        """The route of the app among those of routes.yaml."""
        return ROUTE.substitute(app_id=self._app_id)

    def play(self, session: boto3.Session, watcher: Watcher, screen: Screen) -> bool:
        """Push the first commit: as meant is a build of exactly this commit, from the mirror."""
        screen.head(5, "A git host that Amplify cannot reach is mirrored")
        screen.line(f"{self._host.address(FULL_NAME)} is self-hosted; its pushes go to CodeCommit first.")
        screen.command("git push origin main")
        show_remote(self._repository.commit_and_push("Open the shop"), screen)
        commit = git("rev-parse", "HEAD", cwd=self._repository.work_tree).strip()
        end = end_of(watcher)
        branch = session.client("codecommit").get_branch(repositoryName=NAME, branchName="main")["branch"]
        is_as_meant = end.outcome == "SUCCEEDED" and commit == branch["commitId"] == end.commit_built
        mark = Mark.GOOD if is_as_meant else Mark.BAD
        for label, text in (("Pushed", commit), ("Mirrored", branch["commitId"]), ("Built", end.commit_built)):
            screen.fact(mark, label, text)
        return is_as_meant

    def __enter__(self) -> MirrorAct:
        self._host.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._host.__exit__(kind, error, traceback)
