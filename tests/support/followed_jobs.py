"""A job that an execution follows, with its request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from amplify_jobs.following.answer import FollowedJob
from amplify_jobs.model.job import Job, JobState, RecordKey, State
from amplify_jobs.model.request import Cause, JobRequest

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = Job(operation="start_job", app_id="d1", branch_name="main", job_id="7")
KEY = RecordKey({"pk": "eu-west-1#d1#main", "sk": "job#0000000007"})
MINUTE = timedelta(minutes=1)


def request(**members: Any) -> JobRequest:
    return JobRequest(
        request_id="web-1",
        operation="start_job",
        parameters={"appId": "d1", "branchName": "main", "jobType": "RELEASE"},
        cause=Cause(source="github", kind="push"),
        received_at=RECEIVED,
        **members,
    )


REQUEST = request()


def state(of: State = State.RUNNING, **members: Any) -> JobState:
    return JobState(job=JOB, state=of, **members)


def followed_job(last: JobState, *, attempt: int = 1, request: JobRequest = REQUEST) -> FollowedJob:
    return FollowedJob(request=request, job=last, key=KEY, attempt=attempt)
