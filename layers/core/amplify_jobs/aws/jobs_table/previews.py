"""The records of previews: one for each branch of an app that shows a pull request, and for some time after."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from amplify_jobs.aws.dynamodb import PageQuery
from amplify_jobs.aws.jobs_table.items import RECORDS_LAST, expiry, iso, read_time
from amplify_jobs.aws.jobs_table.keys import PREVIEWS, preview_key
from amplify_jobs.aws.jobs_table.requests import Requests
from amplify_jobs.previewing.record import PreviewRecord, Removal

# A build that comes later than this after the closing of its pull request is taken for a new one.
CLOSED_RECORDS_LAST = timedelta(days=30)
_PAGE = 200


class PreviewRecords(Requests):
    """The records of previews, and what is known of requests."""

    def preview_record(self, app_id: str, branch_name: str) -> PreviewRecord | None:
        """Read what is known of a preview."""
        item = self._table.get(preview_key(app_id, branch_name))
        return _record_from(item) if item else None

    def write_preview_record(self, record: PreviewRecord, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if that version was written meanwhile."""
        item: dict[str, Any] = {
            **preview_key(record.app_id, record.branch_name),
            "appId": record.app_id,
            "branchName": record.branch_name,
            "route": record.route,
            "source": record.source,
            "repository": record.repository,
            "pullRequest": record.pull_request,
            "sourceBranch": record.source_branch,
            "isFork": record.is_fork,
            "hasMirror": record.has_mirror,
            "eventTime": iso(record.event_time),
            "closedAt": record.closed_at and iso(record.closed_at),
            "closedBy": record.closed_by,
            "removal": record.removal and _written_removal(record.removal),
            "version": record.version,
            "expiresAt": expiry(now, RECORDS_LAST if record.is_open else CLOSED_RECORDS_LAST),
        }
        return self._table.put_version(item)

    def preview_records(self) -> list[PreviewRecord]:
        """Read what is known of all previews, closed ones too (API: Query)."""
        records: list[PreviewRecord] = []
        start: dict[str, str] | None = None
        while True:
            items, has_more = self._table.query_page(PageQuery("pk", PREVIEWS, _PAGE, start=start))
            records += map(_record_from, items)
            if not items or not has_more:
                return records
            start = preview_key(records[-1].app_id, records[-1].branch_name)


def _written_removal(removal: Removal) -> dict[str, Any]:
    return {"requestId": removal.request_id, "activeAt": removal.active_at and iso(removal.active_at)}


def _record_from(item: dict[str, Any]) -> PreviewRecord:
    removal = item["removal"]
    return PreviewRecord(
        app_id=item["appId"],
        branch_name=item["branchName"],
        route=item["route"],
        source=item["source"],
        repository=item["repository"],
        pull_request=int(item["pullRequest"]),
        source_branch=item["sourceBranch"],
        is_fork=item["isFork"],
        has_mirror=item["hasMirror"],
        event_time=read_time(item["eventTime"]),
        closed_at=read_time(item["closedAt"]) if item["closedAt"] else None,
        closed_by=item["closedBy"],
        removal=Removal(removal["requestId"], removal["activeAt"] and read_time(removal["activeAt"]))
        if removal
        else None,
        version=int(item["version"]),
    )
