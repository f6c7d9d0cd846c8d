"""Asking for a job's state at whichever service runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from amplify_jobs.model.job import Job, JobState
from amplify_jobs.model.operations import Operation


class Hosting(Protocol):
    """What is asked of Amplify Hosting; aws.amplify.Amplify does it."""

    def get_job(self, job: Job) -> JobState: ...


class UiBuilder(Protocol):
    """What is asked of UI Builder; aws.ui_builder.UiBuilder does it."""

    def get_codegen_job(self, job: Job) -> JobState: ...


class Backend(Protocol):
    """What is asked of Amplify Backend; aws.amplify_backend.Backend does it."""

    def get_backend_job(self, job: Job) -> JobState: ...


@dataclass(frozen=True)
class JobStates:
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
