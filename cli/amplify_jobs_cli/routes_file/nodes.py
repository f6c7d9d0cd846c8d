"""The values of a routes file as nodes, which know their places in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_jobs_cli.routes_file.places import Path

# A place and what is wrong there.
Fault = tuple[Path, str]


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


@dataclass
class FaultList:
    """Faults in the order in which they are found, each once."""

    faults: list[Fault] = field(default_factory=list)

    def add(self, place: Path, message: str) -> None:
        """Add a fault."""
        if (place, message) not in self.faults:
            self.faults.append((place, message))


def node_of(value: Any, place: Path) -> Node:
    """Make a node of a value, and of all that is in it."""
    if isinstance(value, dict):
        return Node({name: node_of(inner, (*place, name)) for name, inner in value.items()}, place)
    if isinstance(value, list):
        return Node([node_of(inner, (*place, index)) for index, inner in enumerate(value)], place)
    return Node(value, place)


def members_of(node: Node | None) -> Mapping[str, Node]:
    """The members of a map; none of anything else."""
    return node.content if node is not None and isinstance(node.content, dict) else {}


def content_member(node: Node, name: str) -> Node | None:
    """The member of a map; None where there is none, or it is empty."""
    member = node.member(name)
    return member if member is not None and member.content is not None else None


def texts_in(node: Node) -> Iterator[str]:
    """All texts in a node."""
    if isinstance(node.content, str):
        yield node.content
    inner = node.content.values() if isinstance(node.content, dict) else node.content
    for part in inner if isinstance(node.content, dict | list) else ():
        yield from texts_in(part)


def scalar_text(value: Any) -> str:
    """A scalar as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def dotted(place: Path) -> str:
    """A place as messages name it."""
    return ".".join(map(str, place))
