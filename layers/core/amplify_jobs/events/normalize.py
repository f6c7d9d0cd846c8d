"""Normalises deliveries: a host's module reads the facts of each event, and the facts make the event.

The facts are in the same terms for all hosts. The functions are what the hosts' modules have in common on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amplify_jobs.errors import UnreadableDeliveryError, UnusableRefError
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Approval, Event, EventKind, PullRequest, PullRequestAction, Release
from amplify_jobs.events.evidence import Origin
from amplify_jobs.events.payload import Payload, text_of
from amplify_jobs.events.refs import BRANCHES, TAGS, branch_and_tag, ref_name, short_name

# What only ReleaseFacts tell of a release: nothing of it reaches a route where the host sends no releases.
RELEASE_MEMBERS = frozenset({"release", "branch", "commit", "message", "ref", "tag", "repository"})
_FILE_LISTS = ("added", "removed", "modified")
# What a comment says by its first line is a command, and no command is longer.
LONGEST_COMMAND = 100


@dataclass(frozen=True)
class Ignored:
    """Why a part of a delivery is no event that a job could be asked for."""

    reason: str


class Facts(Protocol):
    """What a delivery says of one event."""

    def event(self) -> Event | Ignored:
        """Make the event. Raises UnusableRefError, and UnreadableDeliveryError where something needed is missing."""


@dataclass(frozen=True)
class Repository:
    """The repository of an event by its full name, and what tells it from one of that name elsewhere."""

    name: str | None
    host: str | None = None


@dataclass(frozen=True)
class Commit:
    """The commit to build, as far as the host describes it."""

    sha: str | None = None
    time: datetime | None = None
    message: str | None = None
    author: str | None = None


@dataclass(frozen=True)
class Ping:
    """The host only tries the webhook."""

    repository: Repository = Repository(None)

    def event(self) -> Event | Ignored:
        return Event(kind=EventKind.PING, host=self.repository.host, repository=self.repository.name)


@dataclass(frozen=True, kw_only=True)
class RefChange:
    """A branch or tag that was pushed, created or deleted; a ref that is neither is ignored.

    `before` and `after` are the objects that the ref points to. `changed_files` is None where they are not all known,
    `without_commits` says that the push lists no commit. `skip_option` is the push option that asks for no job.
    """

    repository: Repository
    ref: str
    before: str | None
    after: str | None
    created: bool
    deleted: bool
    head: Commit = Commit()
    forced: bool | None = None
    changed_files: tuple[str, ...] | None = None
    without_commits: bool = False
    skip_option: str | None = None

    def event(self) -> Event | Ignored:
        if self.repository.name is None:
            raise UnreadableDeliveryError("a push needs the name of its repository")
        branch, tag = branch_and_tag(self.ref)
        if branch is None and tag is None:
            return Ignored(f"ref {ref_name(self.ref, '')[:100]!r} is neither a branch nor a tag")
        head = Commit() if self.deleted else self.head
        return Event(
            kind=EventKind.TAG if branch is None else EventKind.PUSH,
            host=self.repository.host,
            repository=self.repository.name,
            ref=self.ref,
            branch=branch,
            tag=tag,
            before=self.before,
            after=self.after,
            commit=None if self.deleted else head.sha or self.after,
            commit_time=head.time,
            message=head.message,
            author=head.author,
            created=self.created,
            deleted=self.deleted,
            forced=self.forced,
            changed_files=None if self.deleted else self.changed_files,
            without_commits=self.without_commits and not self.deleted,
            skip_option=self.skip_option,
        )


@dataclass(frozen=True, kw_only=True)
class RefNotice:
    """The host's separate notice that a branch or tag was created or deleted; most hosts send the push beside it."""

    repository: Repository
    kind: EventKind
    name: str | None
    ref_type: str | None
    commit: str | None = None

    def event(self) -> Event | Ignored:
        if self.name is None or self.repository.name is None:
            raise UnreadableDeliveryError(f"{self.kind} needs the names of ref and repository")
        if self.ref_type not in {"branch", "tag"}:
            return Ignored(f"the created or deleted ref is a {str(self.ref_type)[:100]!r}, neither a branch nor a tag")
        prefix = BRANCHES if self.ref_type == "branch" else TAGS
        name = ref_name(self.name, prefix)
        return Event(
            kind=self.kind,
            host=self.repository.host,
            repository=self.repository.name,
            ref=prefix + name,
            branch=name if self.ref_type == "branch" else None,
            tag=name if self.ref_type == "tag" else None,
            after=self.commit,
            commit=self.commit,
            created=self.kind is EventKind.REF_CREATE,
            deleted=self.kind is EventKind.REF_DELETE,
        )


@dataclass(frozen=True, kw_only=True)
class PullRequestFacts:
    """What happened to a pull request; in the event `branch` is its target, and the commit to build its head.

    `ref` is where git has the head, `before` the head before. `was_draft` and `previous_target` are what the pull
    request was before this event, where the host says so. `unclear` is an update of which the host does not say what
    changed, `target_unclear` one that may have changed the target. `approval` counts only while the pull request is
    open, as far as the host tells.
    """

    repository: Repository
    number: int | None
    action: PullRequestAction
    # The host's own word for the action.
    host_action: str | None
    source: str | None
    target: str | None
    head: str | None
    from_fork: bool | None
    title: str | None
    author: str | None
    draft: bool | None
    ref: str | None = None
    before: str | None = None
    was_draft: bool | None = None
    previous_target: str | None = None
    unclear: bool = False
    target_unclear: bool = False
    approval: Approval | None = None

    def event(self) -> Event | Ignored:
        if self.repository.name is None or self.number is None or self.host_action is None:
            raise UnreadableDeliveryError("a pull request needs the name of its repository, its number and its action")
        target, previous_target = short_name(self.target), short_name(self.previous_target)
        return Event(
            kind=EventKind.PULL_REQUEST,
            host=self.repository.host,
            repository=self.repository.name,
            ref=self.ref,
            branch=target,
            before=self.before,
            after=self.head,
            commit=self.head,
            message=self.title,
            author=self.author,
            pull_request=PullRequest(
                number=self.number,
                action=self.action,
                host_action=self.host_action[:100],
                source=short_name(self.source),
                target=target,
                head=self.head,
                from_fork=self.from_fork,
                draft=self.draft,
                became_ready=self.was_draft is True and self.draft is False,
                previous_target=previous_target if previous_target != target else None,
                unclear=self.unclear,
                target_unclear=self.target_unclear,
                approval=self.approval,
                source_ref=self._source_ref(),
            ),
        )

    def _source_ref(self) -> str | None:
        """The full ref of the source in the target's repository; hosts write it in full or short."""
        if self.from_fork is not False or self.source is None:
            return None
        if self.source.startswith((BRANCHES, TAGS)):
            return self.source
        # Gitea says where the head lies for one that is of no branch.
        return None if self.source.startswith("refs/") else BRANCHES + self.source


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """A release that was made, changed or taken back; `branch` or `commit` is what its tag was made from."""

    repository: Repository
    action: str | None
    tag: str | None
    title: str | None
    branch: str | None = None
    commit: str | None = None

    def event(self) -> Event | Ignored:
        if self.repository.name is None or self.action is None or self.tag is None:
            raise UnreadableDeliveryError("a release needs the name of its repository, its tag and its action")
        tag = ref_name(self.tag, TAGS)
        return Event(
            kind=EventKind.RELEASE,
            host=self.repository.host,
            repository=self.repository.name,
            ref=TAGS + tag,
            branch=None if self.branch is None else ref_name(self.branch, BRANCHES),
            tag=tag,
            after=self.commit,
            commit=self.commit,
            message=self.title,
            release=Release(action=self.action[:100], tag=tag),
        )


def delivery(
    facts: Iterable[Facts | Ignored], origin: Origin, *, pusher: str | None, delivery_id: str | None = None
) -> Delivery:
    """A delivery of events, each with its evidence and the person behind it, and of reasons why others are ignored.

    Raises UnreadableDeliveryError.
    """
    results = [_event(fact) for fact in facts]
    reasons = dict.fromkeys(result.reason for result in results if isinstance(result, Ignored))
    person = {"pusher": _without_address(pusher)}
    return Delivery(
        events=tuple(
            origin.add_evidence(result.model_copy(update=person)) for result in results if isinstance(result, Event)
        ),
        ignored="; ".join(reasons)[:1000] or None,
        delivery_id=delivery_id,
    )


def _without_address(name: str | None) -> str | None:
    """A person's name; of an e-mail address, which some hosts give in its place, the part before the @."""
    return (name or "").partition("<")[0].partition("@")[0].strip() or None


def _event(fact: Facts | Ignored) -> Event | Ignored:
    try:
        return fact if isinstance(fact, Ignored) else fact.event()
    except UnusableRefError as unusable:
        return Ignored(str(unusable))


def comment_approval(text: str | None, person: str | None, *, is_open: bool) -> Approval | Ignored:
    """What a comment on a pull request may approve by its first line, if that can be a command."""
    if not is_open:
        return Ignored("the comment is on a pull request that is not open")
    line = (text or "").strip().partition("\n")[0].strip()
    if not line or len(line) > LONGEST_COMMAND:
        return Ignored(f"a comment whose first line is empty or longer than {LONGEST_COMMAND} characters is no command")
    return Approval(comment=line, person=person)


def not_handled(kind: str | None, place: str, handled: Mapping[str, object] | Iterable[str]) -> Delivery:
    """A delivery of a kind that asks for nothing. Raises UnreadableDeliveryError if it does not name its kind."""
    if kind is None:
        raise UnreadableDeliveryError(f"there is no {place}")
    return Delivery(ignored=f"event {kind[:100]!r} is not handled; {', '.join(handled)} are")


def ref_changes(
    changes: Sequence[Payload], repository: Repository, read: Callable[[Payload], RefChange | Ignored]
) -> Iterator[RefChange | Ignored]:
    """The changes of a push of several refs; one that can't be read does not keep the others from being used.

    Raises UnreadableDeliveryError without a repository.
    """
    if not changes:
        yield Ignored("the push lists no branch or tag that it changed")
    elif repository.name is None:
        raise UnreadableDeliveryError("a push needs the name of its repository")
    for change in changes:
        try:
            yield read(change)
        except UnreadableDeliveryError as fault:
            yield Ignored(str(fault))


def commit_of(commit: Payload) -> Commit:
    """Read a commit as GitHub, GitLab and Gitea write it."""
    author = commit.author("author", "name")
    return Commit(commit.sha("id"), commit.time("timestamp"), commit.text("message"), author)


def differ(first: str | int | None, second: str | int | None) -> bool | None:
    """Whether two names are of different things; None if one of them is not known."""
    return None if first is None or second is None else first != second


def changed_files(commits: Sequence[Payload], *, most_files_of_a_commit: int | None = None) -> tuple[str, ...] | None:
    """The files that commits added, removed or modified; None unless each commit lists all of its files."""
    files: set[str] = set()
    for commit in commits:
        if not all(commit.has_list(key) for key in _FILE_LISTS):
            return None
        listed = [file for key in _FILE_LISTS for file in commit.member(key)]
        if most_files_of_a_commit is not None and len(listed) >= most_files_of_a_commit:
            return None
        files.update(text_of(file) or "" for file in listed)
    return tuple(sorted(files - {""})) if commits else None
