"""Faults of what a route requests: options that its operation lacks, and values that its event lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from amplify_jobs.events.event import EventKind
from amplify_jobs.model.request import OnTimeout, RetryWhen, unsupported_members
from amplify_jobs.routing.conditions import When
from amplify_jobs.routing.placeholders import iter_strings, placeholders_in, values_of
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.values import member, members
from amplify_jobs_cli.suggestions import one_of

# Members of a request -> their places in a route, where these differ.
_PLACES = {"retryWhen": ("retry", "when")}


def operation_faults(value: Any) -> Iterator[Problem]:
    """Find options of routes that their operations do not have."""
    for name, route in members(value, "routes"):
        operation = member(member(route, "request"), "operation")
        on_timeout = OnTimeout.STOP if member(route, "onTimeout") == OnTimeout.STOP else OnTimeout.LEAVE
        is_transient = member(member(route, "retry"), "when") == RetryWhen.TRANSIENT
        retry_when = RetryWhen.TRANSIENT if is_transient else RetryWhen.FAILED
        supersede = member(route, "supersede") is True
        if isinstance(operation, str):
            for key, message in unsupported_members(operation, supersede, on_timeout, retry_when):
                yield Problem(("routes", name, *_PLACES.get(key, (key,))), message, "key")


def placeholder_faults(value: Any) -> Iterator[Problem]:
    """Find placeholders that stand for no value, or for none of the event that the route waits for."""
    for name, route in members(value, "routes"):
        kinds = _event_kinds(member(route, "when"))
        values = values_of(kinds or tuple(EventKind))
        event = " or ".join(kinds).replace("_", " ") or "event"
        event = f"{'an' if event[0] in 'aeio' else 'a'} {event}"
        parameters = member(member(route, "request"), "parameters")
        for path, text in iter_strings(parameters, ("routes", name, "request", "parameters")):
            for placeholder in dict.fromkeys(placeholders_in(text)):
                if placeholder in values:
                    continue
                if values:
                    yield Problem(path, f"unknown value {placeholder} of {event}; {one_of(placeholder, values)}")
                else:
                    yield Problem(path, f"{event} has no values like {placeholder}; leave it out")


def _event_kinds(when: Any) -> tuple[EventKind, ...]:
    """The kinds of events that a condition waits for; none where the condition is wrong."""
    try:
        return When.model_validate_json(json.dumps(when), strict=True, by_alias=True, by_name=False).kinds
    except ValidationError:
        return ()
