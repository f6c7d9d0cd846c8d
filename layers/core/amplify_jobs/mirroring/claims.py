"""What one request may do to its branch of a mirror, given what others have done and want to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amplify_jobs.errors import BranchBusy, Superseded
from amplify_jobs.mirroring.advertisement import NO_OBJECT
from amplify_jobs.mirroring.queue import PREDECESSOR_WAIT, BranchRecord, Entry
from amplify_jobs.mirroring.relay import Trace

# A write fails only if another one succeeded meanwhile.
_TURNS = 10


class BranchRecords(Protocol):
    """The records of mirrored branches; aws.jobs_table.mirrored.MirroredBranches. Raises ServiceTrouble."""

    def branch_record(self, repository: str, branch: str) -> BranchRecord: ...

    def write_branch_record(self, repository: str, branch: str, record: BranchRecord, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if that version was written meanwhile."""

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None: ...

    def stop_of_request(self, request_id: str) -> str | None: ...


class Executions(Protocol):
    """The executions of requests; aws.running_executions.RunningExecutions. Raises ServiceTrouble."""

    def is_running(self, execution: str) -> bool: ...


@dataclass(frozen=True)
class BranchPlace:
    """A branch of a mirror, and the ref of the source that it is set from."""

    repository: str
    branch: str
    ref: str


class BranchClaims:
    """The record of a branch, as one request changes it."""

    def __init__(
        self,
        records: BranchRecords,
        executions: Executions,
        place: BranchPlace,
        entry: Entry,
        now: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._executions = executions
        self._place = place
        self._entry = entry
        self._now = now

    def wait_for_turn(self) -> None:
        """Enter the queue. Raises BranchBusy while older requests go first, and Superseded if a newer one has gone."""
        record = self._change(lambda record: record.with_entry(self._entry))
        blockers = record.blockers(self._entry)
        ended = [other for other in blockers if not self._executions.is_running(other.execution)]
        if ended:
            self._change(lambda record: record.without(ended))
        if len(ended) < len(blockers):
            raise self._busy(next(other for other in blockers if other not in ended))

    def wait_for_predecessor(self, branch: str | None) -> None:
        """Raises BranchBusy while the push before this one may still come; the branch stands at the commit `branch`."""
        is_late = self._now() - self._entry.received_at > PREDECESSOR_WAIT
        if not is_late and self._current().lacks_predecessor(self._entry, branch):
            raise BranchBusy(f"The push of {self._entry.before} goes first, if it comes soon.")

    def trace(self) -> Trace:
        """What is known of earlier relays. Raises Superseded if a newer request has set the branch."""
        return self._current().trace

    def is_preview(self) -> bool | None:
        """Whether the branch was last set for this request's pull request, or deleted; None if nobody is known to have.

        Raises Superseded if a newer request has set the branch.
        """
        record = self._current()
        return None if record.newest is None else record.is_preview_of(self._entry)

    def claim_removal(self) -> None:
        """Tell that the branch is deleted. Raises BranchBusy if an older request has come meanwhile."""
        self.claim(NO_OBJECT)

    def claim(self, commit: str) -> None:
        """Tell that the branch is set to a commit. Raises BranchBusy if an older request has come meanwhile."""
        self._change(lambda record: self._claimed(record, commit))

    def _claimed(self, record: BranchRecord, commit: str) -> BranchRecord:
        blockers = record.blockers(self._entry)
        if blockers:
            raise self._busy(blockers[0])
        return record.claimed(self._entry, commit, self._place.ref)

    def _busy(self, other: Entry) -> BranchBusy:
        branch = self._place.branch
        if other.removes:
            return BranchBusy(f"{branch} is deleted first, by {other.request_id}.")
        return BranchBusy(f"{branch} stands at {other.commit} until the job of {other.request_id} ends.")

    def _current(self) -> BranchRecord:
        record = self._records.branch_record(self._place.repository, self._place.branch)
        newer = record.newer_than(self._entry)
        if newer is not None:
            self._records.mark_superseded(self._entry.request_id, newer.request_id, self._now())
            act = "deletes" if newer.removes else "has set"
            raise Superseded(f"The newer request {newer.request_id} {act} {self._place.branch} of the mirror.")
        return record

    def _change(self, change: Callable[[BranchRecord], BranchRecord]) -> BranchRecord:
        for _ in range(_TURNS):
            record = self._current()
            changed = change(record)
            if changed == record:
                return record
            place = self._place
            if self._records.write_branch_record(place.repository, place.branch, changed, self._now()):
                return changed
        raise BranchBusy("Other requests keep setting this branch of the mirror.")
