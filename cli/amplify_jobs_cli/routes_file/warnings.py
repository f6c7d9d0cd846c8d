"""Warnings of routes that no event can start, or more senders than is meant, and of targets that get nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from amplify_jobs.routing.schedule_expression import never_due
from amplify_jobs_cli.routes_file.host_omissions import omission_warnings
from amplify_jobs_cli.routes_file.pattern_problems import pattern_problems
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.target_warnings import target_warnings
from amplify_jobs_cli.routes_file.values import member, members

_FROM_HOSTS = ("push", "pull_request", "release")
_FROM_AWS = ("schedule", "object")
# Its deliveries name a route or a job, and tell of nothing else.
_STANDARD = "standard"


def find_warnings(value: Any, now: datetime, *, senders: bool = True) -> list[Problem]:
    """Find what can never match, and, unless `senders` is false, what the wrong senders could start."""
    return [
        *pattern_problems(value, "warning"),
        *(_sender_warnings(value) if senders else ()),
        *_schedule_warnings(value, now),
        *_object_warnings(value),
        *omission_warnings(value),
        *target_warnings(value),
    ]


def _sender_warnings(value: Any) -> Iterator[Problem]:
    """Routes whose events no source can send, and routes whose events several can."""
    sources = dict(members(value, "sources"))
    hosts = [name for name, source in sources.items() if member(source, "provider") != _STANDARD]
    for name, route in members(value, "routes"):
        source = member(route, "source")
        for kind in (kind for kind, _ in members(route, "when")):
            event = kind.replace("_", " ")
            if kind in _FROM_AWS and source is not None:
                yield Problem(("routes", name, "source"), f"no source sends the event of a {kind}; leave source out")
            elif kind in _FROM_HOSTS and source is None and not hosts:
                message = f"no source of the file sends a {event}; add the git host under sources"
                yield Problem(("routes", name, "when", kind), message)
            elif kind in _FROM_HOSTS and isinstance(source, str) and source in sources and source not in hosts:
                message = f"source {source} sends requests only, never a {event}; use the source of a git host"
                yield Problem(("routes", name, "source"), message)
            elif kind in _FROM_HOSTS and source is None and len(sources) > 1:
                message = f"whoever may sign for any of {', '.join(sources)} can start this job"
                yield Problem(("routes", name), f"{message}; use source: with the name of the one that may")


def _schedule_warnings(value: Any, now: datetime) -> Iterator[Problem]:
    for name, route in members(value, "routes"):
        schedule = member(member(route, "when"), "schedule")
        expression, timezone = member(schedule, "expression"), member(schedule, "timezone")
        if isinstance(expression, str):
            reason = never_due(expression, timezone if isinstance(timezone, str) else "UTC", now)
            if reason:
                yield Problem(("routes", name, "when", "schedule", "expression"), reason)


def _object_warnings(value: Any) -> Iterator[Problem]:
    for name, route in members(value, "routes"):
        stored = member(member(route, "when"), "object")
        path = ("routes", name, "when", "object")
        prefix, suffix = member(stored, "prefix"), member(stored, "suffix")
        if isinstance(prefix, str) and prefix.startswith("/"):
            yield Problem((*path, "prefix"), f'keys of objects begin without /; use "{prefix.lstrip("/")}"')
        for key, text in (("prefix", prefix), ("suffix", suffix)):
            if isinstance(text, str) and re.search(r"[*?]", text):
                message = f'{key} is no pattern; use the text alone, like "{re.sub(r"[*?]", "", text)}"'
                yield Problem((*path, key), message)
