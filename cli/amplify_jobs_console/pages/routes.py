"""The routes in effect, with their schedules, and a form that builds by one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_jobs_console.answers import Routes, Schedule
from amplify_jobs_console.pages.content import Content
from amplify_jobs_console.place import Place
from amplify_jobs_console.reader import Problem, Reader

_PARAMETERS = ("appId", "branchName", "environmentName", "jobType")


@dataclass(frozen=True)
class RouteCard:
    """A route: what people want to see of it at once, its schedules, and all of it."""

    name: str
    facts: Sequence[str]
    schedules: Sequence[Schedule]
    content: Any
    is_startable: bool


def show_routes(reader: Reader, place: Place) -> Content:
    """Read and lay out the routes. Raises ApiError."""
    planned = reader.later(lambda: reader.page(Schedule, "/schedules"))
    answer = reader.get(Routes, "/routes")
    schedules = planned()
    times = [] if isinstance(schedules, Problem) else schedules.items
    return Content(
        "routes.html.j2",
        {
            "routes": answer,
            "cards": [
                RouteCard(
                    name,
                    facts(content),
                    [schedule for schedule in times if schedule.route == name],
                    content,
                    isinstance(_member(content, "request"), dict),
                )
                for name, content in sorted(_members(answer.routes, "routes").items())
            ],
            "sources": [
                (name, source_facts(content)) for name, content in sorted(_members(answer.routes, "sources").items())
            ],
            "commands": [place.shell("routes", "show"), place.shell("routes", "push", "routes.yaml")],
        },
        section="routes",
    )


def facts(route: Any) -> list[str]:
    """What a route waits for, and what it requests, in a few words."""
    conditions = _members(route, "when")
    words = [kind.replace("_", " ") for kind in conditions]
    for condition in conditions.values():
        words += _texts(_member(condition, "repository")) + _texts(_member(condition, "branches"))
    request = _member(route, "request")
    parameters = _members(request, "parameters")
    words += _texts(_member(request, "operation"))
    return words + [text for name in _PARAMETERS for text in _texts(parameters.get(name))]


def source_facts(source: Any) -> list[str]:
    """The host of a source, and the names of its secrets."""
    return _texts(_member(source, "provider")) + _texts(_member(source, "secrets"))


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _members(value: Any, name: str) -> Mapping[str, Any]:
    member = _member(value, name)
    return member if isinstance(member, dict) else {}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [value for value in values if isinstance(value, str)]
