"""Expansion of routes.yaml: `defaults` enter every route, and a route with a `matrix` becomes one for each combination.

Checks, the bucket and the functions see the expanded routes alone. A fault that is found in one of them is placed back
where the file has its cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_jobs.model.request import ROUTE_NAME_PATTERN
from amplify_jobs.routing.fields import LONGEST_NAME
from amplify_jobs_cli.routes_file.defaults import DEFAULTS, check_defaults, with_defaults
from amplify_jobs_cli.routes_file.matrix import MATRIX, check_dimensions, combine, slug
from amplify_jobs_cli.routes_file.nodes import Fault, FaultList, Node, dotted, node_of
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.routes_file.substitution import Scope, Substitution

# Members at the top that hold nothing but anchors, as in Compose files.
EXTENSION = "x-"


@dataclass(frozen=True)
class Expansion:
    """The file's routes written out, the faults of what wrote them, and where each value comes from."""

    value: Any
    faults: list[Fault]
    _origins: Mapping[Path, Node]
    # The names of the routes that were made of one with a matrix, by the place of that one.
    _combinations: Mapping[Path, tuple[str, ...]]

    def placed(self, faults: Iterable[Fault]) -> list[Fault]:
        """Place faults of the expanded routes where the file has their cause, each once.

        The cause is a value of the matrix where only some combinations have the fault, otherwise what they share.
        """
        located = [(path, *self._origin(path), text) for path, text in faults]
        routes: dict[Path, set[str | int]] = {}
        for path, _, place, _ in located:
            routes.setdefault(place, set()).add(path[1] if len(path) > 1 else "")
        placed = []
        for path, origin, place, text in located:
            combinations = self._combinations.get(place[:2], ())
            if origin.faulty:
                continue
            if not origin.values:
                placed.append((place, text))
            elif len(routes[place]) == len(combinations):
                placed += [(place, text)] if path[1] == combinations[0] else []
            else:
                inner = ".".join(map(str, path[2:]))
                placed.append((origin.values[0], f"as {inner} of the route {path[1]}: {text}"))
        return list(dict.fromkeys(placed))

    def place(self, path: Path) -> Path:
        """The place in the file of what is at a path of the expanded routes."""
        return self._origin(path)[1]

    def _origin(self, path: Path) -> tuple[Node, Path]:
        """The innermost value around a path, and the path's place in the file."""
        for end in range(len(path), -1, -1):
            node = self._origins.get(path[:end])
            if node is not None:
                return node, (*node.place, *path[end:])
        return Node(None, ()), path


def expand(value: Any) -> Expansion:
    """Expand the value of a whole file, which may be wrong in any way."""
    return _Expander(value).expansion()


class _Expander:
    def __init__(self, value: Any) -> None:
        self._value = value
        self._faults = FaultList()
        self._substitution = Substitution(self._faults)
        self._origins: dict[Path, Node] = {}
        self._combinations: dict[Path, tuple[str, ...]] = {}

    def expansion(self) -> Expansion:
        return Expansion(self._document(), self._faults.faults, self._origins, self._combinations)

    def _document(self) -> Any:
        if not isinstance(self._value, dict):
            return self._value
        top = {
            name: inner for name, inner in self._value.items() if name != DEFAULTS and not name.startswith(EXTENSION)
        }
        routes = top.get("routes")
        if isinstance(routes, dict):
            top["routes"] = self._routes(node_of(routes, ("routes",)))
        elif DEFAULTS in self._value:
            check_defaults(node_of(self._value[DEFAULTS], (DEFAULTS,)), (), self._faults)
        return top

    def _routes(self, routes: Node) -> dict[str, Any]:
        defaults = node_of(self._value.get(DEFAULTS, {}), (DEFAULTS,))
        check_defaults(defaults, routes.content.values(), self._faults)
        expanded: dict[str, Any] = {}
        # What gives a name: the place of the route, or those of the keys of a combination.
        owners: dict[str, tuple[Path, ...]] = {
            name: (node.place,) for name, node in routes.content.items() if node.member(MATRIX) is None
        }
        for name, node in routes.content.items():
            names = []
            for route_name, route, places in self._expand_route(name, with_defaults(node, defaults)):
                owner = owners.setdefault(route_name, places)
                if owner != places:
                    own = [place for place in places if place not in owner]
                    other = [place for place in owner if place not in places]
                    message = f"makes the route {route_name}, as {dotted(other[-1])} does; rename one of them"
                    self._faults.add(own[-1], message)
                    continue
                names.append(route_name)
                expanded[route_name] = self._plain(route, ("routes", route_name))
            self._combinations[node.place] = tuple(names)
        return expanded

    def _expand_route(self, name: str, route: Node) -> Iterator[tuple[str, Node, tuple[Path, ...]]]:
        """The routes that one of the file becomes, each with its name and the places that give it."""
        matrix = route.member(MATRIX)
        if matrix is None:
            yield name, self._substitution.apply(route, Scope(name)), (route.place,)
            return
        template = Node({key: node for key, node in route.content.items() if key != MATRIX}, route.place)
        combinations = combine(matrix, self._faults)
        check_dimensions(matrix, template, combinations, self._faults)
        for combination in combinations:
            keys = list(combination.keys.values())
            route_name = "-".join((name, *(slug(key.content) for key in keys)))
            if len(route_name) > LONGEST_NAME and len(name) <= LONGEST_NAME and re.match(ROUTE_NAME_PATTERN, name):
                message = (
                    f"makes the route {route_name}, a name of {len(route_name)} characters; "
                    f"use a shorter key or route name, of at most {LONGEST_NAME} together"
                )
                self._faults.add(keys[-1].place, message)
                continue
            scope = Scope(route_name, combination, combinations)
            yield route_name, self._substitution.apply(template, scope), tuple(key.place for key in keys)

    def _plain(self, node: Node, path: Path) -> Any:
        """The node as a plain value, which lies at a path of the expanded file."""
        self._origins[path] = node
        if isinstance(node.content, dict):
            return {name: self._plain(inner, (*path, name)) for name, inner in node.content.items()}
        if isinstance(node.content, list):
            return [self._plain(inner, (*path, index)) for index, inner in enumerate(node.content)]
        return node.content
