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


@dataclass(frozen=True)
class Repository:
    """A repository by its full name, with what its API is called with."""

    target: RepositoryTarget
    credentials: Credentials
    name: str


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request; `text` opens with the line `marker`, which is not shown."""

    pull_request: int
    marker: str
    text: str


@dataclass(frozen=True)
class DeploymentStatus:
    """How a deployment of a commit to an environment stands; `site` is the address that the environment has now.

    `production` is None where the host decides.
    """

    request_id: str
    commit: str
    ref: str
    is_tag: bool
    environment: str
    state: ReportState
    description: str
    site: str | None
    console: str | None
    transient: bool
    production: bool | None


class Host(Protocol):
    """What each module of a host has."""

    COMMENT_LIMIT: int
    """How many characters a comment may have."""
    IS_OLDEST_FIRST: bool
    """Whether pages of comments begin with the oldest, so that new ones are on the last page."""
    DESCRIPTION_LIMIT: int
    """How many characters the description of a status may have."""

    def status_call(
        self, target: RepositoryTarget, status: Status, credentials: Credentials, remote: str | None
    ) -> Call:
        """The call that sets a status; `remote` is what the last one for the same commit and context left."""

    def judge_status(self, status: Status, answer: Answer, remote: str | None, now: float) -> Verdict:
        """What its answer means; `now` is in seconds since 1970."""

    def judge(self, answer: Answer, now: float) -> Verdict:
        """What an answer means, whatever was called: Accepted if it worked."""

    def list_comments(self, place: Repository, comment: Comment, page: int) -> Call:
        """The call that reads a page of the pull request's comments; the first page is 1."""

    def create_comment(self, place: Repository, comment: Comment) -> Call: ...

    def change_comment(self, place: Repository, comment: Comment, identity: str) -> Call: ...

    def comments(self, answer: Answer) -> list[tuple[str, str]]:
        """The identity and the text of each comment of a page; those that were deleted are left out."""

    def has_more(self, answer: Answer) -> bool:
        """Whether another page of comments follows."""

    def next_change(self, identity: str, answer: Answer) -> str | None:
        """The identity for one more call that changes the comment; None once it is changed."""


class DeploymentHost(Protocol):
    """What modules of hosts with deployments have."""

    DESCRIPTION_LIMIT: int

    def deployment_call(self, place: Repository, status: DeploymentStatus, remote: str | None) -> Call:
        """The next call: "at 12" is left of a deployment that is known by its number."""

    def judge_deployment(self, status: DeploymentStatus, answer: Answer, remote: str | None, now: float) -> Verdict:
        """What its answer means; `now` is in seconds since 1970."""


def deployments_of(destination: Destination) -> DeploymentHost:
    """The same module, for hosts that have deployments."""
    return cast(DeploymentHost, host_of(destination))


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
