"""Routes: which senders we trust, and which job an event asks for. The model of routes.yaml and of what is pushed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from amplify_jobs.branch_patterns import checked_pattern
from amplify_jobs.errors import UnknownSource
from amplify_jobs.models import Model
from amplify_jobs.requests import (
    DEFAULT_START_WITHIN_MINUTES,
    DEFAULT_TIMEOUT_MINUTES,
    LONGEST_MINUTES,
    ROUTE_NAME_PATTERN,
    Operation,
)
from amplify_jobs.webhooks import PROVIDERS

# The part of a request id that names the route.
LONGEST_NAME = 40
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# What a push can put into parameters -> the member of Event that it is.
PLACEHOLDERS = {f"{{{name}}}": name for name in ("branch", "ref", "repository", "commit", "message", "author")}


def _known_provider(name: str) -> str:
    if name not in PROVIDERS:
        raise ValueError(f"{name!r} is not known; use one of {', '.join(PROVIDERS)}")
    return name


def _known_placeholders(value: Any) -> Any:
    if isinstance(value, str):
        unknown = [found for found in PLACEHOLDER.findall(value) if found not in PLACEHOLDERS]
        if unknown:
            raise ValueError(f"{unknown[0]} is nothing that a push has; use one of {', '.join(PLACEHOLDERS)}")
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _known_placeholders(inner)
    return value


Name = Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=ROUTE_NAME_PATTERN)]
SecretName = Annotated[str, StringConstraints(max_length=1011, pattern=r"^(/[A-Za-z0-9_.-]+)+$")]
RepositoryName = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^/\s]+(/[^/\s]+)+$")]
BranchPattern = Annotated[str, AfterValidator(checked_pattern)]
Minutes = Annotated[int, Field(ge=1, le=LONGEST_MINUTES)]


class Source(Model):
    """A sender we trust: its webhook endpoint bears the source's name; SSM parameters hold its secrets."""

    provider: Annotated[str, AfterValidator(_known_provider)]
    secrets: Annotated[tuple[SecretName, ...], Field(min_length=1)]


class Push(Model):
    """A push to a branch of a repository: all branches, unless patterns say which."""

    repository: RepositoryName
    branches: Annotated[tuple[BranchPattern, ...], Field(min_length=1)] = ("**",)


class When(Model):
    """The event that a route waits for."""

    push: Push


class RequestTemplate(Model):
    """The job that a route asks for; texts in the parameters may hold placeholders."""

    operation: Operation
    parameters: dict[str, Annotated[Any, AfterValidator(_known_placeholders)]]


class Route(Model):
    """A rule: when this event, request that job."""

    when: When
    request: RequestTemplate
    timeout_minutes: Minutes = DEFAULT_TIMEOUT_MINUTES
    start_within_minutes: Minutes = DEFAULT_START_WITHIN_MINUTES


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
