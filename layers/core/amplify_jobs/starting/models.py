"""Starts a job that generates a backend API's models. The call has no token: a lost answer's job is searched for."""

from __future__ import annotations

from amplify_jobs.errors import BranchBusy, RequestRejected, ServiceTrouble, StartUnresolved, Throttled
from amplify_jobs.model.job import Job
from amplify_jobs.model.parameters import GenerateBackendAPIModelsParameters
from amplify_jobs.model.request import JobRequest
from amplify_jobs.starting.lease import RESOLVED_AFTER, ModelsAttempt
from amplify_jobs.starting.protocols import Backend
from amplify_jobs.starting.starter import StartResources


class ModelsStarter:
    """The starter of GenerateBackendAPIModels.

    An environment has one such job at a time. So if the answer was lost, a job that was not there before is the start's
    own, or began after the start was sent, and serves as well: it reads the same schema.
    """

    def __init__(self, backend: Backend, resources: StartResources) -> None:
        self._backend = backend
        self._jobs = resources.jobs
        self._now = resources.now

    def start(self, start_id: str, request: JobRequest, parameters: GenerateBackendAPIModelsParameters) -> Job:
        if (job := self._jobs.job_of_request(start_id)) is not None:
            return job
        job_id = self._job_id(start_id, parameters)
        job = Job(
            operation=request.operation,
            app_id=parameters.app_id,
            environment_name=parameters.backend_environment_name,
            job_id=job_id,
        )
        self._jobs.link_request_to_job(start_id, job, self._now())
        return job

    def _job_id(self, start_id: str, parameters: GenerateBackendAPIModelsParameters) -> str:
        attempt = self._jobs.models_attempt(start_id)
        listed_at = self._now()
        listed = self._list_jobs(parameters, is_unresolved=attempt is not None)
        if attempt is not None:
            new = [job_id for job_id in listed if job_id not in attempt.jobs_before]
            if new:
                return new[-1]
            if listed_at - attempt.sent_at < RESOLVED_AFTER:
                raise StartUnresolved(
                    "The answer to GenerateBackendAPIModels was lost; ListBackendJobs does not show the job yet."
                )
        self._jobs.save_models_attempt(start_id, ModelsAttempt(self._now(), tuple(listed)), self._now())
        try:
            return self._backend.generate_models(parameters)
        except (RequestRejected, Throttled, BranchBusy, ServiceTrouble):
            self._jobs.save_models_attempt(start_id, None, self._now())
            raise

    def _list_jobs(self, parameters: GenerateBackendAPIModelsParameters, *, is_unresolved: bool) -> list[str]:
        try:
            return self._backend.model_jobs(parameters.app_id, parameters.backend_environment_name)
        except ServiceTrouble as error:
            if not is_unresolved:
                raise
            raise StartUnresolved(
                f"The answer to the start was lost, and the job can't be searched for: {error}"
            ) from None
