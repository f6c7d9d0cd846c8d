"""What is known of a request: its job, a start of unknown outcome, the newer request, a stop, the announcements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from amplify_jobs.announcing.published import PublishedAnnouncements
from amplify_jobs.aws.jobs_table.items import RECORDS_LAST, Items, expiry, iso, read_time
from amplify_jobs.aws.jobs_table.keys import request_key
from amplify_jobs.model.job import Job
from amplify_jobs.starting.lease import ModelsAttempt, Progress


class Requests(Items):
    """What is known of requests."""

    def progress(self, start_id: str) -> Progress:
        """Read how far a start has come."""
        item = self._table.get(request_key(start_id)) or {}
        job, stop = item.get("job"), item.get("stopOrder")
        return Progress(None if job is None else Job.model_validate(job), stop if isinstance(stop, str) else None)

    def job_of_request(self, request_id: str) -> Job | None:
        """Read which job a request became; None while that is not recorded."""
        job = self._attribute(request_id, "job")
        return None if job is None else Job.model_validate(job)

    def link_request_to_job(self, request_id: str, job: Job, now: datetime) -> None:
        """Record which job a request became."""
        self._table.update(
            request_key(request_id),
            "SET job = :job, expiresAt = :expires",
            {":job": job.model_dump(mode="json", by_alias=True), ":expires": expiry(now, RECORDS_LAST)},
        )

    def models_attempt(self, request_id: str) -> ModelsAttempt | None:
        """Read the start of a job that generates models whose outcome is unknown."""
        attempt = self._attribute(request_id, "attempt")
        return ModelsAttempt(read_time(attempt["sentAt"]), tuple(attempt["jobsBefore"])) if attempt else None

    def save_models_attempt(self, request_id: str, attempt: ModelsAttempt | None, now: datetime) -> None:
        """Write such a start before it is sent; None once it is known that it started nothing."""
        value = attempt and {"sentAt": iso(attempt.sent_at), "jobsBefore": list(attempt.jobs_before)}
        self._table.update(
            request_key(request_id),
            "SET attempt = :attempt, expiresAt = if_not_exists(expiresAt, :expires)",
            {":attempt": value, ":expires": expiry(now, RECORDS_LAST)},
        )

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None:
        """Record which newer request superseded a request."""
        self._table.update(
            request_key(request_id),
            "SET supersededBy = :newer, expiresAt = if_not_exists(expiresAt, :expires)",
            {":newer": newer, ":expires": expiry(now, RECORDS_LAST)},
        )

    def superseding_request(self, request_id: str) -> str | None:
        """Read which newer request superseded a request; None if none did."""
        newer = self._attribute(request_id, "supersededBy")
        return newer if isinstance(newer, str) else None

    def order_stop(self, request_id: str, reason: str, now: datetime) -> Job | None:
        """Record that nothing is to be started for a request any more; give the job that it has become already."""
        item = self._table.update(
            request_key(request_id),
            "SET stopOrder = :reason, expiresAt = if_not_exists(expiresAt, :expires)",
            {":reason": reason, ":expires": expiry(now, RECORDS_LAST)},
        )
        job = item.get("job")
        return None if job is None else Job.model_validate(job)

    def stop_of_request(self, request_id: str) -> str | None:
        """Read why nothing is to be started for a request any more; None if nobody ordered it."""
        return self.progress(request_id).stop

    def published_announcements(self, request_id: str) -> PublishedAnnouncements:
        """Read which announcements of a request were published, and with which names."""
        item = self._table.get(request_key(request_id)) or {}
        labels, names = item.get("announced"), item.get("names")
        return PublishedAnnouncements(
            labels=frozenset(map(str, labels)) if isinstance(labels, set) else frozenset(),
            names=names if isinstance(names, dict) else {},
        )

    def mark_announced(self, request_id: str, label: str, names: Mapping[str, Any], now: datetime) -> None:
        """Record that an announcement was published, so that a retry does not repeat it; the first names are kept."""
        self._table.update(
            request_key(request_id),
            "SET expiresAt = if_not_exists(expiresAt, :expires), #names = if_not_exists(#names, :names) "
            "ADD announced :label",
            {":label": {label}, ":names": dict(names), ":expires": expiry(now, RECORDS_LAST)},
            names={"#names": "names"},
        )

    def _attribute(self, request_id: str, name: str) -> Any:
        return (self._table.get(request_key(request_id)) or {}).get(name)
