"""What a push of routes changes, in lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_jobs.routes import Routes


def route_changes(pushed: Routes | None, wanted: Routes) -> list[str]:
    """Say which sources and routes are new (+), changed (~, with each member that is) or gone (-)."""
    before, after = _plain(pushed), _plain(wanted)
    return [
        line
        for section, what in (("sources", "source"), ("routes", "route"))
        for line in _section(what, before.get(section, {}), after.get(section, {}))
    ]


def _plain(routes: Routes | None) -> dict[str, Any]:
    # A member that is left out and one that is given its default are the same.
    return routes.model_dump(mode="json", by_alias=True, exclude_none=True) if routes else {}


def _section(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in [*after, *(name for name in before if name not in after)]:
        if name not in before:
            yield f"+ {what} {name}"
        elif name not in after:
            yield f"- {what} {name}"
        elif before[name] != after[name]:
            yield f"~ {what} {name}"
            yield from (f"    {line}" for line in _members(dict(_leaves(before[name])), dict(_leaves(after[name]))))


def _members(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for path in [*after, *(path for path in before if path not in after)]:
        if path not in before:
            yield f"{path}: {_shown(after[path])} (new)"
        elif path not in after:
            yield f"{path}: {_shown(before[path])} (gone)"
        elif before[path] != after[path]:
            yield f"{path}: {_shown(before[path])} -> {_shown(after[path])}"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The members of a structure that hold no further members, by their path; lists are one member."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    else:
        yield path, value


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
