"""Routes: which senders we trust, and which job an event asks for. The model of routes.yaml and of what is pushed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from amplify_jobs.errors import UnknownSource
from amplify_jobs.events import EventKind, PullRequestAction
from amplify_jobs.models import Model
from amplify_jobs.patterns import checked_list, checked_name_pattern, checked_pattern, checked_text_pattern
from amplify_jobs.requests import (
    DEFAULT_START_WITHIN_MINUTES,
    LONGEST_MINUTES,
    MOST_RETRIES,
    ROUTE_NAME_PATTERN,
    OnTimeout,
    Operation,
    default_timeout_minutes,
)
from amplify_jobs.schedule_expressions import checked_expression
from amplify_jobs.webhooks import PROVIDERS
from amplify_jobs.webhooks.codecommit import SOURCE as CODECOMMIT

# SSM answers for so many names at once (API: GetParameters).
MOST_SECRETS = 10
# The part of a request id that names the route.
LONGEST_NAME = 40
# A source of the file, or the one of CodeCommit's events, which EventBridge alone may bring.
SOURCE_PATTERN = rf"{ROUTE_NAME_PATTERN}|^{re.escape(CODECOMMIT)}$"


def _known_provider(name: str) -> str:
    if name not in PROVIDERS:
        raise ValueError(f"unknown provider {name!r}; use one of {', '.join(PROVIDERS)}")
    return name


def _as_list(value: Any) -> Any:
    """Take one text for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


_OneOrMore = BeforeValidator(_as_list, json_schema_input_type=str | tuple[str, ...])
Name = Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=ROUTE_NAME_PATTERN)]
SecretName = Annotated[str, StringConstraints(max_length=1011, pattern=r"^(/[A-Za-z0-9_.-]+)+$")]
RepositoryPattern = Annotated[
    str, StringConstraints(max_length=1024, pattern=r"^[^/\s!][^/\n]*(/[^/\n]+)*$"), AfterValidator(checked_pattern)
]
NamePatterns = Annotated[
    tuple[Annotated[str, AfterValidator(checked_name_pattern)], ...],
    Field(min_length=1),
    AfterValidator(checked_list),
    _OneOrMore,
]
PathPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(checked_pattern)], ...],
    Field(min_length=1),
    AfterValidator(checked_list),
    _OneOrMore,
]
TextPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(checked_text_pattern)], ...],
    Field(min_length=1),
    AfterValidator(checked_list),
    _OneOrMore,
]
Words = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...], Field(min_length=1), _OneOrMore
]
Actions = Annotated[tuple[PullRequestAction, ...], Field(min_length=1), _OneOrMore]
Minutes = Annotated[int, Field(ge=1, le=LONGEST_MINUTES)]


class Source(Model):
    """A sender we trust: its webhook endpoint bears the source's name; SSM parameters hold its secrets."""

    provider: Annotated[str, AfterValidator(_known_provider)]
    secrets: Annotated[tuple[SecretName, ...], Field(min_length=1, max_length=MOST_SECRETS), _OneOrMore]


class Change(Model):
    """What pushes and pull requests have in common: who changed what in which repository, and what they said."""

    repository: RepositoryPattern
    paths: PathPatterns | None = None
    authors: TextPatterns | None = None
    messages: TextPatterns | None = None


class Push(Change):
    """A push to a repository: to all branches, unless patterns say which branches or tags."""

    branches: NamePatterns | None = None
    tags: NamePatterns | None = None

    @property
    def branch_patterns(self) -> tuple[str, ...]:
        """The branches that the route waits for; none where it names tags alone."""
        return self.branches or (("**",) if self.tags is None else ())


class PullRequests(Change):
    """A pull request of a repository; one from a fork only if the route says so, a draft unless it says no."""

    actions: Actions = (
        PullRequestAction.OPENED,
        PullRequestAction.SYNCHRONIZE,
        PullRequestAction.REOPENED,
    )
    targets: NamePatterns | None = None
    forks: bool = False
    drafts: bool = True


class Releases(Model):
    """A release of a repository. Actions are the hosts' own words; GitHub's and Gitea's first, then GitLab's."""

    repository: RepositoryPattern
    actions: Words = ("published", "create")
    tags: NamePatterns | None = None


class Times(Model):
    """A schedule of EventBridge Scheduler: cron, rate or at, in a time zone."""

    expression: Annotated[str, AfterValidator(checked_expression)]
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=50)] = "UTC"


class Objects(Model):
    """An object written to a bucket, by the beginning and the end of its key."""

    bucket: Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]+[a-z0-9]$")]
    prefix: str = ""
    suffix: str = ""


class ByName(Model):
    """Nothing but a request that names the route."""


class When(Model):
    """The event that a route waits for: exactly one of these."""

    push: Push | None = None
    pull_request: PullRequests | None = Field(default=None, alias="pull_request")
    release: Releases | None = None
    schedule: Times | None = None
    object: Objects | None = None
    request: ByName | None = None

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

    operation: Operation
    parameters: dict[str, Any]


class Route(Model):
    """A rule: when this event, request that job."""

    enabled: bool = True
    source: Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=SOURCE_PATTERN)] | None = None
    when: When
    request: RequestTemplate
    # An operation that is not right is told as such; its time limit does not matter.
    timeout_minutes: Minutes = Field(
        default_factory=lambda given: default_timeout_minutes(given["request"].operation if "request" in given else "")
    )
    start_within_minutes: Minutes = DEFAULT_START_WITHIN_MINUTES
    on_timeout: OnTimeout = OnTimeout.LEAVE
    retry: Annotated[int, Field(ge=0, le=MOST_RETRIES)] = 0
    supersede: bool = False


class Routes(Model):
    """All sources and routes of a stack."""

    version: Literal["1"] = "1"
    sources: dict[Name, Source] = Field(default_factory=dict)
    routes: dict[Name, Route]

    def source(self, name: str) -> Source:
        """Find a source by the name in its webhook's address. Raises UnknownSource."""
        try:
            return self.sources[name]
        except KeyError:
            raise UnknownSource("there is no source of this name; routes.yaml says which there are") from None
