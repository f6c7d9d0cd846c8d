"""Makes the request for a job from an event and the route that it matched, or from the event that names the job."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from amplify_jobs.events.event import Event, EventKind, PullRequestAction, request_id
from amplify_jobs.events.times import occurrence_time
from amplify_jobs.model.operations import REMOVE_PREVIEW, Operation
from amplify_jobs.model.preview_order import PreviewAction
from amplify_jobs.model.request import (
    CAUSE_MESSAGE_LIMIT,
    COMMIT_MESSAGE_LIMIT,
    JOB_REASON_LIMIT,
    Cause,
    JobRequest,
    OnTimeout,
)
from amplify_jobs.routing.matching import Matched
from amplify_jobs.routing.mirrors import mirror_order, mirror_removal
from amplify_jobs.routing.placeholders import drop_unknown_descriptions, render
from amplify_jobs.routing.previews import preview_order
from amplify_jobs.routing.pull_requests import late_opening
from amplify_jobs.routing.routes import Route


def make_job_request(
    match: Matched, event: Event, *, source: str, delivery_id: str | None, received_at: datetime
) -> JobRequest:
    """Make the request that a route, or the event itself, asks for."""
    members = _members_of_event(event) if match.route is None else _members_of_route(match.name, match.route, event)
    members["parameters"] = _with_reason(members, event)
    if match.route is not None:
        members |= _code_and_preview(match, match.route, source, event, members["parameters"])
    return JobRequest(
        request_id=_request_id(match, event, source),
        cause=_cause(event, source, delivery_id),
        received_at=received_at,
        event_time=occurrence_time(event, received_at),
        **members,
    )


def _members_of_event(event: Event) -> dict[str, Any]:
    if event.request is None:
        return {}
    return event.request.model_dump(exclude={"version", "request_id", "reason"}, exclude_none=True)


def _members_of_route(name: str | None, route: Route, event: Event) -> dict[str, Any]:
    return {
        "route": name,
        "operation": route.request.operation,
        "parameters": _parameters(route, _as_opened(route, event)),
        "timeout_minutes": route.timeout_minutes,
        "start_within_minutes": route.start_within_minutes,
        "on_timeout": route.on_timeout,
        "retry": route.retry_times,
        "retry_when": route.retry_when,
        "supersede": route.supersede,
    }


def _code_and_preview(
    match: Matched, route: Route, source: str, event: Event, parameters: dict[str, Any]
) -> dict[str, Any]:
    """What the request has of mirror and preview; one that takes a preview away has nothing of what would build it."""
    branch = str(parameters.get("branchName", ""))
    if match.removes_preview:
        return {
            "operation": REMOVE_PREVIEW,
            "parameters": {name: parameters[name] for name in ("appId", "branchName") if name in parameters},
            "mirror": mirror_removal(route, source, event, branch),
            "preview": preview_order(source, event, PreviewAction.REMOVE),
            "on_timeout": OnTimeout.LEAVE,
            "retry": 0,
            "supersede": False,
        }
    members: dict[str, Any] = {}
    if route.mirror is not None:
        members["mirror"], members["fault"] = mirror_order(str(match.name), route, source, event, branch)
    if route.preview is not None:
        members["preview"] = preview_order(source, event, PreviewAction.BUILD)
    return members


def _with_reason(members: dict[str, Any], event: Event) -> dict[str, Any]:
    """The parameters, with the sender's reason as Amplify's where they do not say any."""
    parameters: dict[str, Any] = members["parameters"]
    reason = event.request.reason if event.request else None
    if reason and members["operation"] == Operation.START_JOB and "parameters_uri" not in members:
        return {"jobReason": reason} | parameters
    return parameters


def _as_opened(route: Route, event: Event) -> Event:
    """The event as the route sees it: a pull request that now meets its conditions counts as opened."""
    conditions, pull = route.when.pull_request, event.pull_request
    if conditions is None or pull is None or event.kind is not EventKind.PULL_REQUEST:
        return event
    if not late_opening(conditions, pull):
        return event
    opened = pull.model_copy(update={"action": PullRequestAction.OPENED})
    return event.model_copy(update={"pull_request": opened})


def _parameters(route: Route, event: Event) -> dict[str, Any]:
    template = route.request.parameters
    if event.request is not None:
        template = drop_unknown_descriptions(template, EventKind.REQUEST)
    parameters: dict[str, Any] = render(template, event)
    if route.request.operation is Operation.START_JOB:
        of_commit = {
            "commitId": event.commit,
            "commitMessage": event.message,
            "commitTime": event.commit_time and event.commit_time.isoformat(),
        }
        parameters = {name: value for name, value in of_commit.items() if value} | parameters
    for name, limit in (("commitMessage", COMMIT_MESSAGE_LIMIT), ("jobReason", JOB_REASON_LIMIT)):
        if isinstance(parameters.get(name), str):
            parameters[name] = parameters[name][:limit]
    return parameters


def _request_id(match: Matched, event: Event, source: str) -> str:
    if event.request is not None:
        # Senders of requests name them as they like: two of them may use the same name.
        event = event.model_copy(update={"host": source})
    sender = re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-") or "request"
    return request_id(match.name or sender, event)


def _cause(event: Event, source: str, delivery_id: str | None) -> Cause:
    return Cause(
        source=source,
        kind=event.kind,
        repository=event.repository,
        ref=event.ref,
        branch=event.branch,
        tag=event.tag,
        commit=event.commit,
        message=event.message and event.message[:CAUSE_MESSAGE_LIMIT],
        author=event.author_name,
        pusher=event.pusher,
        pull_request=event.pull_request.number if event.pull_request else None,
        object=f"s3://{event.object.bucket}/{event.object.key}" if event.object else None,
        delivery_id=delivery_id,
        reason=event.request.reason if event.request else None,
        installation=event.installation,
    )
