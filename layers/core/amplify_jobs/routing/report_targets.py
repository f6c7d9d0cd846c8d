"""Targets of reports: where announcements are delivered, and when. The models of `reports` in routes.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from amplify_jobs.model.base import Model
from amplify_jobs.model.identifiers import AppId
from amplify_jobs.routing.fields import Name, NamePatterns, OneOrMore, SecretName

# Git hosts that take statuses -> the one public host, with which `api` may be left out.
STATUS_HOSTS: Mapping[str, str | None] = {
    "github": "github.com",
    "gitlab": "gitlab.com",
    "bitbucket": "bitbucket.org",
    "bitbucket-server": None,
    "gitea": None,
    "forgejo": None,
    "azure-devops": None,
}
# The hosts that know deployments from outside.
DEPLOYMENT_HOSTS = ("github", "gitlab")
# What the name of a status may have in braces. A commit or a job is not among them: a host that requires a status
# knows it by its name.
CONTEXT_VALUES = ("route", "app", "branch")

# An address of this machine is for the local cloud.
_HOST = r"(https://[A-Za-z0-9.-]+(:\d{1,5})?|http://(127\.0\.0\.1|localhost)(:\d{1,5})?)"
HttpsUrl = Annotated[str, StringConstraints(max_length=2_000, pattern=rf"^{_HOST}(/[!-~]*)?$")]
# What a path is added to.
ApiUrl = Annotated[str, StringConstraints(max_length=500, pattern=rf"^{_HOST}(/[A-Za-z0-9._~%@+-]+)*$")]
Header = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[ -~]+$")]
Outcome = Literal["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "UNKNOWN", "REJECTED"]
Phase = Literal["started", "finished", "rejected"]


def _validate_context(context: str) -> str:
    for name in re.findall(r"\{([^{}]*)\}", context):
        if name not in CONTEXT_VALUES:
            values = ", ".join(f"{{{value}}}" for value in CONTEXT_VALUES)
            raise ValueError(f"unknown value {{{name}}} of a status; use one of {values}")
    return context


Context = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_validate_context)]


class ReportConditions(Model):
    """Which announcements a target gets: all that fit each condition that is given."""

    phases: Annotated[tuple[Phase, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None,
        description="When reports are sent. Default: all.",
        examples=[["finished", "rejected"]],
    )
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None,
        description="Outcomes of jobs that ended and of requests that were rejected. Default: all.",
        examples=[["FAILED", "TIMED_OUT"]],
    )
    apps: Annotated[tuple[AppId, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None, description="The ids of apps. Default: all.", examples=[["d1a2b3c4d5e6"]]
    )
    branches: NamePatterns | None = Field(
        default=None,
        description="Names or patterns of Amplify's branches. Default: all.",
        examples=[["main", "release/*"]],
    )
    routes: NamePatterns | None = Field(
        default=None, description="Names or patterns of routes. Default: all.", examples=[["web", "docs-*"]]
    )
    changes: bool = Field(
        default=False, description="Only the first failure of a branch, and the first success after it. Default: false."
    )


class _Target(Model):
    when: ReportConditions = Field(
        default_factory=ReportConditions,
        description="The conditions of an announcement that it gets. Default: none, so all announcements.",
        examples=[{"outcomes": ["FAILED", "TIMED_OUT"], "branches": ["main"]}],
    )


class RepositoryTarget(_Target):
    """What is reported to the git host that a delivery came from: its token is never sent anywhere else."""

    source: Name = Field(description="The name of the source whose repositories it reports to.", examples=["github"])
    api: ApiUrl | None = Field(
        default=None,
        description="The address of the host's API, without / at its end. "
        "Default: that of github.com, gitlab.com or bitbucket.org.",
        examples=["https://github.example.com/api/v3"],
    )
    token: SecretName | None = Field(
        default=None,
        description="The name of the SSM parameter that holds the token. Default: none, where app is given.",
        examples=["/amplify-jobs/secrets/github-token"],
    )
    app: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.]{1,40}$")] | None = Field(
        default=None,
        description="The client id or App id of a GitHub App, in place of a token. Default: none.",
        examples=["Iv23liAbCdEfGhIjKlMn"],
    )
    key: SecretName | None = Field(
        default=None,
        description="The name of the SSM parameter that holds the App's private key. Default: none.",
        examples=["/amplify-jobs/secrets/github-app"],
    )
    username: Header | None = Field(
        default=None,
        description="The user of a token that is sent as a password. Default: none.",
        examples=["ci@example.com"],
    )


class CommitStatus(RepositoryTarget):
    """A status at the commit: pending on start, the outcome at the end."""

    kind: Literal["commit_status"] = Field(description="The kind of the target.")
    context: Context = Field(
        default="amplify-jobs/{route}",
        description="The name of the status, at most 200 characters. {route}, {app} and {branch} are filled in.",
        examples=["amplify-jobs/{route}"],
    )


class PullRequestComment(RepositoryTarget):
    """One comment on the pull request, kept up to date: the address of the preview, the outcome, cause and advice."""

    kind: Literal["pull_request_comment"] = Field(description="The kind of the target.")
    context: Context = Field(
        default="amplify-jobs/{route}",
        description="What tells comments on one pull request apart, at most 200 characters. "
        "{route}, {app} and {branch} are filled in.",
        examples=["amplify-jobs/{route}"],
    )


class Deployment(RepositoryTarget):
    """A deployment with its environment, at GitHub and GitLab: it leads from the pull request to the site."""

    kind: Literal["deployment"] = Field(description="The kind of the target.")
    environment: Context = Field(
        default="{route}/{branch}",
        description="The name of the environment, at most 200 characters. {route}, {app} and {branch} are filled in.",
        examples=["{route}/{branch}"],
    )
    transient: bool | None = Field(
        default=None,
        description="Whether the environment goes away some day (GitHub). Default: true for jobs of pull requests.",
        examples=[True],
    )
    production: bool | None = Field(
        default=None,
        description="Whether people use the environment (GitHub). Default: GitHub decides, by the name production.",
        examples=[True],
    )


class ChatWebhook(_Target):
    """A message in a chat, through the chat's incoming webhook."""

    kind: Literal["slack", "teams", "discord", "google_chat", "mattermost"] = Field(
        description="The kind of the target."
    )
    webhook: SecretName = Field(
        description="The name of the SSM parameter that holds the webhook's address, which is a secret.",
        examples=["/amplify-jobs/secrets/slack"],
    )


class SlackBot(_Target):
    """One message a job in a channel of Slack, which is updated; details are in its thread."""

    kind: Literal["slack_bot"] = Field(description="The kind of the target.")
    token: SecretName = Field(
        description="The name of the SSM parameter that holds the bot's token (scope chat:write).",
        examples=["/amplify-jobs/secrets/slack-bot"],
    )
    channel: Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{5,20}$")] = Field(
        description="The id of the channel.", examples=["C0123456789"]
    )
    api: ApiUrl = Field(
        default="https://slack.com/api",
        description="The address of Slack's API; GovSlack has another. Default: https://slack.com/api.",
        examples=["https://slack.com/api"],
    )


class Webhook(_Target):
    """The announcement as JSON, signed by the scheme of Standard Webhooks."""

    kind: Literal["webhook"] = Field(description="The kind of the target.")
    url: HttpsUrl = Field(
        description="The address that announcements are posted to.", examples=["https://example.com/amplify-jobs"]
    )
    secret: SecretName = Field(
        description="The name of the SSM parameter that holds the key: whsec_ and base64.",
        examples=["/amplify-jobs/secrets/hook"],
    )


class AmazonQ(_Target):
    """A message on the stack's topic for chats: Amazon Q Developer shows it in Slack and Teams, without a token."""

    kind: Literal["amazon_q"] = Field(description="The kind of the target.")


Target = Annotated[
    CommitStatus | PullRequestComment | Deployment | ChatWebhook | SlackBot | AmazonQ | Webhook,
    Field(discriminator="kind"),
]


def validate_host(target: RepositoryTarget, provider: str | None) -> None:
    """Check that a target's host takes statuses, and that its address is known.

    `provider` is None where there is no such source. Raises ValueError.
    """
    if provider is None:
        raise ValueError(f"there is no source {target.source!r}")
    if provider not in STATUS_HOSTS:
        raise ValueError(f"a source of provider {provider} has no commits; use the source of a git host")
    if isinstance(target, Deployment) and provider not in DEPLOYMENT_HOSTS:
        raise ValueError(f"a host of provider {provider} takes no deployments; use commit_status")
    if (target.token is None) == (target.app is None):
        raise ValueError("a target has a token, or an app with its key")
    if (target.app is None) != (target.key is None):
        raise ValueError("an app and its key belong together")
    if target.app is not None and provider != "github":
        raise ValueError(f"a host of provider {provider} has no Apps; use token")
    if target.api is None and not STATUS_HOSTS[provider]:
        raise ValueError(f"api is missing; a host of provider {provider} has no public address")


def secrets_of(target: Target) -> tuple[str, ...]:
    """The names of a target's secrets."""
    match target:
        case ChatWebhook(webhook=name) | SlackBot(token=name) | Webhook(secret=name):
            return (name,)
        case AmazonQ():
            return ()
        case _:
            return tuple(name for name in (target.token, target.key) if name is not None)
