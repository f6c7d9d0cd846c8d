"""What starting a job needs of the jobs table, of Amplify's services and of S3; the package `aws` provides it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from amplify_jobs.model.job import BranchRef, Job, JobRef, RecordKey
from amplify_jobs.model.parameters import GenerateBackendAPIModelsParameters, HostingParameters
from amplify_jobs.model.request import JobRequest
from amplify_jobs.starting.lease import Attempt, Lease, ListedJob, ModelsAttempt, Progress
from amplify_jobs.starting.superseding import Latest

if TYPE_CHECKING:
    from amplify_jobs.model.codegen_parameters import StartCodegenJobParameters


class RequestRecords(Protocol):
    """The jobs table: which job a request became, and whether a person stopped it before."""

    def job_of_request(self, request_id: str) -> Job | None: ...

    def stop_of_request(self, request_id: str) -> str | None: ...

    def progress(self, start_id: str) -> Progress: ...

    def link_request_to_job(self, request_id: str, job: Job, now: datetime) -> None: ...


class Leases(RequestRecords, Protocol):
    """The jobs table: the leases of branches, and which request a branch's job is of."""

    def lease(self, branch: BranchRef) -> Lease: ...

    def acquire_lease(self, branch: BranchRef, attempt: Attempt, expected: Lease) -> bool: ...

    def release_lease(self, branch: BranchRef, attempt: Attempt, highest_job_id: int) -> None: ...

    def raise_highest_job_id(self, branch: BranchRef, expected: Lease, job_id: int, now: datetime) -> bool: ...

    def claim_job(self, region: str, request_id: str, job: Job, now: datetime) -> bool: ...

    def claim_job_anew(
        self, region: str, request_id: str, job: Job, now: datetime, predecessor: str | None = None
    ) -> bool: ...


class ModelsAttempts(RequestRecords, Protocol):
    """The jobs table: the attempts to have models generated."""

    def models_attempt(self, request_id: str) -> ModelsAttempt | None: ...

    def save_models_attempt(self, request_id: str, attempt: ModelsAttempt | None, now: datetime) -> None: ...


class LatestRequests(Protocol):
    """The jobs table: the latest request of a kind of event on a branch, and the ends of older requests' jobs."""

    def latest_of_kind(self, branch: BranchRef, kind: str) -> Latest | None: ...

    def write_latest(self, branch: BranchRef, kind: str, latest: Latest, now: datetime) -> bool: ...

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None: ...

    def has_ended(self, job: JobRef) -> bool: ...

    def record_status_change(self, job: JobRef, now: datetime) -> str | None: ...


class JobsTable(Leases, ModelsAttempts, LatestRequests, Protocol):
    """The jobs table."""

    def record_start(self, region: str, request: JobRequest, job: Job, now: datetime) -> RecordKey: ...


class ListsOfHosting(Protocol):
    """Amplify Hosting: lists of jobs."""

    def list_jobs(self, app_id: str, branch_name: str) -> Sequence[ListedJob]: ...


class StartsOfHosting(ListsOfHosting, Protocol):
    """Amplify Hosting: starts of jobs."""

    def send(self, parameters: HostingParameters) -> ListedJob: ...


class JobsOfHosting(ListsOfHosting, Protocol):
    """Amplify Hosting: jobs that somebody else started."""

    def job_with_origin(self, job: Job) -> Job: ...


class StopsOfHosting(Protocol):
    """Amplify Hosting: stops of jobs."""

    def stop_job(self, job: Job) -> None: ...


class Hosting(StartsOfHosting, StopsOfHosting, Protocol):
    """Amplify Hosting."""


class UiBuilder(Protocol):
    """Amplify UI Builder."""

    def start_codegen_job(self, parameters: StartCodegenJobParameters) -> Job: ...


class Backend(Protocol):
    """Amplify Backend."""

    def generate_models(self, parameters: GenerateBackendAPIModelsParameters) -> str: ...

    def model_jobs(self, app_id: str, environment_name: str) -> list[str]: ...


class Objects(Protocol):
    """Objects in S3."""

    def read_text(self, uri: str, limit: int) -> str: ...

    def read_json_object(self, uri: str, limit: int) -> dict[str, Any]: ...
