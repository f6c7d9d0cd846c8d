"""Expansion of routes.yaml: `defaults` enter every route, and a route with a `matrix` becomes one for each combination.

Checks, the bucket and the functions see the expanded routes alone. A fault that is found in one of them is placed back
where the file has its cause.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_jobs.model.request import ROUTE_NAME_PATTERN
from amplify_jobs.routing.fields import LONGEST_NAME
from amplify_jobs.routing.placeholders import VERBATIM_PARAMETERS
from amplify_jobs.routing.routes import When
from amplify_jobs_cli.routes_file.places import Path

# A place and what is wrong there.
Fault = tuple[Path, str]

DEFAULTS, MATRIX = "defaults", "matrix"
# Members at the top that hold nothing but anchors, as in Compose files.
EXTENSION = "x-"
# As many as GitHub Actions makes of a matrix.
MOST_COMBINATIONS = 256

_PLACEHOLDER = re.compile(r"\{\s*matrix\.([^{}]*?)\s*\}")
_GITHUB_PLACEHOLDER = re.compile(r"\$\{\{\s*matrix\.([^{}]*?)\s*\}\}")
DIMENSION_PATTERN = r"[A-Za-z_][A-Za-z0-9_-]*"
_RIGHT_MATRIX = "use names with lists or maps, like {app: {shop: {appId: d1a2b3c4d5e6, path: apps/shop}}}"


@dataclass(frozen=True)
class Node:
    """A value of the file and its place; members of maps and lists are nodes too.

    `values` are the places of the matrix values that its text was made with. A `faulty` one has its fault already.
    """

    content: Any
    place: Path
    values: tuple[Path, ...] = ()
    faulty: bool = False

    def member(self, name: str) -> Node | None:
        """The member of a map; None where there is none, or this is no map."""
        return self.content.get(name) if isinstance(self.content, dict) else None


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
        found = [(path, *self._origin(path), text) for path, text in faults]
        routes: dict[Path, set[str | int]] = {}
        for path, _, place, _ in found:
            routes.setdefault(place, set()).add(path[1] if len(path) > 1 else "")
        placed = []
        for path, origin, place, text in found:
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


@dataclass(frozen=True)
class _Combination:
    """One value of each dimension of a matrix: its key, which names it, and what `{matrix.…}` stands for."""

    keys: Mapping[str, Node]
    members: Mapping[str, Node]

    def find(self, name: str) -> Node | None:
        dimension, *inner = name.split(".")
        node = self.members.get(dimension) if inner else self.keys.get(dimension)
        for part in inner:
            node = node.member(part) if node else None
        return node

    def names(self) -> list[str]:
        """The names of all values, as routes write them."""
        return [
            written
            for dimension in self.keys
            for written in (
                _written(dimension),
                *(_written(f"{dimension}.{name}") for name in _members(self.members.get(dimension))),
            )
        ]


@dataclass(frozen=True)
class _Scope:
    """A route, the combination that it is made with, and all combinations of its matrix; none without a matrix."""

    route: str
    combination: _Combination | None = None
    combinations: tuple[_Combination, ...] = ()


@dataclass
class _Expander:
    value: Any
    faults: list[Fault] = field(default_factory=list)
    origins: dict[Path, Node] = field(default_factory=dict)
    combinations: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    # Routes of which is told that they have none: once, however many texts name values of it.
    without_matrix: set[str] = field(default_factory=set)

    def expansion(self) -> Expansion:
        return Expansion(self._document(), self.faults, self.origins, self.combinations)

    def _document(self) -> Any:
        if not isinstance(self.value, dict):
            return self.value
        top = {name: inner for name, inner in self.value.items() if name != DEFAULTS and not name.startswith(EXTENSION)}
        routes = top.get("routes")
        if isinstance(routes, dict):
            top["routes"] = self._routes(_node(routes, ("routes",)))
        elif DEFAULTS in self.value:
            self._check_defaults(_node(self.value[DEFAULTS], (DEFAULTS,)), ())
        return top

    def _routes(self, routes: Node) -> dict[str, Any]:
        defaults = _node(self.value.get(DEFAULTS, {}), (DEFAULTS,))
        self._check_defaults(defaults, routes.content.values())
        expanded: dict[str, Any] = {}
        # What gives a name: the place of the route, or those of the keys of a combination.
        owners: dict[str, tuple[Path, ...]] = {
            name: (node.place,) for name, node in routes.content.items() if node.member(MATRIX) is None
        }
        for name, node in routes.content.items():
            names = []
            for made_name, route, places in self._expanded(name, _with_defaults(node, defaults)):
                owner = owners.setdefault(made_name, places)
                if owner != places:
                    own, other = (
                        [one for one in some if one not in rest] for some, rest in ((places, owner), (owner, places))
                    )
                    self._add(own[-1], f"makes the route {made_name}, as {_dotted(other[-1])} does; rename one of them")
                    continue
                names.append(made_name)
                expanded[made_name] = self._plain(route, ("routes", made_name))
            self.combinations[node.place] = tuple(names)
        return expanded

    def _check_defaults(self, defaults: Node, routes: Iterable[Node]) -> None:
        """Find what no route takes over, in which no check would find a fault."""
        if not isinstance(defaults.content, dict):
            self.faults.append((defaults.place, "must be a map; use members of a route, like {supersede: true}"))
            return
        if MATRIX in defaults.content:
            self.faults.append(
                (
                    (DEFAULTS, MATRIX),
                    "a matrix belongs to a route; for several with one matrix write `matrix: &apps …` in the first "
                    "and `matrix: *apps` in the others",
                )
            )
        for member, inner in (("when", "an event, like {push: {repository: acme/web}}"), ("request", "a request")):
            node = defaults.member(member)
            if node is not None and not isinstance(node.content, dict):
                self.faults.append((node.place, f"must be a map; use {inner}"))
        routes = [route for route in routes if isinstance(route.content, dict)]
        awaited = [_given(route, "when") for route in routes]
        for kind, node in _members(defaults.member("when")).items():
            if kind not in When.model_fields:
                self._add(node.place, f"unknown event {kind}; {_suggestion(kind, list(When.model_fields))}")
            elif all(when is not None and kind not in _members(when) for when in awaited):
                self._add(node.place, f"no route waits for {kind}; leave it out")
        operation = _members(defaults.member("request")).get("operation")
        if operation is not None and not any(_same_operation(route, operation) for route in routes):
            self._add(operation.place, f"no route asks for {operation.content}; leave it out")

    def _expanded(self, name: str, route: Node) -> Iterator[tuple[str, Node, tuple[Path, ...]]]:
        """The routes that one of the file becomes, each with its name and the places that give it."""
        matrix = route.member(MATRIX)
        if matrix is None:
            yield name, self._substituted(route, _Scope(name)), (route.place,)
            return
        template = Node({key: node for key, node in route.content.items() if key != MATRIX}, route.place)
        combinations = tuple(self._combined(matrix))
        self._check_dimensions(matrix, template, combinations)
        for combination in combinations:
            keys = list(combination.keys.values())
            combined = "-".join((name, *(_slug(key.content) for key in keys)))
            if len(combined) > LONGEST_NAME and len(name) <= LONGEST_NAME and re.match(ROUTE_NAME_PATTERN, name):
                self.faults.append(
                    (
                        keys[-1].place,
                        f"makes the route {combined}, a name of {len(combined)} characters; "
                        f"use a shorter key or route name, of at most {LONGEST_NAME} together",
                    )
                )
                continue
            scope = _Scope(combined, combination, combinations)
            yield combined, self._substituted(template, scope), tuple(key.place for key in keys)

    def _combined(self, matrix: Node) -> list[_Combination]:
        if not isinstance(matrix.content, dict) or not matrix.content:
            self.faults.append((matrix.place, f"must be a map with a member or more; {_RIGHT_MATRIX}"))
            return []
        dimensions = [list(self._dimension(name, node)) for name, node in matrix.content.items()]
        count = 1
        for values in dimensions:
            count *= len(values)
        if count > MOST_COMBINATIONS:
            self.faults.append((matrix.place, f"has {count} combinations; use at most {MOST_COMBINATIONS}"))
            return []
        names = list(matrix.content)
        return [
            _Combination(
                {name: key for name, (key, _) in zip(names, chosen, strict=True)},
                {name: members for name, (_, members) in zip(names, chosen, strict=True)},
            )
            for chosen in itertools.product(*dimensions)
        ]

    def _dimension(self, name: str, node: Node) -> Iterator[tuple[Node, Node]]:
        """The values of a dimension: the key of each, and its members."""
        if name in ("include", "exclude"):
            self.faults.append(
                (node.place, f"a matrix has no {name} here; write each combination as a member, {_RIGHT_MATRIX}")
            )
        elif not re.fullmatch(DIMENSION_PATTERN, name):
            self.faults.append((node.place, "is not a usable name; use letters, digits, - and _, like app"))
        elif isinstance(node.content, dict) and node.content:
            for key, members in node.content.items():
                if members.content is not None and not isinstance(members.content, dict):
                    self.faults.append(
                        (members.place, f"must be a map of values; use members, like {key}: {{appId: d1a2b3c4d5e6}}")
                    )
                elif self._is_key(key, members.place):
                    yield Node(key, members.place), members
        elif isinstance(node.content, list) and node.content:
            for item in node.content:
                if isinstance(item.content, dict | list) or item.content is None:
                    self.faults.append(
                        (item.place, f"must be a text; for values with members use a map, {_RIGHT_MATRIX}")
                    )
                elif self._is_key(_text(item.content), item.place):
                    yield item, Node({}, item.place)
        else:
            self.faults.append((node.place, f"must be a list of texts or a map; {_RIGHT_MATRIX}"))

    def _is_key(self, key: str, place: Path) -> bool:
        if not _slug(key):
            self.faults.append((place, f"{key!r} can't be part of a route's name; use a key with letters or digits"))
        return bool(_slug(key))

    def _check_dimensions(self, matrix: Node, template: Node, combinations: tuple[_Combination, ...]) -> None:
        named = {name.split(".")[0] for text in _texts(template) for name in _PLACEHOLDER.findall(text)}
        for dimension in combinations[0].keys if combinations else ():
            if dimension not in named and len({id(one.keys[dimension]) for one in combinations}) > 1:
                self.faults.append(
                    (
                        (*matrix.place, dimension),
                        f"its routes would all do the same; name {_written(dimension)}, or a member, in the route",
                    )
                )

    def _substituted(self, node: Node, scope: _Scope, *, as_it_is: bool = False) -> Node:
        """The node with the values of a combination in its texts."""
        if isinstance(node.content, dict):
            if self._is_unquoted(node):
                return Node(node.content, node.place, faulty=True)
            return Node(
                {
                    name: self._substituted(inner, scope, as_it_is=name in VERBATIM_PARAMETERS)
                    for name, inner in node.content.items()
                },
                node.place,
            )
        if isinstance(node.content, list):
            items: list[Node] = []
            for item in node.content:
                made = self._substituted(item, scope)
                # A list that a text stands for gives its own items.
                stands_for_list = isinstance(item.content, str) and isinstance(made.content, list)
                items += made.content if stands_for_list else [made]
            return Node(items, node.place)
        if not isinstance(node.content, str):
            return node
        return self._text(node, scope, as_it_is=as_it_is)

    def _text(self, node: Node, scope: _Scope, *, as_it_is: bool) -> Node:
        whole = _PLACEHOLDER.fullmatch(node.content)
        if whole:
            return self._found(whole[1], node, scope) or Node(node.content, node.place, faulty=True)
        if as_it_is:
            return node
        if github := _GITHUB_PLACEHOLDER.search(node.content):
            self._add(node.place, f"{github[0]} is GitHub's way; write {_written(github[1])}")
            return Node(node.content, node.place, faulty=True)
        parts: list[str] = []
        values: list[Path] = []
        end = 0
        for found in _PLACEHOLDER.finditer(node.content):
            value = self._found(found[1], node, scope)
            if value is not None and isinstance(value.content, dict | list):
                self._add(node.place, f"{found[0]} is no text in the route {scope.route}; it must stand alone")
            if value is None or isinstance(value.content, dict | list):
                return Node(node.content, node.place, faulty=True)
            parts += node.content[end : found.start()], _text(value.content)
            values.append(value.place)
            end = found.end()
        return Node("".join((*parts, node.content[end:])), node.place, tuple(values))

    def _found(self, name: str, node: Node, scope: _Scope) -> Node | None:
        """What a name stands for; None, with a fault, where it stands for nothing."""
        combination = scope.combination
        if combination is None:
            if scope.route not in self.without_matrix:
                self.faults.append((node.place, f"the route {scope.route} has no matrix for {_written(name)} to name"))
            self.without_matrix.add(scope.route)
            return None
        found = combination.find(name)
        if found is not None and found.content is not None:
            return found
        dimension, _, member = name.partition(".")
        if any(other.find(name) for other in scope.combinations):
            key = combination.keys[dimension]
            self._add(key.place, f"{_text(key.content)} lacks {member}, which {_dotted(node.place)} names; give it one")
        else:
            known = list(dict.fromkeys(written for other in scope.combinations for written in other.names()))
            self._add(node.place, f"{_written(name)} is no value of the matrix; {_suggestion(_written(name), known)}")
        return None

    def _is_unquoted(self, node: Node) -> bool:
        """Whether a map is what YAML reads of {matrix.app} without quotes."""
        (name, inner), *others = node.content.items() or [("", node)]
        unquoted = not others and inner.content is None and name.startswith(f"{MATRIX}.")
        if unquoted:
            self._add(node.place, f'YAML reads {{{name}}} as a map; put it in quotes, "{{{name}}}"')
        return unquoted

    def _add(self, place: Path, text: str) -> None:
        if (place, text) not in self.faults:
            self.faults.append((place, text))

    def _plain(self, node: Node, path: Path) -> Any:
        """The node as a plain value, which lies at a path of the expanded file."""
        self.origins[path] = node
        if isinstance(node.content, dict):
            return {name: self._plain(inner, (*path, name)) for name, inner in node.content.items()}
        if isinstance(node.content, list):
            return [self._plain(inner, (*path, index)) for index, inner in enumerate(node.content)]
        return node.content


def _with_defaults(route: Node, defaults: Node) -> Node:
    """The route with what it does not say itself: of `when` its own events, of `request` the same operation."""
    if not isinstance(route.content, dict) or not isinstance(defaults.content, dict):
        return route
    base = {name: node for name, node in defaults.content.items() if name != MATRIX}
    when, operation = _given(route, "when"), _members(base.get("request")).get("operation")
    if when is not None:
        kinds = _members(base.get("when"))
        base["when"] = Node({kind: kinds[kind] for kind in _members(when) if kind in kinds}, (DEFAULTS, "when"))
    if operation is not None and not _same_operation(route, operation):
        del base["request"]
    return _merged(route, Node(base, defaults.place))


def _merged(own: Node, base: Node) -> Node:
    """Maps are merged member by member; anything else is the route's own."""
    if not isinstance(base.content, dict) or not isinstance(own.content, dict | None):
        return own
    members: dict[str, Node] = dict(own.content or {})
    for name, node in base.content.items():
        members[name] = _merged(members[name], node) if name in members else node
    return Node(members, own.place)


def _node(value: Any, place: Path) -> Node:
    if isinstance(value, dict):
        return Node({name: _node(inner, (*place, name)) for name, inner in value.items()}, place)
    if isinstance(value, list):
        return Node([_node(inner, (*place, index)) for index, inner in enumerate(value)], place)
    return Node(value, place)


def _members(node: Node | None) -> Mapping[str, Node]:
    return node.content if node is not None and isinstance(node.content, dict) else {}


def _given(node: Node, name: str) -> Node | None:
    """A member that is there and says something."""
    found = node.member(name)
    return found if found is not None and found.content is not None else None


def _same_operation(route: Node, operation: Node) -> bool:
    own = _given(_given(route, "request") or Node({}, ()), "operation")
    return own is None or own.content == operation.content


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node.content, str):
        yield node.content
    inner = node.content.values() if isinstance(node.content, dict) else node.content
    for part in inner if isinstance(node.content, dict | list) else ():
        yield from _texts(part)


def _slug(key: Any) -> str:
    """What a key adds to a route's name: small letters and digits, with hyphens for everything else."""
    return re.sub(r"[^a-z0-9]+", "-", _text(key).lower()).strip("-")


def _text(value: Any) -> str:
    """A scalar as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(name: str) -> str:
    return f"{{{MATRIX}.{name}}}"


def _dotted(place: Path) -> str:
    return ".".join(map(str, place))


def _suggestion(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"use {close[0]}" if close else f"use one of {', '.join(known)}"
