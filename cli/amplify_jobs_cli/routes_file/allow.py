"""Faults of the limits in a routes file: an `allow` that limits nothing, or allows what the file does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.routing.github_patterns import last_match
from amplify_jobs_cli.routes_file.values import items, member, members
from amplify_jobs_cli.routes_file.yaml_document import Path
from amplify_jobs_cli.suggestions import one_of

Found = tuple[Path, str, Literal["key", "value"]]

# The provider whose senders request jobs; a git host's deliveries do not.
_STANDARD = "standard"
_ALLOW = "{routes: [web]}, or {} to allow nothing"
_ROUTES = 'a list of names and patterns of routes, like [web, "docs-*"]'


def allow_faults(value: Any) -> Iterator[Found]:
    """Find what is wrong with the limits of the sources and the bus."""
    if isinstance(value, dict) and "bus" in value and value["bus"] is None:
        # Without a value, it would seem to limit the bus.
        yield ("bus",), "is empty; use {allow: {routes: [web]}}, or leave it out", "value"
    places: list[tuple[Path, Any]] = [(("bus",), member(value, "bus"))]
    for name, source in members(value, "sources"):
        provider = member(source, "provider")
        # Another check tells what is wrong with a provider that is not known.
        is_host = isinstance(provider, str) and provider in PROVIDERS and provider != _STANDARD
        if is_host and "allow" in source:
            text = f"limits requests, and a source of provider {provider} makes none; leave it out"
            yield ("sources", name, "allow"), text, "key"
        else:
            places.append((("sources", name), source))
    routes = [name for name, _ in members(value, "routes")]
    for place, holder in places:
        if isinstance(holder, dict) and "allow" in holder:
            yield from _of_one((*place, "allow"), holder["allow"], routes)


def _of_one(path: Path, allow: Any, routes: list[str]) -> Iterator[Found]:
    if allow is None:
        yield path, f"is empty; use {_ALLOW}", "value"
    if not isinstance(allow, dict):
        return
    for key in [key for key in ("operations", "apps") if key in allow and allow[key] is None]:
        yield (*path, key), f"is empty; use a list, like {_LISTS[key]}", "value"
    if "apps" in allow and "operations" not in allow:
        yield (*path, "apps"), "apps limits operations; use operations too, like [start_job]", "key"
    if "routes" not in allow:
        return
    listed = allow["routes"]
    if not listed or not isinstance(listed, str | list):
        yield (*path, "routes"), f"is not a list of routes; use {_ROUTES}", "value"
        return
    if isinstance(listed, list):
        for number, item in enumerate(listed):
            if not isinstance(item, str):
                yield (*path, "routes", number), f"is not the name of a route; use {_ROUTES}", "value"
    for index, pattern in items(listed):
        bare = pattern.removeprefix("!")
        if bare and not any(_fits(bare, name) for name in routes):
            yield (*path, "routes", *index), f"there is no route {bare!r}; {_remedy(bare, routes)}", "value"


_LISTS = {"operations": "[start_job]", "apps": "[d1a2b3c4d5e6]"}


def _fits(pattern: str, name: str) -> bool:
    try:
        return last_match((pattern,), name) is not None
    except re.error:
        # Another check tells what is wrong with the pattern.
        return True


def _remedy(pattern: str, routes: list[str]) -> str:
    return one_of(pattern, routes) if routes else "add it under routes"
