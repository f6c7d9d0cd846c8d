"""Routes: which senders we trust, and which job an event asks for. The model of routes.yaml and of what is pushed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from amplify_jobs.errors import UnknownSourceError
from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.event import EventKind, PullRequestAction
from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.model.base import Model
from amplify_jobs.model.identifiers import AppId
from amplify_jobs.model.operations import Operation, default_timeout_minutes
from amplify_jobs.model.request import (
    DEFAULT_START_WITHIN_MINUTES,
    LONGEST_MINUTES,
    MOST_RETRIES,
    ROUTE_NAME_PATTERN,
    OnTimeout,
)
from amplify_jobs.routing.fields import (
    LONGEST_NAME,
    Name,
    NamePatterns,
    OneOrMore,
    PathPatterns,
    RepositoryPattern,
    SecretName,
    TextPatterns,
)
from amplify_jobs.routing.report_targets import Target
from amplify_jobs.routing.schedule_expression import validate_expression

# SSM answers for so many names at once (API: GetParameters).
MOST_SECRETS = 10
# A source of the file, or the one of CodeCommit's events, which EventBridge alone may bring.
SOURCE_PATTERN = rf"{ROUTE_NAME_PATTERN}|^{re.escape(CODECOMMIT)}$"


def _known_provider(name: str) -> str:
    if name not in PROVIDERS:
        raise ValueError(f"unknown provider {name!r}; use one of {', '.join(PROVIDERS)}")
    return name


Words = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...], Field(min_length=1), OneOrMore
]
Actions = Annotated[tuple[PullRequestAction, ...], Field(min_length=1), OneOrMore]
Minutes = Annotated[int, Field(ge=1, le=LONGEST_MINUTES)]


class Allow(Model):
    """What a sender may request: nothing but what is listed here, so {} allows nothing."""

    routes: PathPatterns | None = Field(
        default=None, description="Names or patterns of the routes that a request may name (none)."
    )
    operations: Annotated[tuple[Operation, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None, description="The operations that a request may give with parameters of its own (none)."
    )
    apps: Annotated[tuple[AppId, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None, description="The apps for which a request may give these operations (any)."
    )


class Bus(Model):
    """The stack's event bus, on which whoever has events:PutEvents can request jobs."""

    allow: Allow | None = Field(
        default=None, description="What a Job Requested event on the bus may request (anything)."
    )


class Source(Model):
    """A sender we trust: its webhook endpoint bears the source's name; SSM parameters hold its secrets."""

    provider: Annotated[str, AfterValidator(_known_provider)] = Field(
        description="The git host, or standard for signed messages of any sender.",
        json_schema_extra={"enum": [*PROVIDERS]},
    )
    secrets: Annotated[tuple[SecretName, ...], Field(min_length=1, max_length=MOST_SECRETS), OneOrMore] = Field(
        description="Names of SSM parameters that hold the secret; two while it is being rotated."
    )
    allow: Allow | None = Field(default=None, description="What a source of provider standard may request (anything).")


class Change(Model):
    """What pushes and pull requests have in common: who changed what in which repository, and what they said."""

    repository: RepositoryPattern = Field(description="The repository's full name, like acme/web, or a pattern.")
    paths: PathPatterns | None = Field(
        default=None, description="Patterns of paths: at least one changed file must be in (any)."
    )
    authors: TextPatterns | None = Field(default=None, description="Patterns of the author's name (any).")
    messages: TextPatterns | None = Field(
        default=None, description="Patterns of the head commit's message or the pull request's title (any)."
    )


class Push(Change):
    """A push to a repository: to all branches, unless patterns say which branches or tags."""

    branches: NamePatterns | None = Field(
        default=None, description="Patterns of branches (all, but none where only tags is given)."
    )
    tags: NamePatterns | None = Field(default=None, description="Patterns of tags (none).")

    @property
    def branch_patterns(self) -> tuple[str, ...]:
        """The branches that the route waits for; none where it names tags alone."""
        return self.branches or (("**",) if self.tags is None else ())


class PullRequests(Change):
    """A pull request of a repository; one from a fork only if the route says so, a draft unless it says no."""

    actions: Actions = Field(
        default=(PullRequestAction.OPENED, PullRequestAction.SYNCHRONIZE, PullRequestAction.REOPENED),
        description="What happens to the pull request (opened, synchronize, reopened); synchronize is new commits.",
    )
    targets: NamePatterns | None = Field(default=None, description="Patterns of the branch to merge into (any).")
    forks: bool = Field(default=False, description="Whether pull requests from forks count (false).")
    drafts: bool = Field(default=True, description="Whether draft pull requests count (true).")


class Releases(Model):
    """A release of a repository. Actions are the hosts' own words; GitHub's and Gitea's first, then GitLab's."""

    repository: RepositoryPattern = Field(description="The repository's full name, like acme/web, or a pattern.")
    actions: Words = Field(
        default=("published", "create"), description="The host's own words (published, and create for GitLab)."
    )
    tags: NamePatterns | None = Field(default=None, description="Patterns of the release's tag (any).")


class Times(Model):
    """A schedule of EventBridge Scheduler: cron, rate or at, in a time zone."""

    expression: Annotated[str, AfterValidator(validate_expression)] = Field(
        description="cron(0 3 * * ? *), rate(12 hours) or at(2026-12-31T23:59:00), as EventBridge Scheduler takes it."
    )
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=50)] = Field(
        default="UTC", description="The name of a time zone, like Europe/Berlin (UTC)."
    )


class Objects(Model):
    """An object written to a bucket, by the beginning and the end of its key."""

    bucket: Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]+[a-z0-9]$")] = Field(
        description="The bucket that an object is written to; it must send its events to EventBridge."
    )
    prefix: str = Field(default="", description="How the object's key begins (any).")
    suffix: str = Field(default="", description="How the object's key ends (any).")


class ByName(Model):
    """Nothing but a request that names the route."""


class When(Model):
    """The event that a route waits for: exactly one of these."""

    push: Push | None = Field(default=None, description="A push to a branch, or to a tag where tags is given.")
    pull_request: PullRequests | None = Field(
        default=None, alias="pull_request", description="A pull request is opened or changed."
    )
    release: Releases | None = Field(default=None, description="A release is published.")
    schedule: Times | None = Field(default=None, description="A time comes.")
    object: Objects | None = Field(default=None, description="An object is written to a bucket.")
    request: ByName | None = Field(default=None, description="Nothing but a request that names the route: {}.")

    @model_validator(mode="after")
    def _exactly_one(self) -> When:
        events = sum(getattr(self, name) is not None for name in type(self).model_fields)
        if events != 1:
            names = ", ".join(type(self).model_fields)
            raise ValueError(f"has {events} events; use exactly one of {names}, and a route for each other event")
        return self

    @property
    def kinds(self) -> tuple[EventKind, ...]:
        """The kinds of events that can meet the conditions."""
        if self.push is not None:
            kinds = (EventKind.PUSH, bool(self.push.branch_patterns)), (EventKind.TAG, self.push.tags is not None)
            return tuple(kind for kind, wanted in kinds if wanted)
        return tuple(EventKind(name) for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def repository(self) -> str | None:
        """The repository whose events the route waits for."""
        found = self.push or self.pull_request or self.release
        return found.repository if found else None


class RequestTemplate(Model):
    """The job that a route asks for; texts in the parameters may name values of the event."""

    operation: Operation = Field(description="The operation of Amplify's APIs that starts the job.")
    parameters: dict[str, Any] = Field(
        description="The operation's parameters in the API's own names; texts may name values, like {branch}."
    )


class Route(Model):
    """A rule: when this event, request that job."""

    enabled: bool = Field(default=True, description="false switches the route off, its schedule too (true).")
    source: Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=SOURCE_PATTERN)] | None = Field(
        default=None, description=f"The source whose events count: one of sources, or {CODECOMMIT} (any)."
    )
    when: When = Field(description="The event that the route waits for: exactly one.")
    request: RequestTemplate = Field(description="The job that the event asks for.")
    # An operation that is not right is told as such; its time limit does not matter.
    timeout_minutes: Minutes = Field(
        default_factory=lambda given: default_timeout_minutes(given["request"].operation if "request" in given else ""),
        description="How long the job may take from leaving Amplify's queue (60; 10 for code and models).",
    )
    start_within_minutes: Minutes = Field(
        default=DEFAULT_START_WITHIN_MINUTES,
        description=f"How long the job may wait to be started and in the queue ({DEFAULT_START_WITHIN_MINUTES}).",
    )
    on_timeout: OnTimeout = Field(
        default=OnTimeout.LEAVE, description="Past that time, stop the job or leave it (leave)."
    )
    retry: Annotated[int, Field(ge=0, le=MOST_RETRIES)] = Field(
        default=0, description="How often a job that failed is started again (0)."
    )
    supersede: bool = Field(
        default=False,
        description="Whether a newer event for the same app, branch and kind cancels older requests (false).",
    )


class Routes(Model):
    """All sources and routes of a stack."""

    version: Literal["1"] = Field(default="1", description="The version of this format; it may be left out.")
    sources: dict[Name, Source] = Field(
        default_factory=dict, description="Who may deliver, by the last part of the webhook's address."
    )
    bus: Bus | None = Field(default=None, description="What requests on the stack's bus are limited to (none).")
    routes: dict[Name, Route] = Field(description="Which event asks for which job, by name.")
    reports: dict[Name, Target] = Field(
        default_factory=dict, description="Where announcements are delivered besides the topic and the bus, by name."
    )

    def source(self, name: str) -> Source:
        """Find a source by the name in its webhook's address. Raises UnknownSourceError."""
        try:
            return self.sources[name]
        except KeyError:
            raise UnknownSourceError("there is no source of this name; routes.yaml says which there are") from None
