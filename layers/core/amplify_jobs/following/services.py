"""The service that runs a job: the source of its state, and what stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from amplify_jobs.model.job import Job, JobState


class JobService(Protocol):
    """A service of the registry of operations. Only Amplify Hosting stops jobs."""

    def get_job(self, job: Job) -> JobState: ...

    def stop_job(self, job: Job) -> None: ...


@dataclass(frozen=True)
class JobServices:
    """The services by operation, as aws.services connects them."""

    services: Mapping[str, JobService]

    def get_job(self, job: Job) -> JobState:
        """Ask the job's service for its state. Raises NotFoundError, RequestRejected, Throttled or ServiceTrouble."""
        return self.services[job.operation].get_job(job)

    def stop_job(self, job: Job) -> None:
        """Have a job of Amplify Hosting stopped. Raises RequestRejected, Throttled or ServiceTrouble."""
        self.services[job.operation].stop_job(job)
