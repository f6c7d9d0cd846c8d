"""Values of events: what a route can name in the parameters of its request, as {branch} or {pullRequest.number}."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amplify_jobs.events import Event, EventKind

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

_CODE = (EventKind.PUSH, EventKind.TAG, EventKind.PULL_REQUEST, EventKind.RELEASE)


@dataclass(frozen=True)
class Value:
    """A value, how an event gives it, and the kinds of events that can have it."""

    of: Callable[[Event], str | int | None]
    kinds: tuple[EventKind, ...]


def _of_pull_request(member: str) -> Value:
    return Value(
        lambda event: event.pull_request and getattr(event.pull_request, member), kinds=(EventKind.PULL_REQUEST,)
    )


def _of_object(member: str) -> Value:
    return Value(lambda event: event.object and getattr(event.object, member), kinds=(EventKind.OBJECT,))


VALUES: dict[str, Value] = {
    "branch": Value(lambda event: event.branch, (EventKind.PUSH, EventKind.PULL_REQUEST, EventKind.RELEASE)),
    "tag": Value(lambda event: event.tag, (EventKind.TAG, EventKind.RELEASE)),
    "ref": Value(lambda event: event.ref, _CODE),
    "repository": Value(lambda event: event.repository, _CODE),
    "commit": Value(lambda event: event.commit, _CODE),
    "message": Value(lambda event: event.message, _CODE),
    "author": Value(lambda event: event.author_name, (EventKind.PUSH, EventKind.TAG, EventKind.PULL_REQUEST)),
    "pullRequest.number": _of_pull_request("number"),
    "pullRequest.action": _of_pull_request("action"),
    "pullRequest.source": _of_pull_request("source"),
    "pullRequest.target": _of_pull_request("target"),
    "pullRequest.head": _of_pull_request("head"),
    "release.action": Value(lambda event: event.release and event.release.action, (EventKind.RELEASE,)),
    "release.tag": Value(lambda event: event.release and event.release.tag, (EventKind.RELEASE,)),
    "scheduledTime": Value(lambda event: event.schedule and event.schedule.scheduled_time, (EventKind.SCHEDULE,)),
    "bucket": _of_object("bucket"),
    "key": _of_object("key"),
    "version": _of_object("version"),
}


def values_of(kinds: tuple[EventKind, ...]) -> list[str]:
    """The names of the values that events of these kinds can have, as they are written in routes."""
    return [f"{{{name}}}" for name, value in VALUES.items() if not set(kinds).isdisjoint(value.kinds)]


def named(text: str) -> list[str]:
    """The values that a text names, as they are written there."""
    return [found[0] for found in _PLACEHOLDER.finditer(text)]


def named_anywhere(template: Any) -> list[str]:
    """The values that the texts in a structure of JSON's types name."""
    if isinstance(template, str):
        return named(template)
    inner = template.values() if isinstance(template, dict) else template if isinstance(template, list | tuple) else ()
    return [name for value in inner for name in named_anywhere(value)]


def filled(template: Any, event: Event) -> Any:
    """The structure with the event's values in its texts; what this event does not know becomes nothing.

    Values are not filled in again: one that looks like a name stays as it is.
    """
    if isinstance(template, str):
        return _PLACEHOLDER.sub(lambda found: _text(found, event), template)
    if isinstance(template, dict):
        return {name: filled(value, event) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [filled(value, event) for value in template]
    return template


def _text(found: re.Match[str], event: Event) -> str:
    value = VALUES.get(found[1])
    if value is None:
        return found[0]
    known = value.of(event)
    return "" if known is None else str(known)
