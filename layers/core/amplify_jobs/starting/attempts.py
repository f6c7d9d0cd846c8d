"""Finds out what became of the attempt that holds a branch's lease, whichever request's it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from amplify_jobs.errors import BranchBusy, RetryableError, StartUnresolved
from amplify_jobs.model.job import BranchRef, Job
from amplify_jobs.model.operations import Operation
from amplify_jobs.starting.lease import Adopt, Attempt, Lease, ListedJob, Release, Wait
from amplify_jobs.starting.protocols import Leases, ListsOfHosting


@dataclass(frozen=True)
class Attempts:
    """The attempts of branches: what they started is recorded, and their leases are released."""

    hosting: ListsOfHosting
    jobs: Leases
    now: Callable[[], datetime]

    def list_jobs(self, branch: BranchRef) -> Sequence[ListedJob]:
        """List the newest jobs of a branch. Raises RequestRejected, Throttled or ServiceTrouble."""
        return self.hosting.list_jobs(branch.app_id, branch.name)

    def resolve(self, start_id: str, branch: BranchRef, lease: Lease, step: Adopt | Release | Wait) -> None:
        """Take the step that was decided for the attempt of a lease. Raises StartUnresolved or BranchBusy to wait."""
        match step:
            case Adopt(attempt, listed_job):
                # If the lease has changed hands since it was read, the job could be the next holder's.
                if self.jobs.lease(branch) == lease and self.settle(branch, attempt, listed_job) is None:
                    # Another request has the job: the attempt came to nothing.
                    self.jobs.release_lease(branch, attempt, attempt.highest_job_id)
            case Release(attempt):
                self.jobs.release_lease(branch, attempt, attempt.highest_job_id)
            case Wait(attempt):
                raise _too_early(start_id, attempt)

    def settle(self, branch: BranchRef, attempt: Attempt, listed_job: ListedJob) -> Job | None:
        """Record the job of an attempt, then release the lease; None, with nothing done, if another request has it.

        In this order: whoever finds the branch free finds the job's record, too.
        """
        job = Job(
            operation=_operation(attempt),
            app_id=branch.app_id,
            branch_name=branch.name,
            job_id=listed_job.job_id,
            job_type=listed_job.job_type or attempt.job_type,
        )
        if not self._claim(branch, attempt, job):
            return None
        self.jobs.link_request_to_job(attempt.request_id, job, self.now())
        self.jobs.release_lease(branch, attempt, max(attempt.highest_job_id, int(job.job_id)))
        return job

    def _claim(self, branch: BranchRef, attempt: Attempt, job: Job) -> bool:
        # A retried start has the request's id with a number behind it (StartRequest.start_id).
        request_id = attempt.request_id.partition("#")[0]
        if self.jobs.claim_job(branch.region, request_id, job, self.now()):
            return True
        # A record that has ended is of a branch of the same name that was deleted: Amplify counts its jobs anew. Only a
        # deployment's job may be older than its start.
        is_new = attempt.deployment_id is None
        return is_new and self.jobs.claim_job_anew(branch.region, request_id, job, self.now())


def _operation(attempt: Attempt) -> Operation:
    is_deployment = attempt.source_url is not None or attempt.deployment_id is not None
    return Operation.START_DEPLOYMENT if is_deployment else Operation.START_JOB


def _too_early(start_id: str, attempt: Attempt) -> RetryableError:
    if attempt.request_id == start_id:
        return StartUnresolved("The answer to the start was lost; ListJobs does not show the job yet.")
    return BranchBusy(f"Request {attempt.request_id} is being started on this branch right now.")
