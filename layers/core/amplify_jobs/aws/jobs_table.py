"""The jobs table: records of jobs, leases of branches, and which job a request became.

Items: pk `region#appId#branch` with sk `job#<id padded to ten digits>` (a job's record), `attempt` (the lease, which is
held while it names a request) or `latest#<kind>` (the request whose event is the newest of its kind, among those that
supersede); pk `region#appId#environment` with sk `<operation>#<time>#<id>` (the record of a job that generates code or
models); pk `request#<request id>` with sk `request` (what became of a request; its id is followed by `#<attempt>`
where a failed job was started again). All expire. A branch's job has the attribute `followed` (`region#appId`) from its
start to its end: the key of an index that holds nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from amplify_jobs.aws.dynamodb import ConditionNotMetError, Table, dynamodb_client
from amplify_jobs.following.wait import EARLIER_JOBS, EarlierJob
from amplify_jobs.model.job import Job, JobKey, JobState, State, branch_key, job_sort_key
from amplify_jobs.starting.lease import Attempt, Lease, ModelsAttempt
from amplify_jobs.starting.superseding import Latest, StartedJob, SupersedingRequest

RECORDS_LAST = timedelta(days=400)
LEASES_LAST = timedelta(days=7)
FOLLOWED_INDEX = "followed"
_IS_FREE = "attribute_not_exists(requestId) AND (attribute_not_exists(pk) OR highestJobId = :highest)"
_IS_OF_ATTEMPT = "requestId = :request AND sentAt = :sent"


@dataclass(frozen=True)
class Record:
    """What the jobs table knows of a job that is being followed.

    `changes` counts the terminal status events, `polls` the questions, `left_queue_at` is None while it is queued.
    `request_id` is the request that it was started for, None for a job that we did not start; `state` is what the last
    poll said.
    """

    changes: int
    polls: int
    left_queue_at: datetime | None
    request_id: str | None = None
    state: State | None = None


@dataclass(frozen=True)
class Announced:
    """What was published of a request: the labels of its announcements, and the names that the first of them had."""

    labels: frozenset[str]
    names: Mapping[str, Any]


class Store:
    """The jobs table. Every method raises ServiceTrouble when DynamoDB fails or does not answer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def connect(cls, table_name: str) -> Store:
        return cls(Table(dynamodb_client(), table_name))

    # ------------------------------------------------------------ starting once

    def job_of_request(self, request_id: str) -> Job | None:
        """Say which job a request became, or None while that is not recorded."""
        item = self._table.get(_request_key(request_id))
        return Job.model_validate(item["job"]) if item and "job" in item else None

    def lease(self, branch: str) -> Lease:
        """Read the lease of a branch (`branch` is its partition key)."""
        item = self._table.get(_attempt_key(branch))
        return _lease_of(item) if item else Lease()

    def acquire_lease(self, branch: str, attempt: Attempt, found: Lease) -> bool:
        """Write the lease if it is still as it was found; False if somebody took or used it meanwhile."""
        written = {
            **_attempt_key(branch),
            "requestId": attempt.request_id,
            "sentAt": _text(attempt.sent_at),
            "highestJobId": attempt.highest_job_id,
            "jobType": attempt.job_type,
            "commitMessage": attempt.commit_message,
            "sourceUrl": attempt.source_url,
            "deploymentId": attempt.deployment_id,
            "expiresAt": _expiry(attempt.sent_at, LEASES_LAST),
        }
        try:
            if found.attempt is None:
                self._table.put(written, _IS_FREE, {":highest": found.highest_job_id})
            else:
                self._table.put(written, _IS_OF_ATTEMPT, _attempt_values(found.attempt))
        except ConditionNotMetError:
            # A write whose answer was lost, and that the client repeated, meets itself.
            return self.lease(branch).attempt == attempt
        return True

    def release_lease(self, branch: str, attempt: Attempt, highest_job_id: int) -> None:
        """Give the branch free, unless it is another attempt's by now, and keep the highest job id that is known."""
        with suppress(ConditionNotMetError):
            self._table.update(
                _attempt_key(branch),
                "SET highestJobId = :highest REMOVE requestId, sentAt, jobType, commitMessage, sourceUrl, deploymentId",
                {":highest": highest_job_id, **_attempt_values(attempt)},
                condition=_IS_OF_ATTEMPT,
            )

    def link_request_to_job(self, request_id: str, job: Job, now: datetime) -> None:
        """Record which job a request became."""
        self._table.update(
            _request_key(request_id),
            "SET job = :job, expiresAt = :expires",
            {":job": job.model_dump(mode="json", by_alias=True), ":expires": _expiry(now, RECORDS_LAST)},
        )

    def models_attempt(self, request_id: str) -> ModelsAttempt | None:
        """Read the attempt of a request to have models generated, of which it is not known what came."""
        attempt = (self._table.get(_request_key(request_id)) or {}).get("attempt")
        return ModelsAttempt(_time(attempt["sentAt"]), tuple(attempt["jobsBefore"])) if attempt else None

    def save_models_attempt(self, request_id: str, attempt: ModelsAttempt | None, now: datetime) -> None:
        """Write such an attempt before it is made; None once it is known that nothing came of it."""
        written = attempt and {"sentAt": _text(attempt.sent_at), "jobsBefore": list(attempt.jobs_before)}
        self._table.update(
            _request_key(request_id),
            "SET attempt = :attempt, expiresAt = if_not_exists(expiresAt, :expires)",
            {":attempt": written, ":expires": _expiry(now, RECORDS_LAST)},
        )

    def record_start(self, key: JobKey, request_id: str, job: Job, now: datetime) -> None:
        """Write a job's record, keeping the changes that were counted before it existed; it counts as followed now."""
        values = {
            ":request": request_id,
            ":job": job.model_dump(mode="json", by_alias=True),
            ":now": _text(now),
            ":expires": _expiry(now, RECORDS_LAST),
        }
        expression = (
            "SET requestId = :request, job = :job, startedAt = if_not_exists(startedAt, :now), expiresAt = :expires"
        )
        if job.sends_events:
            expression += ", followed = :app"
            values[":app"] = _app_key(key)
        self._table.update(_key(key), expression, values)

    # ------------------------------------------------------------ superseding

    def latest_of_kind(self, branch: str, kind: str) -> Latest | None:
        """Read which request has the newest event of its kind, among those that supersede older ones."""
        item = self._table.get(_latest_key(branch, kind))
        return _latest_of(item) if item else None

    def write_latest(self, branch: str, kind: str, latest: Latest, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if somebody wrote that version meanwhile."""
        written: dict[str, Any] = {
            **_latest_key(branch, kind),
            "requestId": latest.asked.request_id,
            "eventTime": _text(latest.asked.event_time),
            "receivedAt": _text(latest.asked.received_at),
            "toStop": [{"requestId": older.request_id, "jobId": older.job_id} for older in latest.to_stop],
            "version": latest.version,
            "expiresAt": _expiry(now, RECORDS_LAST),
        }
        if latest.job_id is not None:
            written["jobId"] = latest.job_id
        try:
            if latest.version == 1:
                self._table.put(written, "attribute_not_exists(pk)", {})
            else:
                self._table.put(written, "version = :before", {":before": latest.version - 1})
        except ConditionNotMetError:
            return False
        return True

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None:
        """Record which newer request made a request moot."""
        self._table.update(
            _request_key(request_id),
            "SET supersededBy = :newer, expiresAt = if_not_exists(expiresAt, :expires)",
            {":newer": newer, ":expires": _expiry(now, RECORDS_LAST)},
        )

    def superseding_request(self, request_id: str) -> str | None:
        """Say which newer request made a request moot, or None if none did."""
        newer = (self._table.get(_request_key(request_id)) or {}).get("supersededBy")
        return newer if isinstance(newer, str) else None

    def has_ended(self, key: JobKey) -> bool:
        """Say whether a poll found a job at its end; one that was only given up may still run."""
        state = (self._table.get(_key(key)) or {}).get("state")
        return state in (State.SUCCEEDED, State.FAILED, State.CANCELLED)

    # ------------------------------------------------------------ following

    def record_poll(self, key: JobKey, now: datetime) -> Record:
        """Count a poll and read the record as it is before Amplify is asked, so that no later change is missed."""
        expression = "SET expiresAt = if_not_exists(expiresAt, :expires) ADD polls :one"
        return _record_of(
            self._table.update(_key(key), expression, {":one": 1, ":expires": _expiry(now, RECORDS_LAST)})
        )

    def record_state(self, key: JobKey, state: JobState, left_queue_at: datetime | None) -> None:
        """Write what a poll said; a succeeded job's duration counts for the jobs that come after it."""
        values: dict[str, Any] = {":state": state.state.value, ":status": state.status}
        expression = "SET #state = :state, #status = :status"
        if left_queue_at is not None:
            expression += ", leftQueueAt = :left"
            values[":left"] = _text(left_queue_at)
        if state.state.is_outcome and state.finished_at is not None:
            expression += ", finishedAt = :finished"
            values[":finished"] = _text(state.finished_at)
        if state.state.is_outcome:
            expression += " REMOVE followed"
        self._table.update(_key(key), expression, values, names={"#state": "state", "#status": "status"})

    def earlier_jobs(self, key: JobKey) -> list[EarlierJob]:
        """Read how long the last jobs of the same branch, or operation and environment, took that succeeded.

        At most EARLIER_JOBS, newest first.
        """
        kind = key.sk.partition("#")[0]
        # Twice as many are read, since failed ones and jobs that others started do not count.
        items = self._table.query_backwards(
            "pk = :pk AND sk BETWEEN :first AND :last",
            {":pk": key.pk, ":first": f"{kind}#", ":last": key.sk},
            limit=2 * EARLIER_JOBS + 1,
            projection="#state, leftQueueAt, finishedAt, changes",
            names={"#state": "state"},
        )
        jobs = []
        for item in items:
            if item.get("state") != State.SUCCEEDED or "leftQueueAt" not in item or "finishedAt" not in item:
                continue
            took = _time(item["finishedAt"]) - _time(item["leftQueueAt"])
            jobs.append(EarlierJob(max(took.total_seconds(), 0), told_by_event=int(str(item.get("changes", 0))) > 0))
        return jobs[:EARLIER_JOBS]

    def followed_jobs(
        self, region: str, app_id: str, branch_names: Sequence[str] = (), job_id: str | None = None
    ) -> list[JobKey]:
        """List the jobs of an app that are being followed; with names, only those of these branches, or one of them."""
        found = self._table.query_index(
            FOLLOWED_INDEX, "followed = :app", {":app": f"{region}#{app_id}"}, projection="pk, sk"
        )
        branches = [branch_key(region, app_id, name) for name in branch_names]
        keys = [JobKey(pk=item["pk"], sk=item["sk"]) for item in found]
        return [
            key
            for key in keys
            if (not branches or key.pk in branches) and (job_id is None or key.sk == job_sort_key(job_id))
        ]

    def record_status_change(self, key: JobKey, now: datetime) -> str | None:
        """Count a terminal status event and read the token of the task that waits, or that waited last.

        The count is kept even when the record does not exist yet, so that a start still under way sees it. The token
        stays, so that an event that is delivered again, because waking failed, finds it again.
        """
        item = self._table.update(
            _key(key),
            "SET expiresAt = if_not_exists(expiresAt, :expires) ADD changes :one",
            {":one": 1, ":expires": _expiry(now, LEASES_LAST)},
        )
        token = item.get("taskToken")
        return token if isinstance(token, str) else None

    # ------------------------------------------------------------ announcing

    def announced(self, request_id: str) -> Announced:
        """Say which announcements of a request were published already, and with which names."""
        item = self._table.get(_request_key(request_id)) or {}
        labels, names = item.get("announced"), item.get("names")
        return Announced(
            labels=frozenset(map(str, labels)) if isinstance(labels, set) else frozenset(),
            names=names if isinstance(names, dict) else {},
        )

    def mark_announced(self, request_id: str, label: str, names: Mapping[str, Any], now: datetime) -> None:
        """Note that an announcement was published, so that a retry does not repeat it; the first names are kept."""
        self._table.update(
            _request_key(request_id),
            "SET expiresAt = if_not_exists(expiresAt, :expires), #names = if_not_exists(#names, :names) "
            "ADD announced :label",
            {":label": {label}, ":names": dict(names), ":expires": _expiry(now, RECORDS_LAST)},
            names={"#names": "names"},
        )


def _key(key: JobKey) -> dict[str, str]:
    return {"pk": key.pk, "sk": key.sk}


def _app_key(key: JobKey) -> str:
    """The region and the app of a job's record: ids of apps have no `#`, names of branches may."""
    return "#".join(key.pk.split("#", 2)[:2])


def _attempt_key(branch: str) -> dict[str, str]:
    return {"pk": branch, "sk": "attempt"}


def _latest_key(branch: str, kind: str) -> dict[str, str]:
    return {"pk": branch, "sk": f"latest#{kind}"}


def _request_key(request_id: str) -> dict[str, str]:
    return {"pk": f"request#{request_id}", "sk": "request"}


def _attempt_values(attempt: Attempt) -> dict[str, str]:
    return {":request": attempt.request_id, ":sent": _text(attempt.sent_at)}


def _lease_of(item: dict[str, Any]) -> Lease:
    highest = int(item["highestJobId"])
    if "requestId" not in item:
        return Lease(highest_job_id=highest)
    attempt = Attempt(
        request_id=item["requestId"],
        sent_at=_time(item["sentAt"]),
        highest_job_id=highest,
        job_type=item["jobType"],
        commit_message=item["commitMessage"],
        source_url=item.get("sourceUrl"),
        deployment_id=item.get("deploymentId"),
    )
    return Lease(attempt, highest)


def _record_of(item: dict[str, Any]) -> Record:
    return Record(
        changes=int(item.get("changes", 0)),
        polls=int(item.get("polls", 0)),
        left_queue_at=_time(item["leftQueueAt"]) if "leftQueueAt" in item else None,
        request_id=item.get("requestId"),
        state=State(item["state"]) if "state" in item else None,
    )


def _latest_of(item: dict[str, Any]) -> Latest:
    return Latest(
        asked=SupersedingRequest(item["requestId"], _time(item["eventTime"]), _time(item["receivedAt"])),
        job_id=item.get("jobId"),
        to_stop=tuple(StartedJob(older["requestId"], older["jobId"]) for older in item["toStop"]),
        version=int(item["version"]),
    )


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))


def _expiry(now: datetime, lasting: timedelta) -> int:
    return int((now + lasting).timestamp())
