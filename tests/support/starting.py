"""The jobs table, Amplify Hosting and the clock in memory, as far as starting a job needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.job import BranchRef, Job, JobRef, RecordKey
from amplify_jobs.model.parameters import HostingParameters
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.starting.lease import Attempt, Lease, ListedJob, ModelsAttempt, Progress
from amplify_jobs.starting.starter import StartResources
from amplify_jobs.starting.superseding import Latest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REGION = "eu-west-1"


@dataclass
class JobsInMemory:
    """The jobs table."""

    jobs: dict[str, Job] = field(default_factory=dict)
    leases: dict[BranchRef, Lease] = field(default_factory=dict)
    attempts: dict[str, ModelsAttempt | None] = field(default_factory=dict)
    latest: dict[tuple[BranchRef, str], Latest] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)
    ended: set[JobRef] = field(default_factory=set)
    owners: dict[tuple[str, str, str], str] = field(default_factory=dict)
    changed: list[JobRef] = field(default_factory=list)
    started: list[tuple[str, Job]] = field(default_factory=list)
    stops: dict[str, str] = field(default_factory=dict)

    def job_of_request(self, request_id: str) -> Job | None:
        return self.jobs.get(request_id)

    def progress(self, start_id: str) -> Progress:
        return Progress(self.jobs.get(start_id), self.stops.get(start_id))

    def stop_of_request(self, request_id: str) -> str | None:
        return self.stops.get(request_id)

    def order_stop(self, request_id: str, reason: str, now: datetime) -> Job | None:
        self.stops[request_id] = reason
        return self.jobs.get(request_id)

    def link_request_to_job(self, request_id: str, job: Job, now: datetime) -> None:
        self.jobs[request_id] = job

    def lease(self, branch: BranchRef) -> Lease:
        return self.leases.get(branch, Lease())

    def acquire_lease(self, branch: BranchRef, attempt: Attempt, expected: Lease) -> bool:
        if self.lease(branch) != expected:
            return False
        self.leases[branch] = Lease(attempt, attempt.highest_job_id)
        return True

    def release_lease(self, branch: BranchRef, attempt: Attempt, highest_job_id: int) -> None:
        self.leases[branch] = Lease(None, highest_job_id, attempt.sent_at)

    def raise_highest_job_id(self, branch: BranchRef, expected: Lease, job_id: int, now: datetime) -> bool:
        if self.lease(branch) != expected:
            return False
        self.leases[branch] = Lease(None, max(expected.unlisted_job_id(now), job_id), now)
        return True

    def claim_job(self, region: str, request_id: str, job: Job, now: datetime) -> bool:
        return self.owners.setdefault((job.app_id, job.require_branch(), job.job_id), request_id) == request_id

    def claim_job_anew(
        self, region: str, request_id: str, job: Job, now: datetime, predecessor: str | None = None
    ) -> bool:
        place = (job.app_id, job.require_branch(), job.job_id)
        ref = JobRef(BranchRef(region, job.app_id, job.require_branch()), job.job_id)
        if ref not in self.ended or predecessor not in (None, self.owners[place]):
            return False
        self.owners[place] = request_id
        self.ended.remove(ref)
        return True

    def models_attempt(self, request_id: str) -> ModelsAttempt | None:
        return self.attempts.get(request_id)

    def save_models_attempt(self, request_id: str, attempt: ModelsAttempt | None, now: datetime) -> None:
        self.attempts[request_id] = attempt

    def latest_of_kind(self, branch: BranchRef, kind: str) -> Latest | None:
        return self.latest.get((branch, kind))

    def write_latest(self, branch: BranchRef, kind: str, latest: Latest, now: datetime) -> bool:
        self.latest[branch, kind] = latest
        return True

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None:
        self.superseded[request_id] = newer

    def has_ended(self, job: JobRef) -> bool:
        return job in self.ended

    def record_status_change(self, job: JobRef, now: datetime) -> str | None:
        self.changed.append(job)
        return f"token of {job.job_id}"

    def record_start(self, region: str, request: JobRequest, job: Job, now: datetime) -> RecordKey:
        self.started.append((request.request_id, job))
        return RecordKey({"pk": region, "sk": job.job_id})


@dataclass
class HostingInMemory:
    """Amplify Hosting. `before_send` runs before a start is done: what it raises is the answer."""

    sent: list[HostingParameters] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    before_send: Callable[[], object] = lambda: None

    def send(self, parameters: HostingParameters) -> ListedJob:
        self.before_send()
        self.sent.append(parameters)
        return ListedJob(str(len(self.sent)), "RELEASE", None, "PENDING")

    def list_jobs(self, app_id: str, branch_name: str) -> list[ListedJob]:
        place = (app_id, branch_name)
        return [
            ListedJob(str(number), "RELEASE", None, "PENDING")
            for number, parameters in enumerate(self.sent, start=1)
            if (parameters.app_id, parameters.branch_name) == place
        ]

    def stop_job(self, job: Job) -> None:
        if job.job_id in self.ended:
            raise RequestRejected("BadRequestException")
        self.stopped.append(job.job_id)


class ObjectsInMemory(dict[str, Any]):
    """Objects in S3 by their URIs."""

    def read_text(self, uri: str, limit: int) -> str:
        return str(self[uri])

    def read_json_object(self, uri: str, limit: int) -> dict[str, Any]:
        return dict(self[uri])


@dataclass
class Surroundings:
    """What starters share, in memory; `woken` are the tokens of executions that were woken."""

    now: datetime = NOON
    jobs: JobsInMemory = field(default_factory=JobsInMemory)
    objects: ObjectsInMemory = field(default_factory=ObjectsInMemory)
    woken: list[str] = field(default_factory=list)

    def resources(self) -> StartResources:
        return StartResources(REGION, self.jobs, self.objects, self.woken.append, lambda: self.now)


def make_request(request_id: str, operation: str, parameters: dict[str, Any], **members: Any) -> JobRequest:
    """Make a request of a push, received at noon."""
    return JobRequest(
        **{
            "request_id": request_id,
            "route": "web",
            "operation": operation,
            "parameters": parameters,
            "cause": Cause(source="github", kind="push"),
            "received_at": NOON,
            **members,
        }
    )
