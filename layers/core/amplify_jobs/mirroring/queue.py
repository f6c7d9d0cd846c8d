"""The order of requests that set one branch of a mirror: the older event first, and never back to it.

Amplify builds a branch of an app one job at a time, and clones it when the job starts. So a request waits until the
executions of all older ones have ended: until then the branch stands at their commit.

Hosts give whole seconds or no time at all, and networks let deliveries overtake each other. So of one moment the order
is that of the commits: a push comes after the one that led to the commit that it replaced (`before`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amplify_jobs.mirroring.advertisement import NO_OBJECT
from amplify_jobs.mirroring.relay import Trace

# So many commits are remembered as our own, of which the branch stands at one.
MOST_COMMITS = 20
# A record has room for some thousand; those that go first ended long ago.
MOST_ENTRIES = 500
# So much later than a push may the one before it arrive: it is a cold start of every function on the way, and more.
PREDECESSOR_WAIT = timedelta(seconds=10)


@dataclass(frozen=True)
class Entry:
    """A request that wants a branch to be set, and the execution that lasts until its job has ended.

    `commit` is None for the source's newest one, and NO_OBJECT where the branch is to be deleted; `before` is the
    commit that a push replaced, None if it is not known. `pull_request` is the number of the one that is previewed.
    """

    request_id: str
    execution: str
    event_time: datetime
    received_at: datetime
    commit: str | None
    supersedes: bool = False
    before: str | None = None
    pull_request: int | None = None

    @property
    def removes(self) -> bool:
        return self.commit == NO_OBJECT

    @property
    def age(self) -> tuple[datetime, datetime, bool, str]:
        """Of events at the same time, the one received later is the newer.

        One event may take a branch from a route and give it to another: of its requests, the deletion goes first.
        """
        return self.event_time, self.received_at, not self.removes, self.request_id

    def is_of_moment(self, other: Entry) -> bool:
        """Whether times do not tell which of the two is older."""
        if self.event_time == other.event_time:
            return True
        have_no_time = self.event_time == self.received_at and other.event_time == other.received_at
        return have_no_time and abs(self.event_time - other.event_time) <= PREDECESSOR_WAIT


@dataclass(frozen=True)
class BranchRecord:
    """What is known of a branch. `newest` is the request that set it last; `version` counts the writes."""

    entries: tuple[Entry, ...] = ()
    newest: Entry | None = None
    commits: tuple[str, ...] = ()
    ref: str | None = None
    version: int = 0

    @property
    def trace(self) -> Trace:
        return Trace(frozenset(self.commits), self.ref)

    def newer_than(self, entry: Entry) -> Entry | None:
        """The request with a newer event and another commit, if one has set the branch or is about to delete it.

        Of two pushes of one moment that do not follow each other, the source's history knows which is newer.
        """
        removal = next((other for other in self.entries if other.removes and _is_moot(entry, other)), None)
        if removal is not None:
            return removal
        newest = self.newest
        if newest is None or newest.commit == entry.commit:
            return None
        is_newer = newest.age > entry.age
        if newest.is_of_moment(entry) and entry.before is not None:
            follows = newest.before == entry.commit
            is_newer = follows or (newest.before is None and newest.commit != entry.before and is_newer)
        return newest if is_newer else None

    def with_entry(self, entry: Entry) -> BranchRecord:
        """The next version, in which a request waits or goes."""
        if entry in self.entries:
            return self
        others = [other for other in self.entries if other.request_id != entry.request_id]
        entries = sorted([*others, entry], key=lambda each: each.age)[-MOST_ENTRIES:]
        return replace(self, entries=tuple(entries), version=self.version + 1)

    def without(self, ended: list[Entry]) -> BranchRecord:
        """The next version, without requests whose executions have ended."""
        entries = tuple(entry for entry in self.entries if entry not in ended)
        return replace(self, entries=entries, version=self.version + 1)

    def blockers(self, entry: Entry) -> list[Entry]:
        """The older requests whose jobs must end first: those of another commit that are not superseded."""
        in_order = list(_in_order(self.entries))
        older = in_order[: in_order.index(entry)] if entry in in_order else []
        return [
            other
            for other in older
            if (other.commit != entry.commit or entry.commit is None) and not (other.supersedes and entry.supersedes)
        ]

    def is_preview_of(self, entry: Entry) -> bool:
        """Whether the branch was last set or deleted for the pull request of a request."""
        return self.newest is not None and self.newest.pull_request == entry.pull_request is not None

    def lacks_predecessor(self, entry: Entry, branch: str | None) -> bool:
        """Whether nothing is known of the push before this one; `branch` is the commit that the branch stands at."""
        if entry.before is None or entry.supersedes:
            return False
        commits = {branch, *self.commits, *(other.commit for other in self.entries)}
        return entry.before not in commits

    def claimed(self, entry: Entry, commit: str, ref: str) -> BranchRecord:
        """The next version: the request is about to set the branch, or to delete it."""
        newest = self.newest
        if newest is None or entry.age >= newest.age or entry.is_of_moment(newest):
            newest = entry
        # What it supersedes finds so by itself.
        entries = tuple(
            each for each in self.entries if each.age >= entry.age or not (each.supersedes and entry.supersedes)
        )
        commits = self.commits
        if not entry.removes:
            commits = (*(each for each in self.commits if each != commit), commit)[-MOST_COMMITS:]
        return BranchRecord(entries, newest, commits, ref, self.version + 1)


def _is_moot(entry: Entry, removal: Entry) -> bool:
    """Whether a request would set the branch of a preview that a newer one is about to delete."""
    return entry.pull_request == removal.pull_request and not entry.removes and entry.age < removal.age


def _in_order(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries from the oldest to the newest."""
    moment: list[Entry] = []
    for entry in sorted(entries, key=lambda one: one.age):
        if moment and not entry.is_of_moment(moment[-1]):
            yield from _in_order_of_commits(moment)
            moment = []
        moment.append(entry)
    yield from _in_order_of_commits(moment)


def _in_order_of_commits(moment: Sequence[Entry]) -> Sequence[Entry]:
    """Each push after those of the commit that it replaced; by age where commits go round in a circle."""
    ordered: list[Entry] = []
    rest = list(moment)
    while rest:
        commits = {one.commit for one in rest}
        oldest = next((one for one in rest if one.before not in commits or one.before == one.commit), None)
        if oldest is None:
            return moment
        ordered.append(oldest)
        rest.remove(oldest)
    return ordered
