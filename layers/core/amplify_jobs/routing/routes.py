"""Routes: which senders we trust, and which job an event asks for. The model of routes.yaml and of what is pushed.

The first sentence of a field's description says what to write there: the command line puts it, with the examples, into
its messages. The JSON Schema has the whole description.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from amplify_jobs.errors import UnknownSourceError
from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.model.base import Model
from amplify_jobs.model.identifiers import AppId
from amplify_jobs.model.operations import Operation, default_timeout_minutes
from amplify_jobs.model.request import (
    DEFAULT_START_WITHIN_MINUTES,
    LONGEST_MINUTES,
    ROUTE_NAME_PATTERN,
    OnTimeout,
    RetryWhen,
)
from amplify_jobs.routing.conditions import When
from amplify_jobs.routing.fields import LONGEST_NAME, Name, OneOrMore, PathPatterns, SecretName
from amplify_jobs.routing.follow import Follow
from amplify_jobs.routing.mirrors import Git, Mirror, mirror_problem
from amplify_jobs.routing.previews import Preview, preview_problem
from amplify_jobs.routing.report_targets import RepositoryTarget, Target, validate_host
from amplify_jobs.routing.retry import NumberOrRetry

# SSM answers for so many names at once (API: GetParameters).
MOST_SECRETS = 10
# A source of the file, or the one of CodeCommit's events, which EventBridge alone may bring.
SOURCE_PATTERN = rf"{ROUTE_NAME_PATTERN}|^{re.escape(CODECOMMIT)}$"


def _validate_provider(name: str) -> str:
    if name not in PROVIDERS:
        raise ValueError(f"unknown provider {name!r}; use one of {', '.join(PROVIDERS)}")
    return name


Minutes = Annotated[int, Field(ge=1, le=LONGEST_MINUTES)]


class Allow(Model):
    """What a sender may request: nothing but what is listed here, so {} allows nothing."""

    routes: PathPatterns | None = Field(
        default=None,
        description="Names or patterns of the routes that a request may name. Default: none.",
        examples=[["web", "docs-*"]],
    )
    operations: Annotated[tuple[Operation, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None,
        description="The operations that a request may give with parameters of its own. Default: none.",
        examples=[["start_job"]],
    )
    apps: Annotated[tuple[AppId, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None,
        description="The ids of the apps for which a request may give these operations. Default: any.",
        examples=[["d1a2b3c4d5e6"]],
    )


class Bus(Model):
    """The stack's event bus, on which whoever has events:PutEvents can request jobs."""

    allow: Allow | None = Field(
        default=None,
        description="The limits of what a Job Requested event on the bus may request. Default: none.",
        examples=[{"routes": ["web"]}, {"operations": ["start_job"], "apps": ["d1a2b3c4d5e6"]}],
    )


class Source(Model):
    """A sender we trust: its webhook endpoint bears the source's name; SSM parameters hold its secrets."""

    provider: Annotated[str, AfterValidator(_validate_provider)] = Field(
        description="The git host, or standard for signed messages of any sender.",
        json_schema_extra={"enum": [*PROVIDERS]},
    )
    secrets: Annotated[tuple[SecretName, ...], Field(min_length=1, max_length=MOST_SECRETS), OneOrMore] = Field(
        description="The names of SSM parameters that hold the secret. Use two while the secret is rotated.",
        examples=[["/amplify-jobs/secrets/github"]],
    )
    allow: Allow | None = Field(
        default=None,
        description="The limits of what a source of provider standard may request. Default: none.",
        examples=[{"routes": ["web"]}, {"operations": ["start_job"], "apps": ["d1a2b3c4d5e6"]}],
    )
    git: Git | None = Field(
        default=None,
        description="Where mirrors fetch the code of the source's repositories. Default: none.",
        examples=[{"url": "https://git.example.com/{repository}.git", "token": "/amplify-jobs/secrets/git-token"}],
    )


class RequestTemplate(Model):
    """The job that a route asks for; texts in the parameters may name values of the event."""

    operation: Operation = Field(description="The operation of Amplify's APIs that starts the job.")
    parameters: dict[str, Any] = Field(
        description="The operation's parameters in the API's own names. Texts may name values, like {branch}.",
        examples=[{"appId": "d1a2b3c4d5e6", "branchName": "{branch}", "jobType": "RELEASE"}],
    )


class Route(Model):
    """A rule: when this event, request that job."""

    enabled: bool = Field(
        default=True, description="Whether the route, with its schedule, is switched on. Default: true."
    )
    source: Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=SOURCE_PATTERN)] | None = Field(
        default=None,
        description=f"The name of the source whose events count. {CODECOMMIT} is CodeCommit. Default: any.",
        examples=["github"],
    )
    when: When = Field(
        description="The event that the route waits for. Exactly one.",
        examples=[{"push": {"repository": "acme/web", "branches": ["main"]}}],
    )
    request: RequestTemplate = Field(
        description="The job that the event asks for.",
        examples=[
            {
                "operation": "start_job",
                "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "{branch}", "jobType": "RELEASE"},
            }
        ],
    )
    # An operation that is not right is told as such; its time limit does not matter.
    timeout_minutes: Minutes = Field(
        default_factory=lambda fields: default_timeout_minutes(
            fields["request"].operation if "request" in fields else ""
        ),
        description="How many minutes the job may take from leaving Amplify's queue. "
        "Default: 60, and 10 for code and models.",
    )
    start_within_minutes: Minutes = Field(
        default=DEFAULT_START_WITHIN_MINUTES,
        description="How many minutes the job may wait to be started and in the queue. "
        f"Default: {DEFAULT_START_WITHIN_MINUTES}.",
    )
    on_timeout: OnTimeout = Field(
        default=OnTimeout.LEAVE, description="Whether to stop the job past timeoutMinutes. Default: leave."
    )
    retry: NumberOrRetry = Field(
        default=0,
        description="How often a job that failed is started again. Default: 0.",
        examples=[2, {"times": 2, "when": "transient"}],
    )
    supersede: bool = Field(
        default=False,
        description="Whether a newer event for the same app, branch and kind cancels older requests. Default: false.",
    )

    mirror: Mirror | None = Field(
        default=None,
        description="The repository to which the code is brought before the job starts. Default: none.",
        examples=[{"to": "codecommit::web"}],
    )
    preview: Preview | None = Field(
        default=None,
        description="The branch of the app that is there as long as a pull request is open. Default: none.",
        examples=[{}, {"environmentVariables": {"API": "https://staging.example.com"}}],
    )

    @property
    def retry_times(self) -> int:
        """How often a job that failed is started again."""
        return self.retry if isinstance(self.retry, int) else self.retry.times

    @property
    def retry_when(self) -> RetryWhen:
        """After which failures it is."""
        return RetryWhen.FAILED if isinstance(self.retry, int) else self.retry.when


class Routes(Model):
    """All sources and routes of a stack."""

    version: Literal["1"] = Field(default="1", description="The version of this format. It may be left out.")
    sources: dict[Name, Source] = Field(
        default_factory=dict,
        description="A source for each sender, by name. The name is the last part of the webhook's address.",
        examples=[{"github": {"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]}}],
    )
    bus: Bus | None = Field(
        default=None,
        description="The limits of requests on the stack's bus. Default: none.",
        examples=[{"allow": {"routes": ["web"]}}],
    )
    routes: dict[Name, Route] = Field(
        description="A route for each rule, by name. It says which event asks for which job.",
        examples=[
            {
                "web": {
                    "when": {"push": {"repository": "acme/web", "branches": ["main"]}},
                    "request": {
                        "operation": "start_job",
                        "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "{branch}", "jobType": "RELEASE"},
                    },
                }
            }
        ],
    )
    follow: Follow = Field(
        default=False,
        description="Whether jobs that somebody else started are followed: all, or those of a list. Default: false.",
        examples=[True, [{"apps": ["d1a2b3c4d5e6"], "branches": ["main"]}]],
    )
    reports: dict[Name, Target] = Field(
        default_factory=dict,
        description="A target for each place that gets announcements besides the topic and the bus, by name.",
        examples=[{"team": {"kind": "slack", "webhook": "/amplify-jobs/secrets/slack"}}],
    )

    @model_validator(mode="after")
    def _targets_have_hosts(self) -> Routes:
        for name, target in self.reports.items():
            if isinstance(target, RepositoryTarget):
                source = self.sources.get(target.source)
                try:
                    validate_host(target, source.provider if source else None)
                except ValueError as error:
                    raise ValueError(f"reports.{name}: {error}") from None
        return self

    @model_validator(mode="after")
    def _mirrors_have_code(self) -> Routes:
        for name, route in self.routes.items():
            if route.mirror is not None and (problem := mirror_problem(route, self.sources)):
                raise ValueError(f"routes.{name}.mirror: {problem}")
        return self

    @model_validator(mode="after")
    def _previews_have_branches(self) -> Routes:
        for name, route in self.routes.items():
            if problem := preview_problem(route, self.sources):
                place, message = problem
                raise ValueError(f"routes.{name}.{'.'.join(place)}: {message}")
        return self

    def source(self, name: str) -> Source:
        """Find a source by the name in its webhook's address. Raises UnknownSourceError."""
        try:
            return self.sources[name]
        except KeyError:
            raise UnknownSourceError("there is no source of this name; routes.yaml lists the sources") from None
