"""Substitution: `{matrix.…}` in the texts of a route becomes the value of a combination."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from amplify_jobs.routing.placeholders import VERBATIM_PARAMETERS
from amplify_jobs_cli.routes_file.matrix import MATRIX, PLACEHOLDER, Combination, placeholder
from amplify_jobs_cli.routes_file.nodes import FaultList, Node, dotted, scalar_text
from amplify_jobs_cli.routes_file.places import Path
from amplify_jobs_cli.suggestions import one_of

_GITHUB_PLACEHOLDER = re.compile(r"\$\{\{\s*matrix\.([^{}]*?)\s*\}\}")


@dataclass(frozen=True)
class Scope:
    """A route, the combination that it is made with, and all combinations of its matrix; none without a matrix."""

    route: str
    combination: Combination | None = None
    combinations: tuple[Combination, ...] = ()


@dataclass
class Substitution:
    """Substitutes values in routes, and keeps what is wrong with their placeholders."""

    faults: FaultList
    # Routes of which is told that they have no matrix: once, however many texts name values of it.
    _without_matrix: set[str] = field(default_factory=set)

    def apply(self, node: Node, scope: Scope, *, verbatim: bool = False) -> Node:
        """The node with the values of a combination in its texts; a verbatim text is replaced only as a whole."""
        if isinstance(node.content, dict):
            if self._is_unquoted(node):
                return Node(node.content, node.place, faulty=True)
            members = {
                name: self.apply(inner, scope, verbatim=name in VERBATIM_PARAMETERS)
                for name, inner in node.content.items()
            }
            return Node(members, node.place)
        if isinstance(node.content, list):
            items: list[Node] = []
            for item in node.content:
                result = self.apply(item, scope)
                # A list that a text stands for gives its own items.
                stands_for_list = isinstance(item.content, str) and isinstance(result.content, list)
                items += result.content if stands_for_list else [result]
            return Node(items, node.place)
        if not isinstance(node.content, str):
            return node
        return self._text(node, scope, verbatim=verbatim)

    def _text(self, node: Node, scope: Scope, *, verbatim: bool) -> Node:
        whole = PLACEHOLDER.fullmatch(node.content)
        if whole:
            return self._value(whole[1], node, scope) or Node(node.content, node.place, faulty=True)
        if verbatim:
            return node
        if github := _GITHUB_PLACEHOLDER.search(node.content):
            self.faults.add(node.place, f"{github[0]} is GitHub's way; write {placeholder(github[1])}")
            return Node(node.content, node.place, faulty=True)
        parts: list[str] = []
        places: list[Path] = []
        end = 0
        for match in PLACEHOLDER.finditer(node.content):
            value = self._value(match[1], node, scope)
            if value is not None and isinstance(value.content, dict | list):
                self.faults.add(node.place, f"{match[0]} is no text in the route {scope.route}; it must stand alone")
            if value is None or isinstance(value.content, dict | list):
                return Node(node.content, node.place, faulty=True)
            parts += node.content[end : match.start()], scalar_text(value.content)
            places.append(value.place)
            end = match.end()
        return Node("".join((*parts, node.content[end:])), node.place, tuple(places))

    def _value(self, name: str, node: Node, scope: Scope) -> Node | None:
        """The value of a name; None, with a fault, where there is none."""
        combination = scope.combination
        if combination is None:
            if scope.route not in self._without_matrix:
                self.faults.add(node.place, f"the route {scope.route} has no matrix for {placeholder(name)} to name")
            self._without_matrix.add(scope.route)
            return None
        value = combination.find(name)
        if value is not None and value.content is not None:
            return value
        dimension, _, member = name.partition(".")
        if any(other.find(name) for other in scope.combinations):
            key = combination.keys[dimension]
            text = scalar_text(key.content)
            self.faults.add(key.place, f"{text} lacks {member}, which {dotted(node.place)} names; give it one")
        else:
            names = list(dict.fromkeys(text for other in scope.combinations for text in other.placeholders()))
            text = placeholder(name)
            self.faults.add(node.place, f"{text} is no value of the matrix; {one_of(text, names)}")
        return None

    def _is_unquoted(self, node: Node) -> bool:
        """Whether a map is what YAML reads of {matrix.app} without quotes."""
        (name, inner), *rest = node.content.items() or [("", node)]
        is_unquoted = not rest and inner.content is None and name.startswith(f"{MATRIX}.")
        if is_unquoted:
            self.faults.add(node.place, f'YAML reads {{{name}}} as a map; put it in quotes, "{{{name}}}"')
        return is_unquoted
