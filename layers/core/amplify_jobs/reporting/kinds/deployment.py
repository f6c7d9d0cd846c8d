"""Deployments with their environments, at GitHub and GitLab."""

from __future__ import annotations

from amplify_jobs.announcing.announcement import JobRejected
from amplify_jobs.model.operations import OPERATIONS
from amplify_jobs.reporting.call import Answer, Call, Verdict
from amplify_jobs.reporting.destination import Credentials, Destination
from amplify_jobs.reporting.hosts import CONTEXT_LIMIT, DeploymentStatus, Repository, deployments_of
from amplify_jobs.reporting.hosts.names import distinct_name
from amplify_jobs.reporting.report import Report, ReportState
from amplify_jobs.reporting.wording import description, filled
from amplify_jobs.routing.report_targets import Deployment


def subject(destination: Destination, report: Report) -> str | None:
    """Each request is a deployment of its own. Nothing was deployed where no job of a site was started."""
    cause = report.cause
    if cause.source != destination.repository_target.source or not cause.repository or not cause.commit:
        return None
    if isinstance(report.detail, JobRejected) or not _is_of_a_site(report):
        return None
    return f"{cause.repository} deployment {report.request_id}"


def call(destination: Destination, report: Report, credentials: Credentials, remote: str | None) -> Call:
    place = Repository(destination.repository_target, credentials, report.cause.repository or "")
    return deployments_of(destination).deployment_call(place, _status(destination, report), remote)


def judge(destination: Destination, report: Report, answer: Answer, remote: str | None, now: float) -> Verdict:
    return deployments_of(destination).judge_deployment(_status(destination, report), answer, remote, now)


def _status(destination: Destination, report: Report) -> DeploymentStatus:
    cause, target = report.cause, destination.target
    if not isinstance(target, Deployment):
        raise TypeError(f"{target.kind} is no deployment")
    is_of_pull_request = cause.pull_request is not None
    # The branch of a pull request's event is the one that it goes to.
    ref = cause.ref if is_of_pull_request else cause.branch or cause.tag
    return DeploymentStatus(
        request_id=report.request_id,
        commit=cause.commit or "",
        ref=ref or cause.commit or "",
        is_tag=cause.tag is not None,
        environment=distinct_name(filled(target.environment, report), CONTEXT_LIMIT),
        state=report.state,
        description=description(report, deployments_of(destination).DESCRIPTION_LIMIT),
        site=report.site if report.state is ReportState.SUCCEEDED else None,
        console=report.console,
        transient=is_of_pull_request if target.transient is None else target.transient,
        production=target.production,
    )


def _is_of_a_site(report: Report) -> bool:
    operation = getattr(getattr(report.detail, "job", None), "operation", "")
    return operation in OPERATIONS and OPERATIONS[operation].is_hosting
