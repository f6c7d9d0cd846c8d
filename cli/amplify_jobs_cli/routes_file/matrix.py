"""A route's `matrix`: its dimensions, and each combination of their values."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_jobs_cli.routes_file.nodes import FaultList, Node, members_of, scalar_text, texts_in

MATRIX = "matrix"
DIMENSION_PATTERN = r"[A-Za-z_][A-Za-z0-9_-]*"
# As many as GitHub Actions makes of a matrix.
MOST_COMBINATIONS = 256
PLACEHOLDER = re.compile(r"\{\s*matrix\.([^{}]*?)\s*\}")
_RIGHT = "use names with lists or maps, like {app: {shop: {appId: d1a2b3c4d5e6, path: apps/shop}}}"


@dataclass(frozen=True)
class Combination:
    """One value of each dimension: its key, which names it, and its members, for which `{matrix.…}` stands."""

    keys: Mapping[str, Node]
    members: Mapping[str, Node]

    def find(self, name: str) -> Node | None:
        """The value of a name, as app or app.appId."""
        dimension, *inner = name.split(".")
        node = self.members.get(dimension) if inner else self.keys.get(dimension)
        for part in inner:
            node = node.member(part) if node else None
        return node

    def placeholders(self) -> Iterator[str]:
        """The placeholders of all values, as routes write them."""
        for dimension in self.keys:
            yield placeholder(dimension)
            for name in members_of(self.members.get(dimension)):
                yield placeholder(f"{dimension}.{name}")


def placeholder(name: str) -> str:
    """Write the placeholder of a value."""
    return f"{{{MATRIX}.{name}}}"


def slug(key: Any) -> str:
    """What a key adds to a route's name: small letters and digits, with hyphens for everything else."""
    return re.sub(r"[^a-z0-9]+", "-", scalar_text(key).lower()).strip("-")


def combine(matrix: Node, faults: FaultList) -> tuple[Combination, ...]:
    """Make all combinations; none where there is a fault that leaves none, or there are too many."""
    if not isinstance(matrix.content, dict) or not matrix.content:
        faults.add(matrix.place, f"must be a map with a member or more; {_RIGHT}")
        return ()
    dimensions = [list(_values(name, node, faults)) for name, node in matrix.content.items()]
    count = math.prod(map(len, dimensions))
    if count > MOST_COMBINATIONS:
        faults.add(matrix.place, f"has {count} combinations; use at most {MOST_COMBINATIONS}")
        return ()
    return tuple(
        Combination(
            {name: key for name, (key, _) in zip(matrix.content, values, strict=True)},
            {name: members for name, (_, members) in zip(matrix.content, values, strict=True)},
        )
        for values in itertools.product(*dimensions)
    )


def check_dimensions(matrix: Node, route: Node, combinations: tuple[Combination, ...], faults: FaultList) -> None:
    """Find dimensions that make several routes and that the route does not name: these would do the same."""
    dimensions = {name.split(".")[0] for text in texts_in(route) for name in PLACEHOLDER.findall(text)}
    for dimension in combinations[0].keys if combinations else ():
        keys = {id(combination.keys[dimension]) for combination in combinations}
        if dimension not in dimensions and len(keys) > 1:
            message = f"its routes would all do the same; name {placeholder(dimension)}, or a member, in the route"
            faults.add((*matrix.place, dimension), message)


def _values(name: str, node: Node, faults: FaultList) -> Iterator[tuple[Node, Node]]:
    """The values of a dimension: the key of each, and its members."""
    if name in ("include", "exclude"):
        faults.add(node.place, f"a matrix has no {name} here; write each combination as a member, {_RIGHT}")
    elif not re.fullmatch(DIMENSION_PATTERN, name):
        faults.add(node.place, "is not a usable name; use letters, digits, - and _, like app")
    elif isinstance(node.content, dict) and node.content:
        for key, members in node.content.items():
            if members.content is not None and not isinstance(members.content, dict):
                right = f"use members, like {key}: {{appId: d1a2b3c4d5e6}}"
                faults.add(members.place, f"must be a map of values; {right}")
            elif _is_key(Node(key, members.place), faults):
                yield Node(key, members.place), members
    elif isinstance(node.content, list) and node.content:
        for item in node.content:
            if isinstance(item.content, dict | list) or item.content is None:
                faults.add(item.place, f"must be a text; for values with members use a map, {_RIGHT}")
            elif _is_key(item, faults):
                yield item, Node({}, item.place)
    else:
        faults.add(node.place, f"must be a list of texts or a map; {_RIGHT}")


def _is_key(node: Node, faults: FaultList) -> bool:
    key = scalar_text(node.content)
    if slug(key):
        return True
    faults.add(node.place, f"{key!r} can't be part of a route's name; use a key with letters or digits")
    return False
