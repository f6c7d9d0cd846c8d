"""Records of jobs: what polls and status events tell of a job, and how long earlier jobs took."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from amplify_jobs.aws.dynamodb import ConditionNotMetError
from amplify_jobs.aws.jobs_table.items import LEASES_LAST, RECORDS_LAST, Items, expiry, iso, read_time
from amplify_jobs.aws.jobs_table.keys import FOLLOWED_INDEX, followed_partition, job_key, job_of, record_key
from amplify_jobs.following.record import Owner, Record
from amplify_jobs.following.wait import EARLIER_JOBS, EarlierJob
from amplify_jobs.model.job import BranchRef, Job, JobRef, JobState, RecordKey, State
from amplify_jobs.model.request import JobRequest

# One that timed out may still run.
_ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
_FIRST_START = "if_not_exists(startedAt, :now)"
_IS_OF_NO_OTHER = "attribute_not_exists(requestId) OR requestId = :request"


class Records(Items):
    """The records of jobs."""

    def record_start(self, region: str, request: JobRequest, job: Job, now: datetime) -> RecordKey:
        """Write a job's record, and keep the changes that were counted before it existed; the job is followed now."""
        key = record_key(region, job, request.received_at)
        expression, values = _start(region, request.request_id, job, now)
        self._table.update(key, expression, values)
        return key

    def claim_job(self, region: str, request_id: str, job: Job, now: datetime) -> bool:
        """Write the record of a branch's job as record_start does; False if another request has the job."""
        expression, values = _start(region, request_id, job, now)
        try:
            self._table.update(_key_of(region, job), expression, values, condition=_IS_OF_NO_OTHER)
        except ConditionNotMetError:
            return False
        return True

    def claim_job_anew(
        self, region: str, request_id: str, job: Job, now: datetime, predecessor: str | None = None
    ) -> bool:
        """Replace the record of a job that had the same id before, on a branch that was deleted and made again.

        False if it is still followed, or, with `predecessor`, is of another request than that.
        """
        key = _key_of(region, job)
        expression, values = _start(region, request_id, job, now)
        condition = "attribute_not_exists(followed)"
        if predecessor is not None:
            condition += " AND requestId = :predecessor"
            values[":predecessor"] = predecessor
        expression = expression.replace(_FIRST_START, ":now")
        try:
            self._table.update(
                key,
                f"{expression} REMOVE #state, #status, leftQueueAt, finishedAt, endedAt, taskToken, polls, changes",
                values,
                names={"#state": "state", "#status": "status"},
                condition=condition,
            )
        except ConditionNotMetError:
            # A write whose answer was lost, and that the client repeated, meets itself.
            return (self._table.get(key) or {}).get("requestId") == request_id
        return True

    def owner(self, job: JobRef) -> Owner | None:
        """Read which request has a branch's job; None if none has it."""
        item = self._table.get(job_key(job)) or {}
        if "requestId" not in item:
            return None
        # Records of version 0.1.0 do not have the first.
        ended_at = item.get("endedAt") or item.get("finishedAt")
        has_ended = item.get("state") in _ENDED
        return Owner(item["requestId"], read_time(ended_at) if ended_at and has_ended else None)

    def record_poll(self, key: RecordKey, now: datetime) -> Record:
        """Count a poll and read the record as it is before the poll, so that the poll misses no later change."""
        expression = "SET expiresAt = if_not_exists(expiresAt, :expires) ADD polls :one"
        return _record_from(self._table.update(key, expression, {":one": 1, ":expires": expiry(now, RECORDS_LAST)}))

    def record_state(self, key: RecordKey, state: JobState, left_queue_at: datetime | None, now: datetime) -> None:
        """Write the state that a poll gave; later jobs are measured by the duration of a job that succeeded."""
        values: dict[str, Any] = {":state": state.state.value, ":status": state.status}
        expression = "SET #state = :state, #status = :status"
        if left_queue_at is not None:
            expression += ", leftQueueAt = :left"
            values[":left"] = iso(left_queue_at)
        if state.state.is_outcome and state.finished_at is not None:
            expression += ", finishedAt = :finished"
            values[":finished"] = iso(state.finished_at)
        if state.state.is_outcome:
            expression += ", endedAt = if_not_exists(endedAt, :ended) REMOVE followed"
            values[":ended"] = iso(now)
        self._table.update(key, expression, values, names={"#state": "state", "#status": "status"})

    def record_status_change(self, job: JobRef, now: datetime) -> str | None:
        """Count a terminal status event and read the token of the task that waits, or that waited last.

        The count is kept even when the record does not exist yet, so that a start still under way sees it. The token
        stays, so that an event that is delivered again, because waking failed, finds it again.
        """
        item = self._table.update(
            job_key(job),
            "SET expiresAt = if_not_exists(expiresAt, :expires) ADD changes :one",
            {":one": 1, ":expires": expiry(now, LEASES_LAST)},
        )
        token = item.get("taskToken")
        return token if isinstance(token, str) else None

    def has_ended(self, job: JobRef) -> bool:
        """Say whether a poll saw a job at its end; one that timed out may still run."""
        state = (self._table.get(job_key(job)) or {}).get("state")
        return state in _ENDED

    def earlier_jobs(self, key: RecordKey) -> list[EarlierJob]:
        """Read how long the last jobs of the same branch, or operation and environment, took that succeeded.

        At most EARLIER_JOBS, newest first.
        """
        kind = key["sk"].partition("#")[0]
        # Twice as many are read, since failed ones and jobs that others started do not count.
        items = self._table.query_backwards(
            "pk = :pk AND sk BETWEEN :first AND :last",
            {":pk": key["pk"], ":first": f"{kind}#", ":last": key["sk"]},
            limit=2 * EARLIER_JOBS + 1,
            projection="#state, leftQueueAt, finishedAt, changes",
            names={"#state": "state"},
        )
        jobs = []
        for item in items:
            if item.get("state") != State.SUCCEEDED or "leftQueueAt" not in item or "finishedAt" not in item:
                continue
            duration = read_time(item["finishedAt"]) - read_time(item["leftQueueAt"])
            jobs.append(EarlierJob(max(duration.total_seconds(), 0), end_event_received=item.get("changes", 0) > 0))
        return jobs[:EARLIER_JOBS]

    def followed_jobs(
        self, region: str, app_id: str, branch_names: Collection[str] = (), job_id: str | None = None
    ) -> list[JobRef]:
        """List the jobs of an app that are being followed; with names, only those of these branches, or one of them."""
        items = self._table.query_index(
            FOLLOWED_INDEX,
            "followed = :app",
            {":app": followed_partition(region, app_id)},
            projection="pk, sk",
        )
        jobs = [job_of(RecordKey({"pk": item["pk"], "sk": item["sk"]})) for item in items]
        return [
            job
            for job in jobs
            if (not branch_names or job.branch.name in branch_names)
            and (job_id is None or int(job.job_id) == int(job_id))
        ]


def _start(region: str, request_id: str, job: Job, now: datetime) -> tuple[str, dict[str, Any]]:
    """The expression and the values that make a record the one of a request's job, which is followed now."""
    values: dict[str, Any] = {
        ":request": request_id,
        ":job": job.model_dump(mode="json", by_alias=True),
        ":now": iso(now),
        ":expires": expiry(now, RECORDS_LAST),
    }
    expression = f"SET requestId = :request, job = :job, startedAt = {_FIRST_START}, expiresAt = :expires"
    if job.sends_events:
        expression += ", followed = :app"
        values[":app"] = followed_partition(region, job.app_id)
    return expression, values


def _key_of(region: str, job: Job) -> RecordKey:
    return job_key(JobRef(BranchRef(region, job.app_id, job.require_branch()), job.job_id))


def _record_from(item: dict[str, Any]) -> Record:
    return Record(
        changes=int(item.get("changes", 0)),
        polls=int(item.get("polls", 0)),
        left_queue_at=read_time(item["leftQueueAt"]) if "leftQueueAt" in item else None,
        request_id=item.get("requestId"),
        state=State(item["state"]) if "state" in item else None,
    )
