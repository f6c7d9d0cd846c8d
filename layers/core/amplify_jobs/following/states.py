"""Asking for a job's state at whichever service runs it."""

from __future__ import annotations

from dataclasses import dataclass

from amplify_jobs.aws.amplify import Amplify
from amplify_jobs.aws.amplify_backend import Backend
from amplify_jobs.aws.ui_builder import UiBuilder
from amplify_jobs.model.job import Job, JobState
from amplify_jobs.model.request import Operation


@dataclass(frozen=True)
class JobStates:
    """Amplify Hosting, UI Builder and Backend."""

    hosting: Amplify
    ui_builder: UiBuilder
    backend: Backend

    def get_job(self, job: Job) -> JobState:
        """Ask the job's service for its state. Raises NotFound, RequestRejected, Throttled or ServiceTrouble."""
        match job.operation:
            case Operation.START_CODEGEN_JOB:
                return self.ui_builder.get_codegen_job(job)
            case Operation.GENERATE_BACKEND_API_MODELS:
                return self.backend.get_backend_job(job)
            case _:
                return self.hosting.get_job(job)
