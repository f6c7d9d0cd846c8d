"""The order of requests that set one branch of a mirror: the older event first, and never back to it.

Amplify builds a branch of an app one job at a time, and clones it when the job starts. So a request waits until the
executions of all older ones have ended: until then the branch stands at their commit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from amplify_jobs.mirroring.relay import Trace

# So many commits are remembered as our own, of which the branch stands at one.
MOST_COMMITS = 20
# A record has room for some thousand; those that go first ended long ago.
MOST_ENTRIES = 500


@dataclass(frozen=True)
class Entry:
    """A request that wants a branch to be set, and the execution that lasts until its job has ended.

    `commit` is None for the source's newest one.
    """

    request_id: str
    execution: str
    event_time: datetime
    received_at: datetime
    commit: str | None
    supersedes: bool = False

    @property
    def age(self) -> tuple[datetime, datetime, str]:
        """Of events at the same time (hosts give whole seconds), the one received later is the newer."""
        return self.event_time, self.received_at, self.request_id


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
        """The request with a newer event and another commit, if one has set the branch."""
        newest = self.newest
        is_newer = newest is not None and newest.age > entry.age
        return newest if is_newer and newest is not None and newest.commit != entry.commit else None

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
        return [
            other
            for other in self.entries
            if other.age < entry.age
            and (other.commit != entry.commit or entry.commit is None)
            and not (other.supersedes and entry.supersedes)
        ]

    def claimed(self, entry: Entry, commit: str, ref: str) -> BranchRecord:
        """The next version: the request is about to set the branch."""
        newest = entry if self.newest is None or entry.age >= self.newest.age else self.newest
        # What it supersedes finds so by itself.
        entries = tuple(
            each for each in self.entries if each.age >= entry.age or not (each.supersedes and entry.supersedes)
        )
        commits = (*(each for each in self.commits if each != commit), commit)[-MOST_COMMITS:]
        return BranchRecord(entries, newest, commits, ref, self.version + 1)
