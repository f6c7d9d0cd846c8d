"""Matching: what the routes make of an event, decided without input or output and without ever raising."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amplify_jobs.branch_patterns import matches
from amplify_jobs.events import Event, EventKind, request_id
from amplify_jobs.requests import COMMIT_MESSAGE_LIMIT, JOB_REASON_LIMIT, Cause, JobRequest
from amplify_jobs.routes import PLACEHOLDER, PLACEHOLDERS, Push, Route, Routes

# Amplify's own marker is [skip-cd]; the other two are what git hosts agree on.
SKIP_MARKERS = ("[skip ci]", "[ci skip]", "[skip-cd]")
# Announcements show the message's beginning; the whole of it travels once, as commitMessage.
CAUSE_MESSAGE_LIMIT = 1_000


@dataclass(frozen=True)
class Matched:
    """A route that asks for a job because of the event."""

    name: str
    route: Route


@dataclass(frozen=True)
class Ignored:
    """Why a route asks for nothing; without a route, why nothing was looked for."""

    route: str | None
    reason: str


def decide(routes: Routes, event: Event) -> list[Matched | Ignored]:
    """Say for each route whether the event concerns it."""
    if event.kind is EventKind.PING:
        return [Ignored(None, "a ping asks for no job; the webhook works")]
    if not routes.routes:
        return [Ignored(None, "there are no routes")]
    decisions: list[Matched | Ignored] = []
    for name, route in routes.routes.items():
        reason = _against(route.when.push, event)
        decisions.append(Matched(name, route) if reason is None else Ignored(name, reason))
    return decisions


def requested_job(
    matched: Matched, event: Event, *, source: str, delivery_id: str | None, received_at: datetime
) -> JobRequest:
    """Make the request that a route asks for: placeholders filled, commit, message and time of the push added."""
    return JobRequest(
        request_id=request_id(matched.name, event),
        route=matched.name,
        operation=matched.route.request.operation,
        parameters=_parameters(matched.route.request.parameters, event),
        timeout_minutes=matched.route.timeout_minutes,
        start_within_minutes=matched.route.start_within_minutes,
        cause=Cause(
            source=source,
            kind=event.kind,
            repository=event.repository,
            ref=event.ref,
            branch=event.branch,
            tag=event.tag,
            commit=event.commit,
            message=event.message and event.message[:CAUSE_MESSAGE_LIMIT],
            author=event.author_name,
            delivery_id=delivery_id,
        ),
        received_at=received_at,
    )


def _against(push: Push, event: Event) -> str | None:
    """The first condition of a route on pushes that the event does not meet."""
    if (event.repository or "").casefold() != push.repository.casefold():
        return f"repository {event.repository} is not {push.repository}"
    if event.kind is not EventKind.PUSH or event.branch is None:
        return f"{event.ref} is a {event.kind}, and the route waits for pushes to branches"
    if not matches(push.branches, event.branch):
        return f"branch {event.branch} does not match {', '.join(push.branches)}"
    if event.deleted:
        return f"branch {event.branch} was deleted"
    message = (event.message or "").casefold()
    marker = next((marker for marker in SKIP_MARKERS if marker in message), None)
    return f"the head commit's message says {marker}" if marker else None


def _parameters(template: dict[str, Any], event: Event) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "commitId": event.commit,
        "commitMessage": event.message,
        "commitTime": event.commit_time and event.commit_time.isoformat(),
    }
    parameters = {name: value for name, value in parameters.items() if value} | _filled(template, event)
    for name, limit in (("commitMessage", COMMIT_MESSAGE_LIMIT), ("jobReason", JOB_REASON_LIMIT)):
        if isinstance(parameters.get(name), str):
            parameters[name] = parameters[name][:limit]
    return parameters


def _filled(template: Any, event: Event) -> Any:
    if isinstance(template, str):
        return PLACEHOLDER.sub(lambda found: getattr(event, PLACEHOLDERS[found[0]]) or "", template)
    if isinstance(template, dict):
        return {name: _filled(value, event) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, event) for value in template]
    return template
