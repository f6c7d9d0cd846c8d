"""What the commits of missed pushes say: skip markers and conditions of routes are to hold as for a delivery."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from amplify_jobs.errors import RequestRejected, ServiceTrouble
from amplify_jobs.events.normalize import Commit
from amplify_jobs.mirroring.commits import CommitsNotToldError
from amplify_jobs.mirroring.fetching import CommitNotGivenError
from amplify_jobs.mirroring.listing import Tip
from amplify_jobs.reconciling.decision import Missed

# A host that lists its refs all the time, and gives no commit, can't tell.
LONGEST_WAIT = timedelta(hours=1)
_NOT_THERE = "some of the refs have moved meanwhile, or lead to no commit"


class Remote(Protocol):
    """A repository at its host; aws.git_http.GitRemote."""

    def commits(self, tips: Collection[Tip]) -> Mapping[str, Commit]: ...


@dataclass(frozen=True)
class Reading:
    """The commits that could be read, by their ids, and why others could not; `is_final` if they never can."""

    commits: Mapping[str, Commit] = field(default_factory=dict)
    reason: str | None = None
    is_final: bool = False

    def is_ready(self, missed: Missed, now: datetime) -> bool:
        """Whether a push may be asked for now: its commit is known, or the host can't tell it."""
        if missed.sighting.commit in self.commits:
            return True
        has_waited = now - missed.sighting.first_seen >= LONGEST_WAIT
        return self.is_final or (self.reason is not None and has_waited)

    def commit_of(self, missed: Missed) -> Commit:
        """The commit of a push; without author and message where the host did not tell."""
        return self.commits.get(missed.sighting.commit) or Commit(missed.sighting.commit)


def read_commits(remote: Remote, missed: Sequence[Missed]) -> Reading:
    """Ask a host for the commits of missed pushes, if there are any."""
    if not missed:
        return Reading()
    tips = [Tip(each.sighting.object_id, each.sighting.commit) for each in missed]
    try:
        commits = remote.commits(tips)
        reason = None if all(tip.commit in commits for tip in tips) else _NOT_THERE
        return Reading(commits, reason)
    except CommitsNotToldError as error:
        return Reading(reason=str(error), is_final=True)
    except (CommitNotGivenError, ServiceTrouble, RequestRejected) as error:
        return Reading(reason=str(error))
