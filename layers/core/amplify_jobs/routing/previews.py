"""Previews: the branch of an app that is made for a pull request, and what lets a fork's code be built there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from amplify_jobs.events.event import Event, PullRequest
from amplify_jobs.events.git_hosts import TITLES, git_host
from amplify_jobs.events.refs import BRANCHES
from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.model.base import Model
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.preview_order import PreviewAction, PreviewOrder
from amplify_jobs.routing.fields import OneOrMore, SecretName

if TYPE_CHECKING:
    from amplify_jobs.routing.routes import Route, Routes, Source

DEFAULT_KEEP_DAYS = 14
LONGEST_KEEP_DAYS = 365
NUMBER, SOURCE_BRANCH = "{pullRequest.number}", "{pullRequest.source}"
_BRANCH_NAME = ("request", "parameters", "branchName")
_APPROVAL = ("preview", "approval")

Word = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^\S([^\n]*\S)?$")]


def _validate_variable(name: str) -> str:
    if name.startswith("AWS"):
        raise ValueError("Amplify keeps names that begin with AWS for itself; use another name")
    return name


VariableName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^=\s]+$"), AfterValidator(_validate_variable)
]


class Stage(StrEnum):
    """Amplify's Stage (CreateBranch)."""

    PRODUCTION = "PRODUCTION"
    BETA = "BETA"
    DEVELOPMENT = "DEVELOPMENT"
    EXPERIMENTAL = "EXPERIMENTAL"
    PULL_REQUEST = "PULL_REQUEST"


class Approval(Model):
    """What someone with the right does, so that the code of a fork is built."""

    label: Word | None = Field(
        default=None,
        description="The label that approves, on GitHub and GitLab. Default: none.",
        examples=["preview"],
    )
    comment: Word | None = Field(
        default=None,
        description="The first line of the comment that approves, on the other hosts. Default: none.",
        examples=["/preview"],
    )
    by: Annotated[tuple[Word, ...], Field(min_length=1), OneOrMore] | None = Field(
        default=None,
        description="The people whose comment approves, by the names that docs/previews.md says. Default: none.",
        examples=[["ada"]],
    )

    @model_validator(mode="after")
    def _whole(self) -> Approval:
        if (self.label is None) == (self.comment is None):
            raise ValueError("give either label or comment")
        if self.label is not None and self.by is not None:
            raise ValueError("by belongs to comment; who may set a label, the git host decides")
        if self.comment is not None and self.by is None:
            raise ValueError("a comment needs by, the people who may approve, since anybody may comment")
        return self

    @property
    def text(self) -> str:
        """What approves, for people."""
        return f"the label {self.label}" if self.label else f"the comment {self.comment} of {', '.join(self.by or ())}"

    def is_given(self, pull: PullRequest) -> bool:
        """Whether the event of a pull request is the approval."""
        approval = pull.approval
        if approval is None:
            return False
        if self.label is not None:
            return self.label in approval.labels
        people = {person.casefold() for person in self.by or ()}
        return approval.comment == self.comment and (approval.person or "").casefold() in people


class Preview(Model):
    """The branch of the app that shows a pull request, with the members of Amplify's CreateBranch."""

    stage: Stage = Field(default=Stage.PULL_REQUEST, description="The stage of the branch. Default: PULL_REQUEST.")
    framework: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = Field(
        default=None, description="The framework of the branch. Default: none.", examples=["Next.js - SSR"]
    )
    environment_variables: (
        dict[VariableName, Annotated[str, StringConstraints(min_length=1, max_length=5500)]] | None
    ) = Field(
        default=None,
        description="The environment variables of the branch, which are no secrets. Default: none.",
        examples=[{"API": "https://staging.example.com"}],
    )
    basic_auth: SecretName | None = Field(
        default=None,
        description="The name of the SSM parameter that holds user:password, which the site asks for. Default: none.",
        examples=["/amplify-jobs/secrets/preview-login"],
    )
    build_spec: Annotated[str, StringConstraints(min_length=1, max_length=25_000)] | None = Field(
        default=None, description="The build specification of the branch. Default: the app's.", examples=["version: 1"]
    )
    keep_days: Annotated[int, Field(ge=1, le=LONGEST_KEEP_DAYS)] = Field(
        default=DEFAULT_KEEP_DAYS,
        description=f"So many days after its last event a preview is taken away. Default: {DEFAULT_KEEP_DAYS}.",
    )
    approval: Approval | None = Field(
        default=None,
        description="What lets the code of a fork be built. Default: nothing does.",
        examples=[{"label": "preview"}],
    )


def preview_logins(routes: Routes) -> Iterator[tuple[str, str]]:
    """The previews of routes that ask for a password, each with the name of the SSM parameter of its login."""
    for name, route in routes.routes.items():
        if route.preview is not None and route.preview.basic_auth is not None:
            yield f"preview of route {name}", route.preview.basic_auth


def preview_problem(route: Route, sources: Mapping[str, Source]) -> tuple[tuple[str, ...], str] | None:
    """Say where in a route, and why, its preview can't be; None if it can."""
    preview, conditions = route.preview, route.when.pull_request
    if preview is None:
        return None
    if conditions is None:
        return ("preview",), "the route waits for no pull requests; use when: {pull_request: …}, or leave preview out"
    if route.request.operation is not Operation.START_JOB:
        return ("preview",), f"{route.request.operation} builds no branch of a repository; use start_job"
    if conditions.forks:
        message = "would build the code of strangers unasked; leave it out, and use approval of preview"
        return ("when", "pull_request", "forks"), message
    branch = route.request.parameters.get("branchName")
    if route.mirror is None and branch != SOURCE_BRANCH:
        message = (
            f'without a mirror, Amplify builds the branch of the pull request: use "{SOURCE_BRANCH}", or add mirror'
        )
        return _BRANCH_NAME, message
    if route.mirror is not None and (not isinstance(branch, str) or NUMBER not in branch):
        return _BRANCH_NAME, f'each pull request needs a branch of its own in the mirror: use "pr-{NUMBER}"'
    if route.mirror is not None and route.mirror.branch is not None:
        return ("mirror", "branch"), "would get the code of every pull request; leave it out"
    return _approval_problem(preview.approval, route, sources) if preview.approval is not None else None


def _approval_problem(
    approval: Approval, route: Route, sources: Mapping[str, Source]
) -> tuple[tuple[str, ...], str] | None:
    source = sources.get(route.source or "")
    if route.mirror is None:
        return _APPROVAL, "needs a mirror: Amplify can't reach the code of a fork"
    # Other checks tell what is wrong with the source.
    if source is None:
        return None
    form_of_host = git_host(source.provider).APPROVAL if source.provider in TITLES else None
    form, title = "comment" if approval.label is None else "label", PROVIDERS[source.provider].title
    if form_of_host is None:
        message = f"events of {title} name no approval, or not the commit that it is for; leave it out"
        return _APPROVAL, message
    if form_of_host != form:
        other = "comment, with by" if form_of_host == "comment" else "label, without by"
        return (*_APPROVAL, form), f"approves nothing on {title}; use {other}"
    return None


def preview_order(source: str, event: Event, action: PreviewAction) -> PreviewOrder | None:
    """What a request asks for the preview of its event's pull request."""
    pull = event.pull_request
    if pull is None or event.repository is None:
        return None
    return PreviewOrder(
        action=action,
        source=source,
        repository=event.repository,
        pull_request=pull.number,
        # What lies in no branch, as a tag or the branch of a fork, is not missed where the repository lacks it.
        source_branch=pull.source if pull.source_ref == f"{BRANCHES}{pull.source}" else None,
        is_fork=pull.from_fork is not False,
    )
