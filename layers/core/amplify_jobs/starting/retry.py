"""Starting a failed job again: as which start, and with which parameters."""

from __future__ import annotations

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.backend_models import GenerateBackendAPIModelsParameters
from amplify_jobs.model.deployment import StartDeploymentParameters
from amplify_jobs.model.job import JobState
from amplify_jobs.model.operations import Parameters
from amplify_jobs.model.request import JobRequest, JobType, StartJobParameters


def start_id(request: JobRequest, attempt: int) -> str:
    """Name a start of a request's: the first by the request's id, later ones by it and their number."""
    return request.request_id if attempt == 1 else f"{request.request_id}#{attempt}"


def retry_of(failed: JobState, parameters: Parameters) -> Parameters:
    """Give the parameters that start a failed job again; the commit of a build is the failed job's own.

    Raises RequestRejected for a deployment that was uploaded: it can be started only once.
    """
    if isinstance(parameters, StartJobParameters):
        return StartJobParameters(
            app_id=failed.job.app_id,
            branch_name=failed.job.branch,
            job_type=JobType.RETRY,
            job_id=failed.job.job_id,
            job_reason=parameters.job_reason,
        )
    if isinstance(parameters, StartDeploymentParameters):
        if parameters.job_id is not None:
            raise RequestRejected("A deployment that was uploaded can't be started again: call CreateDeployment anew.")
        return parameters
    if isinstance(parameters, GenerateBackendAPIModelsParameters):
        return parameters
    # The token of the failed codegen job would only give that job again.
    return parameters.model_copy(update={"client_token": None})
