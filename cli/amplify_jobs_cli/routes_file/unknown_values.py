"""What a route asks of its source's events though that host never tells it: it decides nothing, or becomes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.event import EventKind
from amplify_jobs.events.git_hosts import TITLES, omit
from amplify_jobs.routing.placeholders import VALUES, iter_strings, placeholders_in
from amplify_jobs.routing.routes import When
from amplify_jobs_cli.routes_file.values import member, members
from amplify_jobs_cli.routes_file.yaml_document import Path

Found = tuple[Path, str]

# A condition -> the member of the event that it asks for, and what comes of it where no host tells that.
_CONDITIONS = {
    "paths": ("changed_files", "which files {event} changes", "the route builds for any; leave paths out"),
    "authors": ("author", "the author of {event}", "only a pattern like * matches; leave authors out"),
    "messages": ("message", "the message of {event}", "only a pattern like * matches; leave messages out"),
    "drafts": ("draft", "whether {event} is a draft", "none counts as one; leave drafts out"),
}


def untold_warnings(value: Any) -> Iterator[Found]:
    """Find conditions and values of routes that the hosts which may send their events never tell."""
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
            yield (
                ("routes", name, place),
                f"{_names(hosts)} ha{'s' if len(hosts) == 1 else 've'} no releases; use push with tags",
            )
            continue
        yield from _conditions(hosts, when, name)
        yield from _values(hosts, when.kinds, name, member(member(route, "request"), "parameters"))


def _hosts(sources: dict[str, Any], source: Any) -> list[str]:
    """The hosts whose events may start a route: of its own source, or else of all."""
    if source == CODECOMMIT:
        return ["codecommit"]
    wanted = [found for name, found in sources.items() if source in (None, name)]
    providers = [member(found, "provider") for found in wanted]
    return sorted({provider for provider in providers if isinstance(provider, str) and provider in TITLES})


def _conditions(hosts: list[str], when: When, name: str) -> Iterator[Found]:
    kind, condition = next(
        (kind, found) for kind in ("push", "pull_request", "release") if (found := getattr(when, kind))
    )
    event = f"a {kind.replace('_', ' ')}"
    for key in sorted(condition.model_fields_set & _CONDITIONS.keys()):
        asked, what, then = _CONDITIONS[key]
        # Tags have no paths.
        kinds = [one for one in when.kinds if key != "paths" or one is not EventKind.TAG]
        if kinds and omit(hosts, kinds, asked):
            yield ("routes", name, "when", kind, key), f"{_never_tell(hosts)} {what.format(event=event)}: {then}"
    if (
        "actions" in condition.model_fields_set
        and "reopened" in condition.actions
        and omit(hosts, when.kinds, "reopened")
    ):
        path = ("routes", name, "when", kind, "actions")
        yield path, f"{_never_tell(hosts)} that {event} was reopened; leave reopened out"


def _values(hosts: list[str], kinds: tuple[EventKind, ...], name: str, parameters: Any) -> Iterator[Found]:
    for path, text in iter_strings(parameters, ("routes", name, "request", "parameters")):
        for placeholder in dict.fromkeys(placeholders_in(text)):
            value = VALUES.get(placeholder[1:-1])
            having = [kind for kind in kinds if value and kind in value.kinds]
            if value and having and omit(hosts, having, value.capability):
                event = " or ".join(kind.replace("_", " ") for kind in having)
                yield path, f"{_never_tell(hosts)} {placeholder} of a {event}: it becomes nothing; leave it out"


def _never_tell(hosts: list[str]) -> str:
    return f"{_names(hosts)} never tell{'s' if len(hosts) == 1 else ''}"


def _names(hosts: list[str]) -> str:
    return " and ".join(TITLES[host] for host in hosts)
