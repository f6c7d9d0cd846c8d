"""Placeholders: values of an event that a route can name in its request, as {branch} or {pullRequest.number}."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amplify_jobs.events.event import Event, EventKind

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

# Braces mean something else in a GraphQL schema.
VERBATIM_PARAMETERS = ("graphqlSchema",)

# Parameters that only describe a job.
_DESCRIPTIONS = ("jobReason", "commitMessage")
_CODE = (EventKind.PUSH, EventKind.TAG, EventKind.PULL_REQUEST, EventKind.RELEASE)


@dataclass(frozen=True)
class Value:
    """A value, the member of Event that it is, and the kinds of events that can have it."""

    member: str
    kinds: tuple[EventKind, ...]

    @property
    def capability(self) -> str:
        """The member of the event that a host tells or not, as events/git_hosts.py calls it."""
        return self.member.removesuffix("_name").rpartition(".")[2]

    def of(self, event: Event) -> str | int | None:
        """The value that an event has; None if it does not know."""
        value: Any = event
        for name in self.member.split("."):
            value = getattr(value, name, None)
        return value if isinstance(value, str | int) else None


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
    """The placeholders in a text, as they are written there."""
    return [match[0] for match in _PLACEHOLDER.finditer(text)]


def all_placeholders(template: Any) -> list[str]:
    """The placeholders in the texts of a structure of JSON's types."""
    return [placeholder for _, text in iter_strings(template) for placeholder in placeholders_in(text)]


def is_unknown(placeholder: str, kind: EventKind) -> bool:
    """Whether a placeholder names a value that events of this kind never have."""
    value = VALUES.get(placeholder[1:-1])
    return value is not None and kind not in value.kinds


def drop_unknown_descriptions(parameters: dict[str, Any], kind: EventKind) -> dict[str, Any]:
    """The parameters without those that only describe the job, in values that events of this kind never have."""
    return {
        name: value
        for name, value in parameters.items()
        if name not in _DESCRIPTIONS
        or not any(is_unknown(placeholder, kind) for placeholder in all_placeholders(value))
    }


def iter_strings(template: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts in a structure of JSON's types that can have placeholders, each with its path."""
    if isinstance(template, str):
        yield path, template
    elif isinstance(template, dict):
        for name, value in template.items():
            if name not in VERBATIM_PARAMETERS:
                yield from iter_strings(value, (*path, name))
    elif isinstance(template, list | tuple):
        for index, value in enumerate(template):
            yield from iter_strings(value, (*path, index))


def render(template: Any, event: Event) -> Any:
    """The structure with the event's values in its texts; a value that this event does not have becomes nothing.

    Values are not rendered again: one that looks like a placeholder stays as it is.
    """
    if isinstance(template, str):
        return _PLACEHOLDER.sub(lambda match: _render_placeholder(match, event), template)
    if isinstance(template, dict):
        return {
            name: value if name in VERBATIM_PARAMETERS else render(value, event) for name, value in template.items()
        }
    if isinstance(template, list | tuple):
        return [render(value, event) for value in template]
    return template


def _render_placeholder(match: re.Match[str], event: Event) -> str:
    value = VALUES.get(match[1])
    if value is None:
        return match[0]
    text = value.of(event)
    return "" if text is None else str(text)
