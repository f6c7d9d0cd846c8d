"""Values of events: what a route can name in the parameters of its request, as {branch} or {pullRequest.number}."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amplify_jobs.events.event import Event, EventKind

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

# Braces mean something else in a GraphQL schema.
AS_THEY_ARE = ("graphqlSchema",)

_CODE = (EventKind.PUSH, EventKind.TAG, EventKind.PULL_REQUEST, EventKind.RELEASE)


@dataclass(frozen=True)
class Value:
    """A value, the member of Event that it is, and the kinds of events that can have it."""

    member: str
    kinds: tuple[EventKind, ...]

    @property
    def told_as(self) -> str:
        """The member of the event that a host tells or not."""
        return self.member.removesuffix("_name").rpartition(".")[2]

    def of(self, event: Event) -> str | int | None:
        """The value that an event has; None if it does not know."""
        found: Any = event
        for name in self.member.split("."):
            found = getattr(found, name, None)
        return found if isinstance(found, str | int) else None


VALUES = {
    "branch": Value("branch", (EventKind.PUSH, EventKind.PULL_REQUEST, EventKind.RELEASE)),
    "tag": Value("tag", (EventKind.TAG, EventKind.RELEASE)),
    "ref": Value("ref", _CODE),
    "repository": Value("repository", _CODE),
    "commit": Value("commit", _CODE),
    "before": Value("before", (EventKind.PUSH, EventKind.TAG, EventKind.PULL_REQUEST)),
    "message": Value("message", _CODE),
    "author": Value("author_name", (EventKind.PUSH, EventKind.TAG, EventKind.PULL_REQUEST)),
    "pullRequest.number": Value("pull_request.number", (EventKind.PULL_REQUEST,)),
    "pullRequest.action": Value("pull_request.action", (EventKind.PULL_REQUEST,)),
    "pullRequest.source": Value("pull_request.source", (EventKind.PULL_REQUEST,)),
    "pullRequest.target": Value("pull_request.target", (EventKind.PULL_REQUEST,)),
    "pullRequest.head": Value("pull_request.head", (EventKind.PULL_REQUEST,)),
    "release.action": Value("release.action", (EventKind.RELEASE,)),
    "release.tag": Value("release.tag", (EventKind.RELEASE,)),
    "scheduledTime": Value("schedule.scheduled_time", (EventKind.SCHEDULE,)),
    "bucket": Value("object.bucket", (EventKind.OBJECT,)),
    "key": Value("object.key", (EventKind.OBJECT,)),
    "version": Value("object.version", (EventKind.OBJECT,)),
}


def values_of(kinds: tuple[EventKind, ...]) -> list[str]:
    """The names of the values that events of these kinds can have, as they are written in routes."""
    return [f"{{{name}}}" for name, value in VALUES.items() if not set(kinds).isdisjoint(value.kinds)]


def placeholders_in(text: str) -> list[str]:
    """The values that a text names, as they are written there."""
    return [found[0] for found in _PLACEHOLDER.finditer(text)]


def all_placeholders(template: Any) -> list[str]:
    """The values that the texts in a structure of JSON's types name."""
    return [name for _, text in texts(template) for name in placeholders_in(text)]


def texts(template: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts in a structure of JSON's types that can name values, each with where it is."""
    if isinstance(template, str):
        yield path, template
    elif isinstance(template, dict):
        for name, value in template.items():
            if name not in AS_THEY_ARE:
                yield from texts(value, (*path, name))
    elif isinstance(template, list | tuple):
        for index, value in enumerate(template):
            yield from texts(value, (*path, index))


def render(template: Any, event: Event) -> Any:
    """The structure with the event's values in its texts; what this event does not know becomes nothing.

    Values are not filled in again: one that looks like a name stays as it is.
    """
    if isinstance(template, str):
        return _PLACEHOLDER.sub(lambda found: _text(found, event), template)
    if isinstance(template, dict):
        return {name: value if name in AS_THEY_ARE else render(value, event) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [render(value, event) for value in template]
    return template


def _text(found: re.Match[str], event: Event) -> str:
    value = VALUES.get(found[1])
    if value is None:
        return found[0]
    known = value.of(event)
    return "" if known is None else str(known)
