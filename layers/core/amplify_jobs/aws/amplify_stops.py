"""Stops of jobs of Amplify Hosting, for all who stop some: requests, and previews that are taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amplify_jobs.aws.amplify_errors import amplify_call
from amplify_jobs.aws.errors import required_member
from amplify_jobs.errors import NotFoundError
from amplify_jobs.model.job import Job

if TYPE_CHECKING:
    from mypy_boto3_amplify.client import AmplifyClient


def send_stop(client: AmplifyClient, job: Job) -> None:
    """Have a job stopped (API: StopJob), unless Amplify no longer knows it.

    Raises RequestRejected where Amplify refuses, as for a job that has ended, Throttled or ServiceTrouble.
    """
    try:
        with amplify_call("StopJob"):
            answer = client.stop_job(appId=job.app_id, branchName=job.require_branch(), jobId=job.job_id)
            required_member(answer, "jobSummary", dict)
    except NotFoundError:
        return
