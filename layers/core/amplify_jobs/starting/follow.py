"""Begins to follow a job that somebody else started, unless a request of ours started it.

An event may tell of a job before the answer to our StartJob is recorded, and the answer may be lost. So the branch's
lease decides: while it is held, the job may be the holder's, and waiting ends as it does for the next start. Once the
lease is free, no later start takes this job for its own, because its id counts as known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from amplify_jobs.errors import AlreadyFollowed, BranchBusy, NotFoundError, RequestRejected
from amplify_jobs.model.job import BranchRef, Job, JobOrigin
from amplify_jobs.model.operations import FOLLOW_JOB
from amplify_jobs.model.parameters import FollowJobParameters
from amplify_jobs.model.request import JobRequest
from amplify_jobs.starting.attempts import Attempts
from amplify_jobs.starting.lease import Lease, Send, next_step
from amplify_jobs.starting.protocols import JobsOfHosting, Leases
from amplify_jobs.starting.starter import StartResources

_TURNS = 5


@dataclass(frozen=True)
class JobClaim:
    """Makes a job the one of a follower's request; `now` is the clock."""

    hosting: JobsOfHosting
    jobs: Leases
    now: Callable[[], datetime]

    def claim(self, request_id: str, branch: BranchRef, parameters: FollowJobParameters) -> Job:
        """Claim the job. Safe to call again after any failure, a killed process included.

        Raises AlreadyFollowed if another request has it, and else as Starter.start.
        """
        job = Job(operation=FOLLOW_JOB, app_id=branch.app_id, branch_name=branch.name, job_id=parameters.job_id)
        for _ in range(_TURNS):
            lease = self.jobs.lease(branch)
            if lease.attempt is not None:
                self._resolve(request_id, branch, lease)
            # From here on no start of ours finds the job in a list and takes it for its own.
            elif self.jobs.raise_highest_job_id(branch, lease, int(job.job_id), self.now()):
                if self._is_claimed(request_id, job, branch.region, parameters.predecessor):
                    return job
                raise AlreadyFollowed(f"Another request has job {job.job_id}.")
        raise BranchBusy("Other requests keep starting jobs on this branch.")

    def _resolve(self, request_id: str, branch: BranchRef, lease: Lease) -> None:
        attempts = Attempts(self.hosting, self.jobs, self.now)
        listed_at = self.now()
        step = next_step(request_id, lease, attempts.list_jobs(branch), listed_at, may_send=False)
        if not isinstance(step, Send):
            attempts.resolve(request_id, branch, lease, step)

    def _is_claimed(self, request_id: str, job: Job, region: str, predecessor: str | None) -> bool:
        if self.jobs.claim_job(region, request_id, job, self.now()):
            return True
        return predecessor is not None and self.jobs.claim_job_anew(region, request_id, job, self.now(), predecessor)


class FollowStarter:
    """The starter of FOLLOW_JOB: it starts nothing, and gives the job with what Amplify tells of it."""

    def __init__(self, hosting: JobsOfHosting, resources: StartResources) -> None:
        self._hosting = hosting
        self._region = resources.region
        self._claim = JobClaim(hosting, resources.jobs, resources.now)
        self._link = resources.jobs.link_request_to_job
        self._now = resources.now

    def start(self, start_id: str, _request: JobRequest, parameters: FollowJobParameters) -> Job:
        branch = BranchRef(self._region, parameters.app_id, parameters.branch_name)
        job = self._claim.claim(start_id, branch, parameters)
        try:
            job = self._hosting.job_with_origin(job)
        except (NotFoundError, RequestRejected):
            # The branch or the app was deleted meanwhile, for one; whatever it is, the next poll finds it.
            job = job.model_copy(update={"origin": JobOrigin()})
        self._link(start_id, job, self._now())
        return job
