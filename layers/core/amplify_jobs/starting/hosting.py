"""Starts a job of Amplify Hosting: once for its request, and as the latest where its request supersedes older ones."""

from __future__ import annotations

from contextlib import suppress

from amplify_jobs.errors import RequestRejected, Superseded
from amplify_jobs.model.job import BranchRef, Job, JobRef
from amplify_jobs.model.parameters import HostingParameters
from amplify_jobs.model.request import JobRequest
from amplify_jobs.starting.latest import LatestStarter
from amplify_jobs.starting.once import BranchStart, OnceStarter
from amplify_jobs.starting.protocols import Hosting
from amplify_jobs.starting.starter import StartResources
from amplify_jobs.starting.superseding import SupersedingRequest


class HostingStarter:
    """The starter of StartJob and StartDeployment."""

    def __init__(self, hosting: Hosting, resources: StartResources) -> None:
        self._region = resources.region
        self._hosting = hosting
        self._jobs = resources.jobs
        self._now = resources.now
        self._once = OnceStarter(hosting, resources.jobs, resources.now)
        self._latest = LatestStarter(self._once, hosting, resources.jobs, resources.wake, resources.now)

    def start(self, start_id: str, request: JobRequest, parameters: HostingParameters) -> Job:
        """Start the job, unless a person stopped the request; stop it, if that came meanwhile.

        Who stops writes the order down first and looks for the job then, and here the job is recorded before the order
        is looked for: so one of both sees the other, whatever comes first (steering/orders.py).
        """
        branch = BranchRef(self._region, parameters.app_id, parameters.branch_name)
        start = BranchStart(start_id, request.operation, branch, parameters)
        # The first start finds the order where it looks for its job.
        stop = self._jobs.stop_of_request(request.request_id) if start_id != request.request_id else None
        job = self._start(start, request) if stop is None else self._once.start(start, Superseded(stop))
        if self._jobs.stop_of_request(request.request_id) is not None:
            self._stop(branch, job)
        return job

    def _start(self, start: BranchStart, request: JobRequest) -> Job:
        if not request.supersede:
            return self._once.start(start)
        event_time = request.event_time or request.received_at
        superseding = SupersedingRequest(request.request_id, event_time, request.received_at)
        return self._latest.start(start, superseding, request.cause.kind)

    def _stop(self, branch: BranchRef, job: Job) -> None:
        # Refused for a job that has ended; its execution finds its outcome.
        with suppress(RequestRejected):
            self._hosting.stop_job(job)
        # The execution, which does not wait yet, looks at once.
        self._jobs.record_status_change(JobRef(branch, job.job_id), self._now())
