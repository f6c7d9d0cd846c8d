"""Limits of what a sender may request: the `allow` of a source of Standard Webhooks and of the stack's bus.

A pure decision. Direct invocations and schedules have no limit here: IAM decides who may make them.
"""

from __future__ import annotations

from amplify_jobs.events.event import Channel, Event, RequestedJob
from amplify_jobs.routing.github_patterns import last_match
from amplify_jobs.routing.routes import Allow, Routes

# A sender may write any text as an operation or an app.
_LONGEST_TEXT = 60
# The members of parameters that name an app; Amplify Backend alone begins names with capitals.
_APP_MEMBERS = ("appId", "AppId")


def has_limits(event: Event) -> bool:
    """Whether routes may limit an event: a request that came by a webhook or the bus."""
    return event.request is not None and event.channel is not Channel.INVOCATION


def refusal(routes: Routes, source: str, event: Event) -> str | None:
    """Why the sender of a request may not make it, and where to allow it; None for every event that is allowed."""
    if event.request is None or not has_limits(event):
        return None
    # Messages of an earlier version do not name their channel.
    by_webhook = event.channel is Channel.WEBHOOK or (event.channel is None and source in routes.sources)
    if by_webhook:
        sender = routes.sources.get(source)
        allow, who, where = (sender.allow if sender else None), f"source {source}", f"sources.{source}.allow"
    else:
        allow, who, where = (routes.bus.allow if routes.bus else None), "the bus", "bus.allow"
    forbidden = _forbidden(allow, event.request) if allow is not None else None
    return forbidden and f"{who} may not request {forbidden}; allow it under {where} in routes.yaml"


def _forbidden(allow: Allow, request: RequestedJob) -> str | None:
    """What of a request is not allowed."""
    if request.route is not None:
        return None if last_match(allow.routes or (), request.route) else f"route {request.route}"
    operation = request.operation or ""
    if operation not in (allow.operations or ()):
        return f"operation {_shortened(operation)}"
    if allow.apps is None:
        return None
    # The members of parametersUri do not replace those of parameters: an app that is named here is the job's app.
    parameters = request.parameters or {}
    apps = [parameters[name] for name in _APP_MEMBERS if name in parameters]
    if not apps:
        return f"{_shortened(operation)} without appId in parameters"
    for app in apps:
        if not isinstance(app, str):
            return f"{_shortened(operation)} of an app whose id is not a text"
        if app not in allow.apps:
            return f"{_shortened(operation)} of app {_shortened(app)}"
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
