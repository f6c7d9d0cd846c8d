"""Faults of the limits of requests: an `allow` that limits nothing, or allows what the file does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.routing.github_patterns import last_match
from amplify_jobs.routing.routes import Allow, Bus, Routes
from amplify_jobs_cli.routes_file.model_fields import examples
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.problems import Problem
from amplify_jobs_cli.routes_file.remedies import flow, remedy
from amplify_jobs_cli.routes_file.values import items, member, members
from amplify_jobs_cli.suggestions import one_of

# The provider whose senders request jobs; a git host's deliveries do not.
_STANDARD = "standard"


def allow_faults(value: Any) -> Iterator[Problem]:
    """Find what is wrong with the limits of the sources and the bus."""
    if isinstance(value, dict) and "bus" in value and value["bus"] is None:
        # Without a value, it would seem to limit the bus.
        yield Problem(("bus",), f"is empty; use {_example(Routes, 'bus')}, or leave it out")
    places: list[tuple[Path, Any]] = [(("bus",), member(value, "bus"))]
    for name, source in members(value, "sources"):
        provider = member(source, "provider")
        # Another check tells what is wrong with a provider that is not known.
        is_host = isinstance(provider, str) and provider in PROVIDERS and provider != _STANDARD
        if is_host and "allow" in source:
            message = f"limits requests, and a source of provider {provider} makes none; leave it out"
            yield Problem(("sources", name, "allow"), message, "key")
        else:
            places.append((("sources", name), source))
    routes = [name for name, _ in members(value, "routes")]
    for place, holder in places:
        if isinstance(holder, dict) and "allow" in holder:
            yield from _faults_of_allow((*place, "allow"), holder["allow"], routes)


def _faults_of_allow(path: Path, allow: Any, routes: list[str]) -> Iterator[Problem]:
    if allow is None:
        yield Problem(path, f"is empty; use {_example(Bus, 'allow')}, or {{}} to allow nothing")
    if not isinstance(allow, dict):
        return
    for key in [key for key in ("operations", "apps") if key in allow and allow[key] is None]:
        yield Problem((*path, key), f"is empty; use a list, like {_example(Allow, key)}")
    if "apps" in allow and "operations" not in allow:
        message = f"apps limits operations; use operations too, like {_example(Allow, 'operations')}"
        yield Problem((*path, "apps"), message, "key")
    if "routes" not in allow:
        return
    patterns, right = allow["routes"], remedy(Allow.model_fields["routes"])
    if not patterns or not isinstance(patterns, str | list):
        yield Problem((*path, "routes"), f"is not a list of routes; use {right}")
        return
    if isinstance(patterns, list):
        for number, item in enumerate(patterns):
            if not isinstance(item, str):
                yield Problem((*path, "routes", number), f"is not the name of a route; use {right}")
    for index, pattern in items(patterns):
        bare = pattern.removeprefix("!")
        if bare and not any(fits(bare, name) for name in routes):
            use = one_of(bare, routes) if routes else "add it under routes"
            yield Problem((*path, "routes", *index), f"there is no route {bare!r}; {use}")


def _example(model: type[BaseModel], name: str) -> str:
    return flow(examples(model.model_fields[name])[0])


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern may mean the name of a route."""
    try:
        return last_match((pattern,), name) is not None
    except re.error:
        # Another check tells what is wrong with the pattern.
        return True
