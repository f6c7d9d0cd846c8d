"""The latest request of each kind of event on a branch, among those that supersede older ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from amplify_jobs.aws.jobs_table.items import RECORDS_LAST, Items, expiry, iso, read_time
from amplify_jobs.aws.jobs_table.keys import latest_key
from amplify_jobs.model.job import BranchRef
from amplify_jobs.starting.superseding import Latest, StartedJob, SupersedingRequest


class LatestRequests(Items):
    """The latest requests of branches and kinds of event."""

    def latest_of_kind(self, branch: BranchRef, kind: str) -> Latest | None:
        """Read which request has the newest event of its kind."""
        item = self._table.get(latest_key(branch, kind))
        return _latest_from(item) if item else None

    def write_latest(self, branch: BranchRef, kind: str, latest: Latest, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if that version was written meanwhile."""
        item: dict[str, Any] = {
            **latest_key(branch, kind),
            "requestId": latest.request.request_id,
            "eventTime": iso(latest.request.event_time),
            "receivedAt": iso(latest.request.received_at),
            "toStop": [{"requestId": older.request_id, "jobId": older.job_id} for older in latest.to_stop],
            "version": latest.version,
            "expiresAt": expiry(now, RECORDS_LAST),
        }
        if latest.job_id is not None:
            item["jobId"] = latest.job_id
        return self._table.put_version(item)


def _latest_from(item: dict[str, Any]) -> Latest:
    return Latest(
        request=SupersedingRequest(item["requestId"], read_time(item["eventTime"]), read_time(item["receivedAt"])),
        job_id=item.get("jobId"),
        to_stop=tuple(StartedJob(older["requestId"], older["jobId"]) for older in item["toStop"]),
        version=int(item["version"]),
    )
