"""Drives a start through its branch's lease: read what is known, decide, act, until the request has become a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from amplify_jobs.errors import (
    BranchBusy,
    RequestRejected,
    ServiceTrouble,
    StartUnresolved,
    Superseded,
    Throttled,
)
from amplify_jobs.model.job import BranchRef, Job
from amplify_jobs.model.parameters import HostingParameters
from amplify_jobs.starting.attempts import Attempts
from amplify_jobs.starting.lease import Attempt, Lease, ListedJob, Send, next_step
from amplify_jobs.starting.protocols import Leases, StartsOfHosting

# Each turn either ends or makes progress that another request's lease can undo only by its own progress.
_TURNS = 5


@dataclass(frozen=True)
class BranchStart:
    """A start of a job on a branch."""

    start_id: str
    operation: str
    branch: BranchRef
    parameters: HostingParameters

    def attempt(self, sent_at: datetime, highest_job_id: int) -> Attempt:
        """Make the attempt that is written before the start is sent."""
        traits = self.parameters.traits()
        return Attempt(
            self.start_id,
            sent_at,
            highest_job_id,
            traits.job_type,
            traits.commit_message,
            source_url=traits.source_url,
            deployment_id=traits.deployment_id,
        )


@dataclass(frozen=True)
class OnceStarter:
    """Starts exactly one job of Amplify Hosting for each start, as far as ListJobs shows it."""

    hosting: StartsOfHosting
    jobs: Leases
    now: Callable[[], datetime]

    def start(self, start: BranchStart, cancellation: Superseded | None = None) -> Job:
        """Start the job, or give the one that an earlier try has started.

        With `cancellation`, which says why, nothing is sent: an earlier try may have started the job, and nothing else
        counts. Safe to call again after any failure, a killed process included. Raises as Starter.start.
        """
        for _ in range(_TURNS):
            if (job := self._take_turn(start, cancellation)) is not None:
                return job
        raise BranchBusy("Other requests keep starting jobs on this branch.")

    def _take_turn(self, start: BranchStart, cancellation: Superseded | None) -> Job | None:
        """Take one step; None if the next one is to be decided anew."""
        # In this order: a request that finds this one's job records it before it releases this one's lease.
        lease = self.jobs.lease(start.branch)
        attempt = lease.attempt if lease.attempt is not None and lease.attempt.request_id == start.start_id else None
        progress = self.jobs.progress(start.start_id)
        if (job := progress.job) is not None:
            if attempt is not None:
                self.jobs.release_lease(start.branch, attempt, max(attempt.highest_job_id, int(job.job_id)))
            return job
        if progress.stop is not None:
            cancellation = Superseded(progress.stop)
        if cancellation is not None and attempt is None:
            raise cancellation
        listed_at = self.now()
        listed = self._list_jobs(start.branch, is_unresolved=attempt is not None)
        step = next_step(start.start_id, lease, listed, listed_at, may_send=cancellation is None)
        if isinstance(step, Send):
            return self._send(start, lease, step.highest_job_id)
        self._attempts.resolve(start.start_id, start.branch, lease, step)
        return None

    def _list_jobs(self, branch: BranchRef, *, is_unresolved: bool) -> Sequence[ListedJob]:
        try:
            return self._attempts.list_jobs(branch)
        except ServiceTrouble as error:
            if not is_unresolved:
                raise
            raise StartUnresolved(
                f"The answer to the start was lost, and the job can't be searched for: {error}"
            ) from None

    def _send(self, start: BranchStart, lease: Lease, highest_job_id: int) -> Job | None:
        attempt = start.attempt(self.now(), highest_job_id)
        if not self.jobs.acquire_lease(start.branch, attempt, lease):
            return None
        try:
            listed_job = self.hosting.send(start.parameters)
        except (RequestRejected, Throttled, BranchBusy, ServiceTrouble):
            self.jobs.release_lease(start.branch, attempt, highest_job_id)
            raise
        job = self._attempts.settle(start.branch, attempt, listed_job)
        if job is None:
            self.jobs.release_lease(start.branch, attempt, highest_job_id)
            raise RequestRejected(f"Amplify answered with job {listed_job.job_id}, which it had started before.")
        return job

    @property
    def _attempts(self) -> Attempts:
        return Attempts(self.hosting, self.jobs, self.now)
