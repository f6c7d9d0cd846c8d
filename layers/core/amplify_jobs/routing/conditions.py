"""The conditions of a route: the kind of event that it waits for, and what that event must have."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from amplify_jobs.events.event import EventKind, PullRequestAction
from amplify_jobs.model.base import Model
from amplify_jobs.routing.fields import NamePatterns, OneOrMore, PathPatterns, RepositoryPattern, TextPatterns
from amplify_jobs.routing.schedule_expression import validate_expression

Words = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...], Field(min_length=1), OneOrMore
]
Actions = Annotated[tuple[PullRequestAction, ...], Field(min_length=1), OneOrMore]


class Change(Model):
    """What pushes and pull requests have in common: who changed what in which repository, and what they said."""

    repository: RepositoryPattern = Field(
        description="The repository's full name, or a pattern of it.", examples=["acme/web", "acme/*"]
    )
    paths: PathPatterns | None = Field(
        default=None,
        description="Patterns of paths, of which at least one changed file must fit. Default: any.",
        examples=[["apps/web/**", "!**/*.md"]],
    )
    authors: TextPatterns | None = Field(
        default=None, description="Patterns of the author's name. Default: any.", examples=[["*", "!*[bot]"]]
    )
    messages: TextPatterns | None = Field(
        default=None,
        description="Patterns of the head commit's message or the pull request's title. Default: any.",
        examples=[["*[deploy]*"]],
    )


class Push(Change):
    """A push to a repository: to all branches, unless patterns say which branches or tags."""

    branches: NamePatterns | None = Field(
        default=None,
        description="Names or patterns of branches. Default: all, but none where only tags is given.",
        examples=[["main", "release/*"]],
    )
    tags: NamePatterns | None = Field(
        default=None, description="Names or patterns of tags. Default: none.", examples=[["v*", "!v*-rc*"]]
    )

    @property
    def branch_patterns(self) -> tuple[str, ...]:
        """The branches that the route waits for; none where it names tags alone."""
        return self.branches or (("**",) if self.tags is None else ())


class PullRequests(Change):
    """A pull request of a repository; one from a fork only if the route says so, a draft unless it says no."""

    actions: Actions = Field(
        default=(PullRequestAction.OPENED, PullRequestAction.SYNCHRONIZE, PullRequestAction.REOPENED),
        description="What happens to the pull request. synchronize is new commits. "
        "Default: opened, synchronize, reopened.",
        examples=[["opened", "synchronize"]],
    )
    targets: NamePatterns | None = Field(
        default=None, description="Names or patterns of the branch to merge into. Default: any.", examples=[["main"]]
    )
    forks: bool = Field(default=False, description="Whether pull requests from forks count. Default: false.")
    drafts: bool = Field(default=True, description="Whether draft pull requests count. Default: true.")


class Releases(Model):
    """A release of a repository. Actions are the hosts' own words; GitHub's and Gitea's first, then GitLab's."""

    repository: RepositoryPattern = Field(
        description="The repository's full name, or a pattern of it.", examples=["acme/web", "acme/*"]
    )
    actions: Words = Field(
        default=("published", "create"),
        description="The host's own words for what happens to the release. Default: published, and create for GitLab.",
        examples=[["published"]],
    )
    tags: NamePatterns | None = Field(
        default=None, description="Names or patterns of the release's tag. Default: any.", examples=[["v*", "!v*-rc*"]]
    )


class Times(Model):
    """A schedule of EventBridge Scheduler: cron, rate or at, in a time zone."""

    expression: Annotated[str, AfterValidator(validate_expression)] = Field(
        description="A schedule of EventBridge Scheduler.",
        examples=["cron(0 3 * * ? *)", "rate(12 hours)", "at(2026-12-31T23:59:00)"],
    )
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=50)] = Field(
        default="UTC", description="The name of a time zone. Default: UTC.", examples=["Europe/Berlin"]
    )


class Objects(Model):
    """An object written to a bucket, by the beginning and the end of its key."""

    bucket: Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]+[a-z0-9]$")] = Field(
        description="The name of a bucket. The bucket must send its events to EventBridge.", examples=["artifacts"]
    )
    prefix: str = Field(default="", description="The beginning of the object's key. Default: any.", examples=["web/"])
    suffix: str = Field(default="", description="The end of the object's key. Default: any.", examples=[".zip"])


class ByName(Model):
    """Nothing but a request that names the route."""


class When(Model):
    """The event that a route waits for: exactly one of these."""

    push: Push | None = Field(
        default=None,
        description="A push to branches, or to tags where tags is given.",
        examples=[{"repository": "acme/web", "branches": ["main", "release/*"]}],
    )
    pull_request: PullRequests | None = Field(
        default=None,
        alias="pull_request",
        description="A pull request that is opened or changed.",
        examples=[{"repository": "acme/web", "targets": ["main"]}],
    )
    release: Releases | None = Field(
        default=None, description="A release that is published.", examples=[{"repository": "acme/web"}]
    )
    schedule: Times | None = Field(
        default=None,
        description="A time that comes.",
        examples=[{"expression": "cron(0 3 * * ? *)", "timezone": "Europe/Berlin"}],
    )
    object: Objects | None = Field(
        default=None,
        description="An object that is written to a bucket.",
        examples=[{"bucket": "artifacts", "prefix": "web/", "suffix": ".zip"}],
    )
    request: ByName | None = Field(
        default=None, description="Nothing but a request that names the route.", examples=[{}]
    )

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
            branches = (EventKind.PUSH,) if self.push.branch_patterns else ()
            return (*branches, EventKind.TAG) if self.push.tags is not None else branches
        return tuple(EventKind(name) for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def repository(self) -> str | None:
        """The repository whose events the route waits for."""
        conditions = self.push or self.pull_request or self.release
        return conditions.repository if conditions else None
