"""What a push of routes changes in the sources, routes and targets that were pushed before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.push.changes import Change, Kind, Member

# Of the bus, its only member is told by its name.
_FOLLOW = "follow"
_SECTIONS = {"sources": "source", "bus": "bus", "routes": "route", _FOLLOW: "follow", "reports": "target"}


@dataclass(frozen=True)
class StoredRoutes:
    """The routes in the bucket, by section and name; `routes` where this version of the program can use them."""

    sections: Mapping[str, Mapping[str, Any]]
    routes: Routes | None = None

    @classmethod
    def read(cls, content: bytes | None) -> StoredRoutes:
        """Read the object of the bucket; what is no JSON has no routes."""
        try:
            routes = Routes.model_validate_json(content or b"")
        except ValidationError:
            return cls(_sections(_json(content)))
        return cls(_sections(_plain(routes)), routes)


def route_changes(stored: StoredRoutes, routes: Routes) -> list[Change]:
    """Tell which sources, routes and targets are added, changed (with each member that is) or removed."""
    after = _sections(_plain(routes))
    return [
        change
        for section, noun in _SECTIONS.items()
        for change in _section(noun, stored.sections.get(section, {}), after.get(section, {}))
    ]


def _json(content: bytes | None) -> Any:
    try:
        return json.loads(content or b"")
    except (ValueError, RecursionError):
        return None


def _sections(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        return {}
    sections = {name: value[name] for name in _SECTIONS if isinstance(value.get(name), dict)}
    # It has no names: one line tells all of it.
    return sections | {_FOLLOW: {"of jobs": value[_FOLLOW]} if value.get(_FOLLOW) else {}}


def _plain(routes: Routes) -> dict[str, Any]:
    # A member that is left out and one that is given its default are the same.
    return routes.model_dump(mode="json", by_alias=True, exclude_none=True)


def _section(noun: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in [*after, *(name for name in before if name not in after)]:
        if name not in before:
            yield Change(Kind.ADDED, noun, name)
        elif name not in after:
            yield Change(Kind.REMOVED, noun, name)
        elif before[name] != after[name]:
            members = _members(dict(_leaves(before[name])), dict(_leaves(after[name])))
            yield Change(Kind.CHANGED, noun, name, members=tuple(members))


def _members(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Member]:
    for path in [*after, *(path for path in before if path not in after)]:
        if before.get(path) != after.get(path):
            yield Member(path, before.get(path), after.get(path))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The members of a structure that hold no further members, by their path; lists are one member."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    else:
        yield path, value
