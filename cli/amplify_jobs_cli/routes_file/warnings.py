"""What a routes file says in earnest, but what can hardly be meant: routes that no event can start, or too many can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from amplify_jobs.routing.schedule_expression import never_due
from amplify_jobs_cli.routes_file.pattern_faults import pattern_findings
from amplify_jobs_cli.routes_file.unknown_values import untold_warnings
from amplify_jobs_cli.routes_file.values import member, members
from amplify_jobs_cli.routes_file.yaml_document import Path

Found = tuple[Path, str]

_FROM_HOSTS = ("push", "pull_request", "release")
_FROM_AWS = ("schedule", "object")
# Its deliveries name a route or a job, and tell of nothing else.
_STANDARD = "standard"


def warnings_of(value: Any, now: datetime, *, senders: bool = True) -> list[tuple[Path, str, Literal["value"]]]:
    """Find what can never match, and what anybody could start."""
    found = (
        *((path, text) for path, text, _ in pattern_findings(value, "warning")),
        *(_sender_warnings(value) if senders else ()),
        *_schedule_warnings(value, now),
        *_object_warnings(value),
        *untold_warnings(value),
    )
    return [(path, text, "value") for path, text in found]


def _sender_warnings(value: Any) -> Iterator[Found]:
    """Routes whose events no source can send, and routes whose events several can."""
    sources = dict(members(value, "sources"))
    hosts = [name for name, source in sources.items() if member(source, "provider") != _STANDARD]
    for name, route in members(value, "routes"):
        source = member(route, "source")
        for kind in (kind for kind, _ in members(route, "when")):
            if kind in _FROM_AWS and source is not None:
                yield ("routes", name, "source"), f"no source sends the event of a {kind}; leave source out"
            elif kind in _FROM_HOSTS and source is None and not hosts:
                text = f"no source of the file sends a {kind.replace('_', ' ')}"
                yield ("routes", name, "when", kind), f"{text}; add the git host under sources"
            elif kind in _FROM_HOSTS and isinstance(source, str) and source in sources and source not in hosts:
                text = f"source {source} sends requests only, never a {kind.replace('_', ' ')}"
                yield ("routes", name, "source"), f"{text}; use the source of a git host"
            elif kind in _FROM_HOSTS and source is None and len(sources) > 1:
                text = f"whoever may sign for any of {', '.join(sources)} can start this job"
                yield ("routes", name), f"{text}; use source: with the name of the one that may"


def _schedule_warnings(value: Any, now: datetime) -> Iterator[Found]:
    for name, route in members(value, "routes"):
        schedule = member(member(route, "when"), "schedule")
        expression, timezone = member(schedule, "expression"), member(schedule, "timezone")
        if isinstance(expression, str):
            reason = never_due(expression, timezone if isinstance(timezone, str) else "UTC", now)
            if reason:
                yield ("routes", name, "when", "schedule", "expression"), reason


def _object_warnings(value: Any) -> Iterator[Found]:
    for name, route in members(value, "routes"):
        stored = member(member(route, "when"), "object")
        path = ("routes", name, "when", "object")
        prefix, suffix = member(stored, "prefix"), member(stored, "suffix")
        if isinstance(prefix, str) and prefix.startswith("/"):
            yield (*path, "prefix"), f'keys of objects begin without /; use "{prefix.lstrip("/")}"'
        for key, text in (("prefix", prefix), ("suffix", suffix)):
            if isinstance(text, str) and re.search(r"[*?]", text):
                yield (*path, key), f'{key} is no pattern; use the text alone, like "{re.sub(r"[*?]", "", text)}"'
