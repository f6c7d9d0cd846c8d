"""Warnings of conditions and placeholders whose value the host of a route's source omits in its events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.event import EventKind
from amplify_jobs.events.git_hosts import TITLES, omit
from amplify_jobs.routing.conditions import When
from amplify_jobs.routing.placeholders import VALUES, iter_strings, placeholders_in
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.values import member, members

# A condition -> the member of the event that it asks for, and what comes of it where no host tells that.
_CONDITIONS = {
    "paths": ("changed_files", "which files {event} changes", "the route builds for any; leave paths out"),
    "authors": ("author", "the author of {event}", "only a pattern like * matches; leave authors out"),
    "messages": ("message", "the message of {event}", "only a pattern like * matches; leave messages out"),
    "drafts": ("draft", "whether {event} is a draft", "none counts as one; leave drafts out"),
}


def omission_warnings(value: Any) -> Iterator[Problem]:
    """Find what routes ask of their events that every host which may send these omits."""
    sources = dict(members(value, "sources"))
    for name, route in members(value, "routes"):
        try:
            when = When.model_validate(member(route, "when"))
        except ValidationError:
            continue
        hosts = _hosts(sources, member(route, "source"))
        if not hosts or when.repository is None:
            continue
        if omit(hosts, when.kinds, "release"):
            place = "source" if member(route, "source") else "when"
            message = f"{_names(hosts)} ha{'s' if len(hosts) == 1 else 've'} no releases; use push with tags"
            yield Problem(("routes", name, place), message)
            continue
        yield from _conditions(hosts, when, name)
        yield from _values(hosts, when.kinds, name, member(member(route, "request"), "parameters"))


def _hosts(sources: dict[str, Any], source: Any) -> list[str]:
    """The hosts whose events may start a route: of its own source, or else of all."""
    if source == CODECOMMIT:
        return ["codecommit"]
    providers = [member(sender, "provider") for name, sender in sources.items() if source in (None, name)]
    return sorted({provider for provider in providers if isinstance(provider, str) and provider in TITLES})


def _conditions(hosts: list[str], when: When, name: str) -> Iterator[Problem]:
    kind = next(kind for kind in ("push", "pull_request", "release") if getattr(when, kind))
    condition = getattr(when, kind)
    event = f"a {kind.replace('_', ' ')}"
    for key in sorted(condition.model_fields_set & _CONDITIONS.keys()):
        capability, fact, consequence = _CONDITIONS[key]
        # Tags have no paths.
        kinds = [event_kind for event_kind in when.kinds if key != "paths" or event_kind is not EventKind.TAG]
        if kinds and omit(hosts, kinds, capability):
            message = f"{_never_tell(hosts)} {fact.format(event=event)}: {consequence}"
            yield Problem(("routes", name, "when", kind, key), message)
    if (
        "actions" in condition.model_fields_set
        and "reopened" in condition.actions
        and omit(hosts, when.kinds, "reopened")
    ):
        message = f"{_never_tell(hosts)} that {event} was reopened; leave reopened out"
        yield Problem(("routes", name, "when", kind, "actions"), message)


def _values(hosts: list[str], kinds: tuple[EventKind, ...], name: str, parameters: Any) -> Iterator[Problem]:
    for path, text in iter_strings(parameters, ("routes", name, "request", "parameters")):
        for placeholder in dict.fromkeys(placeholders_in(text)):
            value = VALUES.get(placeholder[1:-1])
            having = [kind for kind in kinds if value and kind in value.kinds]
            if value and having and omit(hosts, having, value.capability):
                event = " or ".join(kind.replace("_", " ") for kind in having)
                message = f"{_never_tell(hosts)} {placeholder} of a {event}: it becomes nothing; leave it out"
                yield Problem(path, message)


def _never_tell(hosts: list[str]) -> str:
    return f"{_names(hosts)} never tell{'s' if len(hosts) == 1 else ''}"


def _names(hosts: list[str]) -> str:
    return " and ".join(TITLES[host] for host in hosts)
