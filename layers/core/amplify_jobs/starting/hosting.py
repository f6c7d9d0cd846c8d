"""Starts a job of Amplify Hosting: once for its request, and as the latest where its request supersedes older ones."""

from __future__ import annotations

from amplify_jobs.model.job import BranchRef, Job
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
        self._once = OnceStarter(hosting, resources.jobs, resources.now)
        self._latest = LatestStarter(self._once, hosting, resources.jobs, resources.wake, resources.now)

    def start(self, start_id: str, request: JobRequest, parameters: HostingParameters) -> Job:
        branch = BranchRef(self._region, parameters.app_id, parameters.branch_name)
        start = BranchStart(start_id, request.operation, branch, parameters)
        if not request.supersede:
            return self._once.start(start)
        event_time = request.event_time or request.received_at
        superseding = SupersedingRequest(request.request_id, event_time, request.received_at)
        return self._latest.start(start, superseding, request.cause.kind)
