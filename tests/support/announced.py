"""Announcements for tests of reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from amplify_jobs.announcing.announcement import (
    AnnouncedJob,
    Announcement,
    DetailType,
    JobFinished,
    JobRejected,
    JobStarted,
    Links,
    Outcome,
)
from amplify_jobs.model.request import Cause
from amplify_jobs.reporting.report import Report

COMMIT = "3f1c9a7be2d04c55a6e0b1c2d3e4f5a6b7c8d9e0"
REQUESTED = datetime(2026, 11, 27, 12, tzinfo=UTC)
JOB = AnnouncedJob(operation="start_job", app_id="d1a2b3c4d5e6", app_name="web", branch_name="main", job_id="17")
LINKS = Links(console="https://console.example/17", site="https://main.d1a2b3c4d5e6.amplifyapp.com")


def common(**changes: Any) -> dict[str, Any]:
    """The members that all announcements have."""
    cause = Cause(
        source="github",
        kind="push",
        repository="acme/web",
        ref="refs/heads/main",
        branch="main",
        commit=COMMIT,
        message="Fix the error page",
        author="Ada",
        pusher="ada",
    )
    return {
        "request_id": "web-1",
        "route": "web",
        "account": "123456789012",
        "region": "eu-west-1",
        "execution": "arn:aws:states:eu-west-1:123456789012:execution:amplify-jobs-job:web-1",
        "cause": cause,
        "requested_at": REQUESTED,
        **changes,
    }


def started(**changes: Any) -> Report:
    detail: Announcement = JobStarted(**{"job": JOB, "links": LINKS, **common(**changes)})
    return Report(DetailType.JOB_STARTED, detail)


def finished(outcome: Outcome = Outcome.SUCCEEDED, **changes: Any) -> Report:
    members = {"job": JOB, "links": LINKS, "outcome": outcome, "duration_seconds": 95, **common(**changes)}
    return Report(DetailType.JOB_FINISHED, JobFinished(**members))


def rejected(**changes: Any) -> Report:
    members = {"reason": "there is no such branch", "app_id": "d1a2b3c4d5e6", **common(**changes)}
    return Report(DetailType.JOB_REJECTED, JobRejected(**members))
