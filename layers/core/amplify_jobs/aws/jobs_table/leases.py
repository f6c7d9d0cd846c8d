"""Leases: at most one start per branch whose outcome is unknown."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from amplify_jobs.aws.dynamodb import ConditionNotMetError
from amplify_jobs.aws.jobs_table.items import LEASES_LAST, Items, expiry, iso, read_time
from amplify_jobs.aws.jobs_table.keys import lease_key
from amplify_jobs.model.job import BranchRef
from amplify_jobs.starting.lease import Attempt, Lease

_IS_FREE = "attribute_not_exists(requestId) AND (attribute_not_exists(pk) OR highestJobId = :highest)"
_IS_OF_ATTEMPT = "requestId = :request AND sentAt = :sent"


class Leases(Items):
    """The leases of branches."""

    def lease(self, branch: BranchRef) -> Lease:
        """Read the lease of a branch."""
        item = self._table.get(lease_key(branch))
        return _lease_from(item) if item else Lease()

    def acquire_lease(self, branch: BranchRef, attempt: Attempt, expected: Lease) -> bool:
        """Write the lease if it is still as expected; False if another request acquired or used it meanwhile."""
        item = {
            **lease_key(branch),
            "requestId": attempt.request_id,
            "sentAt": iso(attempt.sent_at),
            "highestJobId": attempt.highest_job_id,
            "jobType": attempt.job_type,
            "commitMessage": attempt.commit_message,
            "sourceUrl": attempt.source_url,
            "deploymentId": attempt.deployment_id,
            "expiresAt": expiry(attempt.sent_at, LEASES_LAST),
        }
        try:
            if expected.attempt is None:
                self._table.put(item, _IS_FREE, {":highest": expected.highest_job_id})
            else:
                self._table.put(item, _IS_OF_ATTEMPT, _attempt_values(expected.attempt))
        except ConditionNotMetError:
            # A write whose answer was lost, and that the client repeated, meets itself.
            return self.lease(branch).attempt == attempt
        return True

    def raise_highest_job_id(self, branch: BranchRef, expected: Lease, job_id: int, now: datetime) -> bool:
        """Keep the id of a job of the branch, if its lease is still free as expected; False if it is not."""
        if job_id <= expected.unlisted_job_id(now):
            return True
        values = {
            ":job": job_id,
            ":highest": expected.highest_job_id,
            ":at": iso(now),
            ":expires": expiry(now, LEASES_LAST),
        }
        try:
            self._table.update(
                lease_key(branch),
                "SET highestJobId = :job, highestAt = :at, expiresAt = :expires",
                values,
                condition=_IS_FREE,
            )
        except ConditionNotMetError:
            return False
        return True

    def release_lease(self, branch: BranchRef, attempt: Attempt, highest_job_id: int) -> None:
        """Release the lease, unless another attempt has it by now, and keep the highest job id that is known."""
        with suppress(ConditionNotMetError):
            self._table.update(
                lease_key(branch),
                "SET highestJobId = :highest, highestAt = sentAt "
                "REMOVE requestId, sentAt, jobType, commitMessage, sourceUrl, deploymentId",
                {":highest": highest_job_id, **_attempt_values(attempt)},
                condition=_IS_OF_ATTEMPT,
            )


def _attempt_values(attempt: Attempt) -> dict[str, str]:
    return {":request": attempt.request_id, ":sent": iso(attempt.sent_at)}


def _lease_from(item: dict[str, Any]) -> Lease:
    highest = int(item["highestJobId"])
    if "requestId" not in item:
        return Lease(None, highest, read_time(item["highestAt"]) if "highestAt" in item else None)
    attempt = Attempt(
        request_id=item["requestId"],
        sent_at=read_time(item["sentAt"]),
        highest_job_id=highest,
        job_type=item["jobType"],
        commit_message=item["commitMessage"],
        source_url=item.get("sourceUrl"),
        deployment_id=item.get("deploymentId"),
    )
    return Lease(attempt, highest)
