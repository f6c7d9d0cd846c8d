"""Rollbacks: which earlier job of a branch is built again, and the request that brings exactly that live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.errors import ConflictError
from amplify_jobs.indexing.answers import RequestSummary
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.request import JobRequest
from amplify_jobs.steering.rollback_order import RollbackOrder


def former_job(requests: Sequence[RequestSummary], order: RollbackOrder) -> RequestSummary:
    """The request whose job is to be built again, of finished ones. Raises ConflictError if there is none."""
    place = f"{order.branch} of {order.app}"
    live = [request for request in requests if request.outcome == Outcome.SUCCEEDED and request.job_id]
    live.sort(key=lambda request: request.ended_at.timestamp() if request.ended_at else 0, reverse=True)
    if order.job is not None:
        chosen = next((request for request in live if request.job_id == order.job), None)
        if chosen is None:
            raise ConflictError(
                f"no job {order.job} of {place} is known that succeeded; "
                f"amplify-jobs jobs --app {order.app} --branch {order.branch} lists its jobs"
            )
        return chosen
    if not live:
        raise ConflictError(f"no job of {place} is known that succeeded: there is nothing to go back to")
    now, *before = live
    former = next((request for request in before if _differs(request, now)), None)
    if former is None:
        raise ConflictError(f"nothing else is known that was live on {place} before job {now.job_id}")
    return former


def _differs(request: RequestSummary, live: RequestSummary) -> bool:
    return request.commit_built is None or request.commit_built != live.commit_built


def rollback_request(request: JobRequest, former: RequestSummary, now: datetime) -> JobRequest:
    """The repeated request of a former job, such that it brings exactly the same live. Raises ConflictError."""
    if request.operation == Operation.START_DEPLOYMENT:
        _check_deployment(request, former)
        return request.model_copy(update={"event_time": now})
    if request.operation != Operation.START_JOB:
        raise ConflictError(f"job {former.job_id} is of {request.operation}, which brings no version of an app live")
    if request.mirror is None:
        raise ConflictError(
            f"Amplify builds the newest commit of {former.branch_name} and no earlier one: the app is connected to its "
            "Git host directly. Revert the change in Git and push, or have the route mirrored: docs/mirrors.md"
        )
    commit = former.commit_built
    if commit is None:
        raise ConflictError(f"Amplify did not tell which commit job {former.job_id} built; choose another job")
    mirror = request.mirror.model_copy(update={"commit": commit, "before": None, "may_go_back": True})
    of_commit = {"commitId": commit} if "commitId" in request.parameters else {}
    changes = {
        "mirror": mirror,
        "parameters": request.parameters | of_commit,
        "event_time": now,
        "cause": request.cause.model_copy(update={"commit": commit}),
    }
    return request.model_copy(update=changes)


def _check_deployment(request: JobRequest, former: RequestSummary) -> None:
    artifact, version, url = (request.parameters.get(name) for name in ("artifact", "artifactVersion", "sourceUrl"))
    if artifact and version:
        return
    if artifact:
        reason = (
            f"it does not name the version of {artifact}, whose content may be another one by now. Turn the bucket's "
            'versioning on and add artifactVersion: "{version}" to the route'
        )
    elif url:
        reason = "what its sourceUrl leads to may be another content by now. Deploy artifacts of a bucket with versions"
    else:
        reason = "its zip was uploaded, and is deployed only once. Deploy artifacts of a bucket with versions"
    raise ConflictError(f"job {former.job_id} can't be deployed again as it was: {reason}")
