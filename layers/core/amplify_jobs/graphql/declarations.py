"""What a GraphQL schema declares, as plain values: types, their fields and directives, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from amplify_jobs.errors import InvalidSchemaError


class SourceLocation(NamedTuple):
    """Where something stands in the text, both counted from 1; see NOWHERE."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"

    def error(self, text: str) -> InvalidSchemaError:
        return InvalidSchemaError(f"{self}: {text}")


# The place of everything in a document that was read without places.
NOWHERE = SourceLocation(0, 0)


class Kind(Enum):
    """What a type is declared as."""

    OBJECT = "type"
    ENUM = "enum"
    INPUT = "input"
    INTERFACE = "interface"
    UNION = "union"
    SCALAR = "scalar"


@dataclass(slots=True)
class Directive:
    """A directive where it is used; enum values among the arguments are strings.

    One that stands for another of the schema has a `fault`: what to say if it can't be followed.
    """

    name: str
    arguments: dict[str, object]
    place: SourceLocation
    fault: str = ""

    def names(self, argument: str) -> list[str] | None:
        """Read an argument that lists names; a single one counts as a list, as GraphQL has it. None if not given."""
        value = self.arguments.get(argument)
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        names = [name for name in items if isinstance(name, str)]
        if len(names) < len(items):
            raise self.place.error(f"@{self.name}: {argument} must be a list of names in quotes")
        return names

    def key(self, argument: str) -> tuple[str, ...]:
        """The names that an argument lists, to look for; none if it is not given, or lists something else."""
        value = self.arguments.get(argument)
        items = value if isinstance(value, list) else [value]
        return tuple(name for name in items if isinstance(name, str)) if all(isinstance(n, str) for n in items) else ()

    def text(self, argument: str) -> str | None:
        """Read an argument that is a text; None if it is not given or empty."""
        value = self.arguments.get(argument)
        if value is not None and not isinstance(value, str):
            raise self.place.error(f"@{self.name}: {argument} must be a text in quotes")
        return value or None


@dataclass(slots=True)
class FieldDeclaration:
    """A field of a type; of nested lists only that they are lists is kept, and whether what is in them may be null."""

    name: str
    type_name: str
    list_depth: int
    item_required: bool
    whole_required: bool
    directives: list[Directive]
    place: SourceLocation
    arguments: list[FieldDeclaration] = field(default_factory=list)

    @property
    def is_list(self) -> bool:
        return self.list_depth > 0


@dataclass(slots=True)
class TypeDeclaration:
    """A type with all that its definitions and extensions say of it."""

    kind: Kind
    name: str
    place: SourceLocation
    fields: dict[str, FieldDeclaration]
    values: list[str]
    directives: list[Directive]
    # The interfaces that an object or interface implements, or the members of a union.
    members: list[str] = field(default_factory=list)
