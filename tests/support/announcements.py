"""Announcements of one job, as compose makes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from amplify_jobs.announcing.announcement import DetailType, JobFinished, JobRejected, JobStarted
from amplify_jobs.announcing.compose import AppNames, StackInfo, compose
from amplify_jobs.announcing.notification import Notification
from amplify_jobs.model.job import Job, JobState, State, Step
from amplify_jobs.model.request import Cause, JobRequest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STACK = StackInfo(
    account="123456789012",
    region="eu-west-1",
    console_url="https://{region}.console.aws.amazon.com/amplify/apps/{appId}/branches/{branchName}/deployments/{jobId}",
    site_url="https://{displayName}.{defaultDomain}/",
)
NAMES = AppNames(app_name="web", default_domain="d1a2b3c4d5e6.amplifyapp.com", display_name="feature-header")
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:amplify-jobs:web-0123456789abcdef0123456789abcdef"
REQUEST = JobRequest(
    request_id="web-0123456789abcdef0123456789abcdef",
    route="web",
    operation="start_job",
    parameters={"appId": "d1a2b3c4d5e6", "branchName": "feature/header", "jobType": "RELEASE"},
    cause=Cause(
        source="github",
        kind="push",
        repository="acme/web",
        ref="refs/heads/feature/header",
        branch="feature/header",
        commit="89205432f5b72b15f33c8d9bd2a1bde3c0e4f5a6",
        message="Fix the header\n\nIt was too high.",
        author="Ada",
        delivery_id="72d3162e-cc78-11e3-81ab-4c9367dc0958",
    ),
    received_at=NOW,
)
JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="feature/header", job_id="7", job_type="RELEASE")
FAILED = JobState(
    job=JOB,
    state=State.FAILED,
    status="FAILED",
    started_at=NOW,
    finished_at=NOW + timedelta(seconds=202),
    reason="npm ci failed",
    steps=(
        Step(name="BUILD", status="FAILED", started_at=NOW + timedelta(seconds=10), reason="npm ci failed"),
        Step(name="DEPLOY", status="CANCELLED"),
    ),
)


def started(request: JobRequest, state: JobState, names: AppNames = NAMES, stack: StackInfo = STACK) -> JobStarted:
    detail = compose(Notification(DetailType.JOB_STARTED, request, EXECUTION, state), names, stack)
    assert isinstance(detail, JobStarted)
    return detail


def finished(request: JobRequest, state: JobState, names: AppNames = NAMES, stack: StackInfo = STACK) -> JobFinished:
    detail = compose(Notification(DetailType.JOB_FINISHED, request, EXECUTION, state), names, stack)
    assert isinstance(detail, JobFinished)
    return detail


def rejected(request: JobRequest, reason: str, names: AppNames = NAMES, stack: StackInfo = STACK) -> JobRejected:
    notification = Notification(DetailType.JOB_REJECTED, request, EXECUTION, None, reason)
    detail = compose(notification, names, stack)
    assert isinstance(detail, JobRejected)
    return detail
