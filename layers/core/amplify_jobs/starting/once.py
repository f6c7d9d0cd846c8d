"""Drives a start through its lease: gather what is known, decide, act, until the request has become a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from amplify_jobs.errors import (
    BranchBusy,
    RequestRejected,
    RetryableError,
    ServiceTrouble,
    StartUnresolved,
    Superseded,
    Throttled,
)
from amplify_jobs.model.job import BranchRef, Job
from amplify_jobs.model.parameters import HostingParameters
from amplify_jobs.starting.lease import Adopt, Attempt, Lease, ListedJob, Release, Send, Wait, next_step

# Each turn either ends or makes progress that another request's lease can undo only by its own progress.
_TURNS = 5


class Starts(Protocol):
    """What is asked of Amplify; amplify.Amplify does it."""

    def send(self, parameters: HostingParameters) -> ListedJob: ...

    def list_jobs(self, app_id: str, branch_name: str) -> list[ListedJob]: ...


class Leases(Protocol):
    """What is asked of the jobs table; aws.jobs_table does it."""

    def job_of_request(self, request_id: str) -> Job | None: ...

    def lease(self, branch: BranchRef) -> Lease: ...

    def acquire_lease(self, branch: BranchRef, attempt: Attempt, expected: Lease) -> bool: ...

    def release_lease(self, branch: BranchRef, attempt: Attempt, highest_job_id: int) -> None: ...

    def link_request_to_job(self, request_id: str, job: Job, now: datetime) -> None: ...


def start_once(
    request_id: str,
    parameters: HostingParameters,
    *,
    operation: str,
    region: str,
    amplify: Starts,
    store: Leases,
    now: Callable[[], datetime],
    superseded_by: str | None = None,
) -> Job:
    """Start the job that a request asks for, exactly once as far as ListJobs shows it, and say which job it is.

    With `superseded_by`, the id of a newer request, nothing is sent any more: it is only found out whether an earlier
    try did. Safe to call again after any failure, a killed process included. Raises RequestRejected if it can't be
    started, Superseded if it is not to be; Throttled, BranchBusy, StartUnresolved or ServiceTrouble if it is to be
    called again later.
    """
    branch = BranchRef(region, parameters.app_id, parameters.branch_name)

    def became(listed: ListedJob, attempt: Attempt) -> Job:
        job = Job(
            operation=operation,
            app_id=parameters.app_id,
            branch_name=parameters.branch_name,
            job_id=listed.job_id,
            job_type=listed.job_type or attempt.job_type,
        )
        store.link_request_to_job(attempt.request_id, job, now())
        store.release_lease(branch, attempt, max(attempt.highest_job_id, int(job.job_id)))
        return job

    for _ in range(_TURNS):
        # In this order: whoever finds our job for us records it before giving our lease back.
        lease = store.lease(branch)
        ours = lease.attempt if lease.attempt is not None and lease.attempt.request_id == request_id else None
        if (known := store.job_of_request(request_id)) is not None:
            if ours is not None:
                store.release_lease(branch, ours, max(ours.highest_job_id, int(known.job_id)))
            return known
        if superseded_by is not None and ours is None:
            raise Superseded(f"Superseded by request {superseded_by}, whose event is newer.")
        asked_at = now()
        listed = _listed_jobs(parameters, amplify, is_unresolved=ours is not None)
        match next_step(request_id, lease, listed, asked_at, may_send=superseded_by is None):
            case Adopt(attempt, found):
                # Had the lease changed hands before the list was asked for, the job could be the next holder's.
                if store.lease(branch) == lease:
                    became(found, attempt)
            case Release(attempt):
                store.release_lease(branch, attempt, attempt.highest_job_id)
            case Wait(attempt):
                raise _come_back(request_id, attempt)
            case Send(highest):
                attempt = _attempt(request_id, parameters, now(), highest)
                if store.acquire_lease(branch, attempt, lease):
                    try:
                        sent = amplify.send(parameters)
                    except (RequestRejected, Throttled, BranchBusy, ServiceTrouble):
                        store.release_lease(branch, attempt, highest)
                        raise
                    return became(sent, attempt)
    raise BranchBusy("Other requests keep starting jobs on this branch.")


def _listed_jobs(parameters: HostingParameters, amplify: Starts, *, is_unresolved: bool) -> list[ListedJob]:
    try:
        return amplify.list_jobs(parameters.app_id, parameters.branch_name)
    except ServiceTrouble as trouble:
        if not is_unresolved:
            raise
        raise StartUnresolved(f"The answer to the start was lost, and the job can't be looked for: {trouble}") from None


def _come_back(request_id: str, attempt: Attempt) -> RetryableError:
    if attempt.request_id == request_id:
        return StartUnresolved("The answer to the start was lost; ListJobs does not show the job yet.")
    return BranchBusy(f"Request {attempt.request_id} is being started on this branch right now.")


def _attempt(request_id: str, parameters: HostingParameters, sent_at: datetime, highest_job_id: int) -> Attempt:
    traits = parameters.traits()
    return Attempt(
        request_id,
        sent_at,
        highest_job_id,
        traits.job_type,
        traits.commit_message,
        source_url=traits.source_url,
        deployment_id=traits.deployment_id,
    )
