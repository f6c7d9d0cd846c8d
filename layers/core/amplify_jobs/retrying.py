"""Starting a failed job again: as which start, and with which parameters."""

from __future__ import annotations

from amplify_jobs.jobs import JobState
from amplify_jobs.requests import JobRequest, JobType, StartJobParameters


def start_id(request: JobRequest, attempt: int) -> str:
    """Name a start of a request's: the first by the request's id, later ones by it and their number."""
    return request.request_id if attempt == 1 else f"{request.request_id}#{attempt}"


def retry_of(failed: JobState, parameters: StartJobParameters) -> StartJobParameters:
    """Give the parameters of StartJob that start a failed job again; the commit is the failed job's own."""
    return StartJobParameters(
        app_id=failed.job.app_id,
        branch_name=failed.job.branch_name,
        job_type=JobType.RETRY,
        job_id=failed.job.job_id,
        job_reason=parameters.job_reason,
    )
