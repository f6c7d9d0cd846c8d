"""Records of reports in the jobs table: what each subject of a target was told last, and which targets are stopped.

pk `report#<target>#<subject's digest>`, sk `report`: the last report about a subject.
pk `report#<target>#<digest of app, branch and route>`, sk `state`: how the last job there ended.
pk `target#<target>`, sk `target`: that the target is stopped, until its configuration changes.
pk `target#<target>`, sk `secret#<parameter>`: since when people know that a secret is missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from amplify_jobs.aws.dynamodb import ConditionNotMetError, Table
from amplify_jobs.aws.jobs_table.items import expiry, iso, read_time
from amplify_jobs.reporting.destination import Destination
from amplify_jobs.reporting.planning import Plan
from amplify_jobs.reporting.report import Report, ReportState, Version
from amplify_jobs.reporting.sending import BranchState, Record

RECORDS_LAST = timedelta(days=90)
# People hear of a missing secret once in so long.
NOTICES_LAST = timedelta(days=1)


class ReportRecords:
    """Reads and writes them. Every method raises ServiceTrouble when DynamoDB fails or does not answer."""

    def __init__(self, table: Table, now: Callable[[], datetime]) -> None:
        self._table = table
        self._now = now

    def record(self, plan: Plan) -> Record:
        """What a subject was told last; an empty record if it was told nothing."""
        item = self._table.get(_key(plan))
        if item is None:
            return Record()
        version = None
        if "requestId" in item:
            version = Version(read_time(item["requestedAt"]), item["requestId"], int(item["sequence"]))
        return Record(version, item.get("remote"))

    def save(self, plan: Plan, record: Record) -> None:
        """Write it; the queue gives the reports about one subject one after the other, so nobody else writes."""
        item: dict[str, Any] = {**_key(plan), "expiresAt": expiry(self._now(), RECORDS_LAST)}
        if record.version is not None:
            item |= {
                "requestedAt": iso(record.version.requested_at),
                "requestId": record.version.request_id,
                "sequence": record.version.sequence,
            }
        if record.remote is not None:
            item["remote"] = record.remote
        self._table.put(item)

    def branch_state(self, destination: Destination, report: Report) -> BranchState | None:
        """How the last job of the report's app, branch and route ended, as far as this target was to know."""
        item = self._table.get(_state_key(destination, report))
        return BranchState(ReportState(item["state"]), read_time(item["requestedAt"])) if item else None

    def save_branch_state(self, destination: Destination, report: Report) -> None:
        """Write it, unless a job of a newer request ended before."""
        requested_at = iso(report.version.requested_at)
        item = {
            **_state_key(destination, report),
            "state": report.state.value,
            "requestedAt": requested_at,
            "expiresAt": expiry(self._now(), RECORDS_LAST),
        }
        with suppress(ConditionNotMetError):
            self._table.put(item, "attribute_not_exists(pk) OR requestedAt <= :now", {":now": requested_at})

    def is_stopped(self, destination: Destination) -> bool:
        """Whether the target was stopped with the configuration that it has."""
        return self.stop_reason(destination) is not None

    def stop_reason(self, destination: Destination) -> str | None:
        """Why the target was stopped with the configuration that it has; None if it is in use."""
        item = self._table.get(_target_key(destination))
        return item.get("reason", "") if item and item["configuration"] == _configuration(destination) else None

    def stop(self, destination: Destination, reason: str) -> bool:
        """Stop a target until its configuration changes; False if it was stopped before."""
        item = {
            **_target_key(destination),
            "configuration": _configuration(destination),
            "reason": reason,
            "expiresAt": expiry(self._now(), RECORDS_LAST),
        }
        try:
            self._table.put(
                item, "attribute_not_exists(pk) OR configuration <> :same", {":same": _configuration(destination)}
            )
        except ConditionNotMetError:
            return False
        return True

    def resume(self, destination: Destination) -> None:
        """Take back that a target was stopped: no configuration has an empty digest."""
        item = {**_target_key(destination), "configuration": "", "expiresAt": expiry(self._now(), RECORDS_LAST)}
        self._table.put(item)

    def note_missing_secret(self, destination: Destination, name: str) -> bool:
        """Note that people hear today of a secret that is missing; False if they have heard."""
        now = self._now()
        item = {**_secret_key(destination, name), "expiresAt": expiry(now, NOTICES_LAST)}
        try:
            # DynamoDB deletes expired items within days.
            self._table.put(item, "attribute_not_exists(pk) OR expiresAt < :now", {":now": expiry(now, timedelta(0))})
        except ConditionNotMetError:
            return False
        return True

    def forget_missing_secret(self, destination: Destination, name: str) -> None:
        """Take back that people heard of a missing secret."""
        self._table.put({**_secret_key(destination, name), "expiresAt": expiry(self._now(), -NOTICES_LAST)})


def _key(plan: Plan) -> dict[str, str]:
    return {"pk": f"report#{plan.target}#{plan.group}", "sk": "report"}


def _state_key(destination: Destination, report: Report) -> dict[str, str]:
    place = f"{report.app_id}\n{report.branch}\n{report.detail.route}"
    return {"pk": f"report#{destination.name}#{hashlib.sha256(place.encode()).hexdigest()}", "sk": "state"}


def _target_key(destination: Destination) -> dict[str, str]:
    return {"pk": f"target#{destination.name}", "sk": "target"}


def _secret_key(destination: Destination, name: str) -> dict[str, str]:
    return {"pk": f"target#{destination.name}", "sk": f"secret#{name}"}


def _configuration(destination: Destination) -> str:
    return hashlib.sha256(destination.target.model_dump_json().encode()).hexdigest()
