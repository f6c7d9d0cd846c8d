"""Mirrors: where the code of a source is, and to which repository that Amplify can reach it is brought."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field, StringConstraints

from amplify_jobs.events.event import Event, EventKind, PullRequest
from amplify_jobs.events.refs import BRANCHES
from amplify_jobs.model.base import Model
from amplify_jobs.model.mirror_order import MirrorOrder
from amplify_jobs.model.operations import Operation
from amplify_jobs.routing.fields import SecretName

if TYPE_CHECKING:
    from amplify_jobs.routing.routes import Route, Routes, Source

# A pattern that is a name.
_PLAIN = re.compile(r"[^*?+\[\]\\!]+")
CODECOMMIT_PREFIX = "codecommit::"
# An address of this machine is for the local cloud.
_HOST = r"(https://[A-Za-z0-9.-]+(:\d{1,5})?|http://(127\.0\.0\.1|localhost)(:\d{1,5})?)"
_PATH = r"(/[A-Za-z0-9._~%@+{}-]+)+"
_CODECOMMIT = rf"{CODECOMMIT_PREFIX}[A-Za-z0-9._-]{{1,100}}"
# What an address of a source may have in braces: the full name, and its parts before and after the last slash.
ADDRESS_VALUES = ("repository", "owner", "name")
Username = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-9;-~]+$")]


def _validate_address(address: str) -> str:
    rest = address
    for value in ADDRESS_VALUES:
        rest = rest.replace(f"{{{value}}}", "")
    if "{" in rest or "}" in rest:
        values = ", ".join(f"{{{value}}}" for value in ADDRESS_VALUES)
        raise ValueError(f"has an unknown value in braces; use {values}")
    return address


class _Login(Model):
    token: SecretName | None = Field(
        default=None,
        description="The name of the SSM parameter that holds the token or password. Default: none.",
        examples=["/amplify-jobs/secrets/git-token"],
    )
    username: Username | None = Field(
        default=None,
        description="The user whose token or password it is, where the host asks for one. Default: x-token-auth.",
        examples=["ci"],
    )


class Git(_Login):
    """Where the repositories of a source can be fetched over https."""

    url: Annotated[
        str, StringConstraints(max_length=500, pattern=rf"^{_HOST}{_PATH}$"), AfterValidator(_validate_address)
    ] = Field(
        description="The address for git clone. {repository} is the full name, {owner} and {name} are its parts.",
        examples=["https://git.example.com/{repository}.git"],
    )

    def address(self, repository: str) -> str:
        """The address of a repository by its full name."""
        owner, _, name = repository.rpartition("/")
        values = {"repository": repository, "owner": owner, "name": name}
        address = self.url
        for key, value in values.items():
            address = address.replace(f"{{{key}}}", quote(value, safe="/"))
        return address


class Mirror(_Login):
    """The repository that Amplify builds from, in place of the source's own."""

    to: Annotated[str, StringConstraints(max_length=500, pattern=rf"^({_CODECOMMIT}|{_HOST}{_PATH})$")] = Field(
        description="The repository to keep in step: codecommit:: and a name, or an https address.",
        examples=["codecommit::web", "https://github.com/acme/web-mirror.git"],
    )
    branch: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = Field(
        default=None,
        description="The branch of the mirror to set. Default: the request's branchName.",
        examples=["production"],
    )
    commit: Literal["exact", "newest"] = Field(
        default="exact",
        description="Whether the branch is set to the event's commit, or to the source's newest one. Default: exact.",
    )

    @property
    def codecommit_name(self) -> str | None:
        """The name of the repository of CodeCommit; None for any other host."""
        return self.to.removeprefix(CODECOMMIT_PREFIX) if self.to.startswith(CODECOMMIT_PREFIX) else None


def git_tokens(routes: Routes) -> Iterator[tuple[str, str]]:
    """The places of routes that log in to a git host, each with the name of the SSM parameter of its token."""
    for name, source in routes.sources.items():
        if source.git is not None and source.git.token is not None:
            yield f"git of source {name}", source.git.token
    for name, route in routes.routes.items():
        if route.mirror is not None and route.mirror.token is not None:
            yield f"mirror of route {name}", route.mirror.token


def mirror_problem(route: Route, sources: Mapping[str, Source]) -> str | None:
    """Say why the mirror of a route can't be; None if it can."""
    source = sources.get(route.source or "")
    if route.request.operation is not Operation.START_JOB:
        return f"{route.request.operation} builds nothing from a repository; leave mirror out"
    if route.when.repository is None:
        return "the route's event has no commit; use a route that waits for push, pull_request or release"
    if source is None:
        return "the route needs a source with git, from which the code is fetched"
    if source.git is None:
        return f"the source {route.source} has no git; add git with the url of its repositories"
    return None


def mirror_order(
    name: str, route: Route, source: str, event: Event, branch: str
) -> tuple[MirrorOrder | None, str | None]:
    """What to mirror for an event, or why that is not known; `branch` is the request's branchName."""
    if (mirror := route.mirror) is None:
        return None, None
    repository, ref = event.repository, event.ref
    # A preview shows what the event tells of: of a fork, that alone was approved.
    is_exact = mirror.commit == "exact" or event.kind is EventKind.REQUEST or route.preview is not None
    if (pull := event.pull_request) is not None:
        # Hosts keep the head in a ref of the pull request too, but some bring that up to date later, or only at times.
        ref = pull.source_ref or ref
        if pull.source_ref is None:
            if (fault := _fault_of_fork(pull, ref)) is not None:
                return None, fault
            is_exact = True
    commit = event.commit if is_exact else None
    if event.kind is EventKind.REQUEST:
        # It names the route. Without a branch, what the route's own event would bring is built as it is now.
        ref = BRANCHES + event.branch if event.branch else _ref(route)
        source, repository = route.source or source, plain_name(route.when.repository)
    if repository is None or ref is None:
        return None, f"the event does not say which repository and ref the route {name} is to mirror"
    return (
        MirrorOrder(
            source=source,
            repository=repository,
            ref=ref,
            commit=commit,
            before=event.before if commit is not None and event.kind is EventKind.PUSH else None,
            branch=mirror.branch or branch,
            may_go_back=commit is not None and event.kind is EventKind.REQUEST,
        ),
        None,
    )


def mirror_removal(route: Route, source: str, event: Event, branch: str) -> MirrorOrder | None:
    """The branch of a mirror that an event takes away."""
    if route.mirror is None or event.repository is None:
        return None
    source_ref = event.pull_request.source_ref if event.pull_request is not None else None
    return MirrorOrder(
        source=source,
        repository=event.repository,
        ref=source_ref or event.ref or "",
        branch=route.mirror.branch or branch,
        remove=True,
    )


def _fault_of_fork(pull: PullRequest, ref: str | None) -> str | None:
    """Why the head of a pull request that is of no branch of the repository can't be mirrored; None if it can."""
    if ref is None:
        return (
            f"pull request {pull.number} comes from a fork, or may do so, and the host keeps its commits "
            "in no ref of the repository; open it from a branch of the repository"
        )
    if pull.head is None:
        return f"the event does not say at which commit pull request {pull.number} stands"
    return None


def _ref(route: Route) -> str | None:
    patterns = route.when.push.branch_patterns if route.when.push else ()
    branch = plain_name(patterns[0]) if len(patterns) == 1 else None
    return None if branch is None else BRANCHES + branch


def plain_name(pattern: str | None) -> str | None:
    """The name that a pattern is; None where it may be several."""
    return pattern if pattern is not None and _PLAIN.fullmatch(pattern) else None
