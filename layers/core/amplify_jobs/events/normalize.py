"""From facts of a host to a delivery of events, and what the hosts' modules have in common on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from amplify_jobs.errors import UnreadableDeliveryError, UnusableRefError
from amplify_jobs.events.deliveries import Delivery
from amplify_jobs.events.event import Event
from amplify_jobs.events.evidence import Origin
from amplify_jobs.events.facts import Commit, Facts, Ignored, RefChange, Repository
from amplify_jobs.events.payload import Payload, text_of

_FILE_LISTS = ("added", "removed", "modified")


def delivery(facts: Iterable[Facts | Ignored], origin: Origin, *, delivery_id: str | None = None) -> Delivery:
    """A delivery of events, each with its evidence, and of reasons why others are ignored.

    Raises UnreadableDeliveryError.
    """
    results = [_event(fact) for fact in facts]
    reasons = dict.fromkeys(result.reason for result in results if isinstance(result, Ignored))
    return Delivery(
        events=tuple(origin.add_evidence(result) for result in results if isinstance(result, Event)),
        ignored="; ".join(reasons)[:1000] or None,
        delivery_id=delivery_id,
    )


def _event(fact: Facts | Ignored) -> Event | Ignored:
    try:
        return fact if isinstance(fact, Ignored) else fact.event()
    except UnusableRefError as unusable:
        return Ignored(str(unusable))


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
