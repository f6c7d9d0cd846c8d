"""From what a host said to events: one place for what all hosts have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import ParamSpec

from amplify_jobs.errors import UnreadableDeliveryError, UnusableRefError
from amplify_jobs.events import payload
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Event, EventKind, PullRequest, PullRequestAction, Release
from amplify_jobs.events.identity import Origin
from amplify_jobs.events.payload import items, member, ref_name, sha, text, time

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"

_P = ParamSpec("_P")


@dataclass(frozen=True)
class Commit:
    """The commit to build, as far as the host describes it."""

    sha: str | None = None
    time: datetime | None = None
    message: str | None = None
    author: str | None = None


def commit_of(value: object) -> Commit:
    """Read a commit as GitHub, GitLab and Gitea write it."""
    author = payload.author(value, "author", "name")
    return Commit(sha(value, "id"), time(value, "timestamp"), text(value, "message"), author)


def _ignored_with_its_ref(make: Callable[_P, Event | str]) -> Callable[_P, Event | str]:
    """Let a function that makes an event give the reason why it is ignored where a ref of it can't be used."""

    @wraps(make)
    def made(*args: _P.args, **kwargs: _P.kwargs) -> Event | str:
        try:
            return make(*args, **kwargs)
        except UnusableRefError as unusable:
            return str(unusable)

    return made


@_ignored_with_its_ref
def ref_change(
    *,
    ref: str,
    repository: str | None,
    before: str | None,
    after: str | None,
    created: bool,
    deleted: bool,
    host: str | None,
    head: Commit,
    forced: bool | None = None,
    changed_files: tuple[str, ...] | None = None,
    without_commits: bool = False,
    skip_option: str | None = None,
) -> Event | str:
    """A branch or tag that was pushed, created or deleted; for another ref, or one of no use, why it is ignored.

    Raises UnreadableDeliveryError without a repository.
    """
    if repository is None:
        raise UnreadableDeliveryError("a push needs the name of its repository")
    branch, tag = branch_and_tag(ref)
    if branch is None and tag is None:
        return f"ref {ref_name(ref, '')[:100]!r} is neither a branch nor a tag"
    built = Commit() if deleted else head
    return Event(
        kind=EventKind.TAG if branch is None else EventKind.PUSH,
        host=host,
        repository=repository,
        ref=ref,
        branch=branch,
        tag=tag,
        before=before,
        after=after,
        commit=None if deleted else built.sha or after,
        commit_time=built.time,
        message=built.message,
        author=built.author,
        created=created,
        deleted=deleted,
        forced=forced,
        changed_files=None if deleted else changed_files,
        without_commits=without_commits and not deleted,
        skip_option=skip_option,
    )


def ref_changes(
    changes: list[object], repository: str | None, read: Callable[[object], Event | str]
) -> Iterator[Event | str]:
    """The events of a push of several refs; a ref that can't be used does not keep the others from being used.

    Raises UnreadableDeliveryError without a repository.
    """
    if not changes:
        yield "the push lists no branch or tag that it changed"
    elif repository is None:
        raise UnreadableDeliveryError("a push needs the name of its repository")
    for change in changes:
        try:
            yield read(change)
        except UnreadableDeliveryError as fault:
            yield str(fault)


def branch_and_tag(ref: str) -> tuple[str | None, str | None]:
    """A full ref's branch or tag. Raises UnusableRefError."""
    return (
        ref_name(ref, BRANCHES) if ref.startswith(BRANCHES) else None,
        ref_name(ref, TAGS) if ref.startswith(TAGS) else None,
    )


def short_name(ref: str | None) -> str | None:
    """The name of a branch or tag given in full or short. Raises UnusableRefError."""
    if ref is None:
        return None
    return ref_name(ref, TAGS if ref.startswith(TAGS) else BRANCHES)


@_ignored_with_its_ref
def ref_event(
    *,
    kind: EventKind,
    name: str | None,
    ref_type: str | None,
    repository: str | None,
    host: str | None,
    commit: str | None = None,
) -> Event | str:
    """The host's separate word that a branch or tag was created or deleted; beside it, most hosts send the push.

    For a ref of no use, why it is ignored. Raises UnreadableDeliveryError without name or repository.
    """
    if name is None or repository is None:
        raise UnreadableDeliveryError(f"{kind} needs the names of ref and repository")
    if ref_type not in {"branch", "tag"}:
        return f"what was made or deleted is a {str(ref_type)[:100]!r}, neither a branch nor a tag"
    prefix = BRANCHES if ref_type == "branch" else TAGS
    found = ref_name(name, prefix)
    return Event(
        kind=kind,
        host=host,
        repository=repository,
        ref=prefix + found,
        branch=found if ref_type == "branch" else None,
        tag=found if ref_type == "tag" else None,
        after=commit,
        commit=commit,
        created=kind is EventKind.REF_CREATE,
        deleted=kind is EventKind.REF_DELETE,
    )


@_ignored_with_its_ref
def pull_request(
    *,
    repository: str | None,
    number: int | None,
    host_action: str | None,
    action: PullRequestAction,
    ref: str | None,
    source: str | None,
    target: str | None,
    head: str | None,
    from_fork: bool | None,
    title: str | None,
    host: str | None,
    author: str | None,
    draft: bool | None,
    was_draft: bool | None = None,
    previous_target: str | None = None,
    unclear: bool = False,
    before: str | None = None,
) -> Event | str:
    """A pull request's event: `branch` is its target, `message` its title, and the commit to build its head.

    `was_draft` and `previous_target` are what it was before this event, where the host says so. For one of branches
    that can't be used, why it is ignored.
    Raises UnreadableDeliveryError without repository, number or action.
    """
    if repository is None or number is None or host_action is None:
        raise UnreadableDeliveryError(
            "a pull request needs the name of its repository, its number and what happened to it"
        )
    target, previous_target = short_name(target), short_name(previous_target)
    return Event(
        kind=EventKind.PULL_REQUEST,
        host=host,
        repository=repository,
        ref=ref,
        branch=target,
        before=before,
        after=head,
        commit=head,
        message=title,
        author=author,
        pull_request=PullRequest(
            number=number,
            action=action,
            host_action=host_action[:100],
            source=short_name(source),
            target=target,
            head=head,
            from_fork=from_fork,
            draft=draft,
            became_ready=was_draft is True and draft is False,
            previous_target=previous_target if previous_target != target else None,
            unclear=unclear,
        ),
    )


def different(one: str | int | None, other: str | int | None) -> bool | None:
    """Say whether two names are of different things; None if one of them is not known."""
    return None if one is None or other is None else one != other


@_ignored_with_its_ref
def release(
    *,
    repository: str | None,
    action: str | None,
    tag: str | None,
    title: str | None,
    host: str | None,
    branch: str | None = None,
    commit: str | None = None,
) -> Event | str:
    """A release's event; `message` is its title. For a tag or branch that can't be used, why it is ignored.

    Raises UnreadableDeliveryError without repository, action or tag.
    """
    if repository is None or action is None or tag is None:
        raise UnreadableDeliveryError("a release needs the name of its repository, its tag and what happened to it")
    tag = ref_name(tag, TAGS)
    return Event(
        kind=EventKind.RELEASE,
        host=host,
        repository=repository,
        ref=TAGS + tag,
        branch=None if branch is None else ref_name(branch, BRANCHES),
        tag=tag,
        after=commit,
        commit=commit,
        message=title,
        release=Release(action=action[:100], tag=tag),
    )


def delivery(found: Iterable[Event | str], origin: Origin, *, delivery_id: str | None = None) -> Delivery:
    """A delivery of events, each with what tells it from others, and of reasons why others are ignored."""
    results = list(found)
    reasons = list(dict.fromkeys(reason for reason in results if isinstance(reason, str)))
    return Delivery(
        events=tuple(origin.told_apart(event) for event in results if isinstance(event, Event)),
        ignored="; ".join(reasons)[:1000] or None,
        delivery_id=delivery_id,
    )


def not_handled(kind: str | None, where: str, handled: Mapping[str, object] | Iterable[str]) -> Delivery:
    """A delivery of a kind that asks for nothing. Raises UnreadableDeliveryError if it does not name its kind."""
    if kind is None:
        raise UnreadableDeliveryError(f"there is no {where}")
    return Delivery(ignored=f"event {kind[:100]!r} is not handled; {', '.join(handled)} are")


def changed_files(commits: list[object], *, most_files_of_a_commit: int | None = None) -> tuple[str, ...] | None:
    """The files that commits added, removed or modified; None unless each commit lists all of its files."""
    files: set[str] = set()
    for commit in commits:
        if not all(isinstance(member(commit, kind), list) for kind in ("added", "removed", "modified")):
            return None
        named = [file for kind in ("added", "removed", "modified") for file in items(commit, kind)]
        if most_files_of_a_commit is not None and len(named) >= most_files_of_a_commit:
            return None
        files.update(text({"file": file}, "file") or "" for file in named)
    return tuple(sorted(files - {""})) if commits else None
