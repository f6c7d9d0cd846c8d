"""Composes the announcement of a notification: the job, its outcome, and where to look."""

from __future__ import annotations

import re
from urllib.parse import quote

from amplify_jobs.announcing.announcement import (
    AnnouncedJob,
    AnnouncedStep,
    Announcement,
    DetailType,
    JobFinished,
    JobRejected,
    JobStarted,
    Links,
    Outcome,
)
from amplify_jobs.announcing.notification import Notification
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.job import JobState, State, Step
from amplify_jobs.model.request import Cause
from amplify_jobs.model.results import limit_results
from amplify_jobs.text import presentable

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class AppNames(GrowingModel):
    """The names of an app and a branch, as far as Amplify answered; `exists` is False if Amplify knows no such app."""

    exists: bool = True
    app_name: str | None = None
    default_domain: str | None = None
    display_name: str | None = None

    def fill_from(self, earlier: AppNames) -> AppNames:
        """Take missing names from earlier ones, and the app's name always: all announcements of a request agree."""
        return AppNames(
            exists=self.exists,
            app_name=earlier.app_name or self.app_name,
            default_domain=self.default_domain or earlier.default_domain,
            display_name=self.display_name or earlier.display_name,
        )

    def as_stored(self) -> dict[str, str]:
        """The names for the record of the request's announcements."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"exists"})


class StackInfo(GrowingModel):
    """The account and Region of the announcing stack, and the patterns of its links."""

    account: str
    region: str
    console_url: str
    site_url: str


def compose(notification: Notification, names: AppNames, stack: StackInfo) -> Announcement:
    """Make the announcement that a notification asks for."""
    state = notification.state
    if state is None:
        return _rejected(notification, names, stack)
    if notification.detail_type is DetailType.JOB_STARTED:
        return _started(notification, state, names, stack)
    return _finished(notification, state, names, stack)


def _started(notification: Notification, state: JobState, names: AppNames, stack: StackInfo) -> JobStarted:
    request = notification.request
    return JobStarted(
        request_id=request.request_id,
        route=request.route,
        account=stack.account,
        region=stack.region,
        execution=notification.execution,
        cause=_cause(cause_of(request.cause, state)),
        requested_at=request.received_at,
        job=_job(state, names),
        links=links(state, names, stack),
        warnings=_warnings(state),
    )


def _finished(notification: Notification, state: JobState, names: AppNames, stack: StackInfo) -> JobFinished:
    request = notification.request
    return JobFinished(
        request_id=request.request_id,
        route=request.route,
        account=stack.account,
        region=stack.region,
        execution=notification.execution,
        cause=_cause(cause_of(request.cause, state)),
        requested_at=request.received_at,
        job=_job(state, names),
        outcome=Outcome(state.state.value) if state.state.is_outcome else Outcome.UNKNOWN,
        duration_seconds=_duration_seconds(state),
        reason=presentable(state.reason),
        failed_step=_step(state.failed_step) if state.failed_step else None,
        steps=tuple(_step(step) for step in state.steps),
        links=links(state, names, stack),
        warnings=_warnings(state),
        results=limit_results(state.results) if state.results else None,
        attempts=notification.attempts,
        superseded_by=state.superseded_by,
        failure=state.failure,
        commit_built=state.commit_built,
    )


def _rejected(notification: Notification, names: AppNames, stack: StackInfo) -> JobRejected:
    request = notification.request
    return JobRejected(
        request_id=request.request_id,
        route=request.route,
        account=stack.account,
        region=stack.region,
        execution=notification.execution,
        cause=_cause(request.cause),
        requested_at=request.received_at,
        operation=request.operation,
        app_id=request.app_id,
        app_name=presentable(names.app_name),
        branch_name=request.branch_name,
        environment_name=request.environment_name,
        reason=presentable(notification.reason),
        outcome="CANCELLED" if notification.is_cancelled else "REJECTED",
        superseded_by=notification.superseded_by,
    )


def links(state: JobState, names: AppNames, stack: StackInfo) -> Links:
    """Fill in the patterns of the links.

    A link is left out if a value of its pattern is unknown, or if it leads to an app or a job that is gone.
    """
    values: dict[str, str | None] = {
        "region": stack.region,
        "appId": state.job.app_id,
        "branchName": state.job.branch_name and quote(state.job.branch_name, safe=""),
        "jobId": state.job.job_id,
        "displayName": names.display_name,
        "defaultDomain": names.default_domain,
    }
    return Links(
        console=_link(stack.console_url, values) if names.exists and not state.gone else None,
        site=_link(stack.site_url, values) if names.exists else None,
    )


def _link(pattern: str, values: dict[str, str | None]) -> str | None:
    if not pattern or any(values.get(name) is None for name in _PLACEHOLDER.findall(pattern)):
        return None
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), pattern)


def cause_of(cause: Cause, state: JobState) -> Cause:
    """The cause of a job; of one that somebody else started, with what Amplify tells of it.

    Such a job that builds the tip of its branch has its commit at the end, when the log tells it.
    """
    origin = state.job.origin
    if origin is None:
        return cause
    members = {
        "host": origin.host,
        "repository": origin.repository,
        "commit": origin.commit or state.commit_built,
        "message": origin.message,
    }
    return cause.model_copy(update=members)


def _cause(cause: Cause) -> Cause:
    return cause.model_copy(
        update={
            "message": presentable(cause.message),
            "author": presentable(cause.author),
            "pusher": presentable(cause.pusher),
            "reason": presentable(cause.reason),
        }
    )


def _job(state: JobState, names: AppNames) -> AnnouncedJob:
    job = state.job
    return AnnouncedJob(
        operation=job.operation,
        app_id=job.app_id,
        app_name=presentable(names.app_name),
        branch_name=job.branch_name,
        environment_name=job.environment_name,
        job_id=job.job_id,
        job_type=job.job_type,
        status=state.status,
        started_at=state.started_at,
        finished_at=state.finished_at,
    )


def _step(step: Step) -> AnnouncedStep:
    return AnnouncedStep(name=step.name, status=step.status, reason=presentable(step.reason))


def _warnings(state: JobState) -> tuple[str, ...]:
    return tuple(presentable(warning) for warning in state.job.warnings)


def _duration_seconds(state: JobState) -> int | None:
    started_at = state.left_queue_at or state.started_at
    # A job that timed out may still run: its duration is unknown.
    if started_at is None or state.finished_at is None or state.state is State.TIMED_OUT:
        return None
    return max(round((state.finished_at - started_at).total_seconds()), 0)
