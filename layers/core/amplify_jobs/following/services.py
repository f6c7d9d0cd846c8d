"""The service that runs a job: asked for its state, and told to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from amplify_jobs.model.job import Job, JobState
from amplify_jobs.model.request import Operation


class Hosting(Protocol):
    """Amplify Hosting, as aws.amplify.Amplify provides it."""

    def get_job(self, job: Job) -> JobState: ...

    def stop_job(self, job: Job) -> None: ...


class UiBuilder(Protocol):
    """UI Builder, as aws.ui_builder.UiBuilder provides it."""

    def get_codegen_job(self, job: Job) -> JobState: ...


class Backend(Protocol):
    """Amplify Backend, as aws.amplify_backend.Backend provides it."""

    def get_backend_job(self, job: Job) -> JobState: ...


@dataclass(frozen=True)
class JobServices:
    """Amplify Hosting, UI Builder and Backend."""

    hosting: Hosting
    ui_builder: UiBuilder
    backend: Backend

    def get_job(self, job: Job) -> JobState:
        """Ask the job's service for its state. Raises NotFoundError, RequestRejected, Throttled or ServiceTrouble."""
        match job.operation:
            case Operation.START_CODEGEN_JOB:
                return self.ui_builder.get_codegen_job(job)
            case Operation.GENERATE_BACKEND_API_MODELS:
                return self.backend.get_backend_job(job)
            case _:
                return self.hosting.get_job(job)

    def stop_job(self, job: Job) -> None:
        """Have a job of Amplify Hosting stopped. Raises RequestRejected, Throttled or ServiceTrouble."""
        self.hosting.stop_job(job)
