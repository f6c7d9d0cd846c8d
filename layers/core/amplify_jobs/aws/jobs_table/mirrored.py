"""The records of mirrored branches: which requests set them, in the order of their events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from amplify_jobs.aws.jobs_table.items import RECORDS_LAST, expiry, iso, read_time
from amplify_jobs.aws.jobs_table.keys import mirrored_key
from amplify_jobs.aws.jobs_table.requests import Requests
from amplify_jobs.mirroring.queue import BranchRecord, Entry


class MirroredBranches(Requests):
    """The records of mirrored branches, and what is known of requests."""

    def branch_record(self, repository: str, branch: str) -> BranchRecord:
        """Read what is known of a branch of a mirror."""
        item = self._table.get(mirrored_key(repository, branch))
        return _record_from(item) if item else BranchRecord()

    def write_branch_record(self, repository: str, branch: str, record: BranchRecord, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if that version was written meanwhile."""
        item: dict[str, Any] = {
            **mirrored_key(repository, branch),
            "entries": [_written(entry) for entry in record.entries],
            "newest": record.newest and _written(record.newest),
            "commits": list(record.commits),
            "ref": record.ref,
            "version": record.version,
            "expiresAt": expiry(now, RECORDS_LAST),
        }
        return self._table.put_version(item)


def _written(entry: Entry) -> dict[str, Any]:
    return {
        "requestId": entry.request_id,
        "execution": entry.execution,
        "eventTime": iso(entry.event_time),
        "receivedAt": iso(entry.received_at),
        "commit": entry.commit,
        "supersedes": entry.supersedes,
        "before": entry.before,
        "pullRequest": entry.pull_request,
    }


def _entry_from(item: dict[str, Any]) -> Entry:
    number = item.get("pullRequest")
    return Entry(
        request_id=item["requestId"],
        execution=item["execution"],
        event_time=read_time(item["eventTime"]),
        received_at=read_time(item["receivedAt"]),
        commit=item["commit"],
        supersedes=item["supersedes"],
        # Versions without them wrote neither.
        before=item.get("before"),
        pull_request=None if number is None else int(number),
    )


def _record_from(item: dict[str, Any]) -> BranchRecord:
    return BranchRecord(
        entries=tuple(map(_entry_from, item["entries"])),
        newest=_entry_from(item["newest"]) if item["newest"] else None,
        commits=tuple(item["commits"]),
        ref=item["ref"],
        version=int(item["version"]),
    )
