"""The APIs of git hosts: statuses, comments and deployments; one module a host."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from amplify_jobs.reporting.call import Answer, Call, Verdict
from amplify_jobs.reporting.destination import Credentials, Destination, token_of
from amplify_jobs.reporting.report import ReportState
from amplify_jobs.routing.report_targets import RepositoryTarget

# Provider in routes.yaml -> the module here that knows its API. Forgejo has Gitea's.
HOSTS = {
    "github": "github",
    "gitlab": "gitlab",
    "bitbucket": "bitbucket",
    "bitbucket-server": "bitbucket_server",
    "gitea": "gitea",
    "forgejo": "gitea",
    "azure-devops": "azure_devops",
}

# GitHub answers 422 to a longer name of a status, GitLab and Bitbucket Data Center 400.
CONTEXT_LIMIT = 255


@dataclass(frozen=True)
class Status:
    """A status of a commit; `repository` is its full name, `branch` the git branch that it was seen on.

    `context` has at most CONTEXT_LIMIT characters.
    """

    repository: str
    commit: str
    branch: str | None
    pull_request: int | None
    context: str
    state: ReportState
    description: str
    link: str | None


class Host(Protocol):
    """What each module of a host has."""

    DESCRIPTION_LIMIT: int
    """How many characters the description of a status may have."""

    def status_call(
        self, target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None
    ) -> Call:
        """The call that sets a status; `remote` is what the last one for the same commit and context left."""

    def judge_status(self, status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
        """What its answer means; `now` is in seconds since 1970."""


def host_of(destination: Destination) -> Host:
    """The module that knows the API of a destination's git host."""
    return cast(Host, import_module(f"{__name__}.{HOSTS[destination.provider or '']}"))


def bearer_or_basic(target: RepositoryTarget, credentials: Credentials) -> dict[str, str]:
    """The header of a token: alone (Bearer), or as the password of a user (Basic)."""
    token = token_of(target, credentials)
    if target.username is None:
        return {"Authorization": f"Bearer {token}"}
    pair = base64.b64encode(f"{target.username}:{token}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}
