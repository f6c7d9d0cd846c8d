"""Starts a job that generates a backend API's models; the call has no token, so a lost answer is looked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from amplify_jobs.errors import BranchBusy, RequestRejected, ServiceTrouble, StartUnresolved, Throttled
from amplify_jobs.model.job import Job
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.parameters import GenerateBackendAPIModelsParameters
from amplify_jobs.starting.lease import RESOLVED_AFTER, ModelsAttempt


class Backend(Protocol):
    """What is asked of Amplify Backend; backend.Backend does it."""

    def generate_models(self, parameters: GenerateBackendAPIModelsParameters) -> str: ...

    def model_jobs(self, app_id: str, environment_name: str) -> list[str]: ...


class Attempts(Protocol):
    """What is asked of the jobs table; aws.jobs_table does it."""

    def job_of_request(self, request_id: str) -> Job | None: ...

    def models_attempt(self, request_id: str) -> ModelsAttempt | None: ...

    def save_models_attempt(self, request_id: str, attempt: ModelsAttempt | None, now: datetime) -> None: ...

    def link_request_to_job(self, request_id: str, job: Job, now: datetime) -> None: ...


def start_models_job(
    request_id: str,
    parameters: GenerateBackendAPIModelsParameters,
    *,
    backend: Backend,
    store: Attempts,
    now: Callable[[], datetime],
) -> Job:
    """Start the job that a request asks for once, as far as ListBackendJobs shows it, and say which job it is.

    An environment has one such job at a time. So if the answer was lost, a job that was not there before is ours, or
    began after ours was asked for, and serves as well: it reads the same schema.
    Raises RequestRejected; Throttled, BranchBusy, StartUnresolved or ServiceTrouble if it is to be called again later.
    """

    def became(job_id: str) -> Job:
        job = Job(
            operation=Operation.GENERATE_BACKEND_API_MODELS,
            app_id=parameters.app_id,
            environment_name=parameters.backend_environment_name,
            job_id=job_id,
        )
        store.link_request_to_job(request_id, job, now())
        return job

    if (known := store.job_of_request(request_id)) is not None:
        return known
    attempt = store.models_attempt(request_id)
    asked_at = now()
    try:
        listed = backend.model_jobs(parameters.app_id, parameters.backend_environment_name)
    except ServiceTrouble as trouble:
        if attempt is None:
            raise
        raise StartUnresolved(f"The answer to the start was lost, and the job can't be looked for: {trouble}") from None
    if attempt is not None:
        new = [job_id for job_id in listed if job_id not in attempt.jobs_before]
        if new:
            return became(new[-1])
        if asked_at - attempt.sent_at < RESOLVED_AFTER:
            raise StartUnresolved(
                "The answer to GenerateBackendAPIModels was lost; ListBackendJobs does not show the job yet."
            )
    store.save_models_attempt(request_id, ModelsAttempt(now(), tuple(listed)), now())
    try:
        job_id = backend.generate_models(parameters)
    except (RequestRejected, Throttled, BranchBusy, ServiceTrouble):
        store.save_models_attempt(request_id, None, now())
        raise
    return became(job_id)
