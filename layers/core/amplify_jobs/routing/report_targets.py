"""Targets of reports: where announcements are delivered, and when. The models of `reports` in routes.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from amplify_jobs.model.base import Model
from amplify_jobs.model.identifiers import AppId
from amplify_jobs.routing.fields import Name, NamePatterns, OneOrMore, SecretName

# An address of this machine is for the local cloud.
HttpsUrl = Annotated[
    str,
    StringConstraints(
        max_length=2_000,
        pattern=r"^(https://[A-Za-z0-9.-]+(:\d{1,5})?|http://(127\.0\.0\.1|localhost)(:\d{1,5})?)(/[!-~]*)?$",
    ),
]
Header = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[ -~]+$")]
Outcome = Literal["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "UNKNOWN", "REJECTED"]
Phase = Literal["started", "finished", "rejected"]


class ReportConditions(Model):
    """Which announcements a target gets: all that fit each condition that is given."""

    phases: Annotated[tuple[Phase, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None, description="started, finished, rejected. Default: all."
    )
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None, description="Outcomes of jobs that ended and of requests that were rejected. Default: all."
    )
    apps: Annotated[tuple[AppId, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None, description="Ids of apps. Default: all."
    )
    branches: NamePatterns | None = Field(default=None, description="Patterns of Amplify's branches. Default: all.")
    routes: NamePatterns | None = Field(default=None, description="Patterns of names of routes. Default: all.")
    changes: bool = Field(
        default=False, description="Only the first failure of a branch, and the first success after it. Default: false."
    )


class _Target(Model):
    when: ReportConditions = Field(
        default_factory=ReportConditions, description="Which announcements it gets. Default: all."
    )


class _OfRepository(_Target):
    """What is reported to the git host that a delivery came from: its token is never sent anywhere else."""

    source: Name = Field(description="The source whose repositories it reports to.")
    api: HttpsUrl | None = Field(
        default=None,
        description="The address of the host's API (that of github.com, gitlab.com or bitbucket.org).",
    )
    token: SecretName = Field(description="The SSM parameter that holds the token.")
    username: Header | None = Field(
        default=None, description="The user of a token that is sent as a password. Default: none."
    )


class CommitStatus(_OfRepository):
    """A status at the commit: pending on start, the outcome at the end."""

    kind: Literal["commit_status"] = Field(description="The kind of the target.")
    context: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        default="amplify-jobs/{route}", description="The name of the status: {route}, {app}, {branch} are filled in."
    )


class ChatWebhook(_Target):
    """A message in a chat, through the chat's incoming webhook."""

    kind: Literal["slack", "teams", "discord", "google_chat", "mattermost"] = Field(
        description="The kind of the target."
    )
    webhook: SecretName = Field(description="The SSM parameter that holds the webhook's address, which is a secret.")


class SlackBot(_Target):
    """One message a job in a channel of Slack, which is updated; details are in its thread."""

    kind: Literal["slack_bot"] = Field(description="The kind of the target.")
    token: SecretName = Field(description="The SSM parameter that holds the bot's token (scope chat:write).")
    channel: Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{5,20}$")] = Field(
        description="The id of the channel, like C0123456789."
    )
    api: HttpsUrl = Field(
        default="https://slack.com/api",
        description="The address of Slack's API; GovSlack has another. Default: https://slack.com/api.",
    )


class Webhook(_Target):
    """The announcement as JSON, signed by the scheme of Standard Webhooks."""

    kind: Literal["webhook"] = Field(description="The kind of the target.")
    url: HttpsUrl = Field(description="Where the announcement is posted.")
    secret: SecretName = Field(description="The SSM parameter that holds the key: whsec_ and base64.")


Target = Annotated[CommitStatus | ChatWebhook | SlackBot | Webhook, Field(discriminator="kind")]
RepositoryTarget = CommitStatus


def secrets_of(target: Target) -> tuple[str, ...]:
    """The names of a target's secrets."""
    match target:
        case ChatWebhook(webhook=name) | SlackBot(token=name) | Webhook(secret=name):
            return (name,)
        case _:
            return (target.token,)
