"""The text of a GraphQL schema as plain declarations: parsed, merged, every name in it known, each with its place.

Syntax: https://spec.graphql.org/October2021/#sec-Type-System. What may be declared twice, and what of it then counts,
is as in AWS's own generators (npm @aws-amplify/graphql-generator).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import NamedTuple, get_args

from graphql.error import GraphQLSyntaxError
from graphql.language import ast, parse

from amplify_jobs.codegen_requests import DataType
from amplify_jobs.errors import InvalidSchema

# AppSync's own limit: https://docs.aws.amazon.com/general/latest/gr/appsync.html.
LONGEST_SCHEMA = 1_000_000

SCALARS = frozenset(get_args(DataType)) - {"Enum", "Model", "NonModel"}
# What AWS's directives are declared with (npm @aws-amplify/graphql-directives); its generators skip these names.
RESERVED_TYPES = frozenset(
    {
        "AMPLIFY",
        "AuthRule",
        "AuthStrategy",
        "AuthProvider",
        "ModelOperation",
        "HttpMethod",
        "HttpHeader",
        "ModelMutationMap",
        "ModelQueryMap",
        "ModelSubscriptionMap",
        "ModelSubscriptionLevel",
        "TimestampConfiguration",
        "PredictionsActions",
        "SearchableQueryMap",
    }
)
# The directives of the same package, GraphQL's own, and @key, which the generators still heed.
KNOWN_DIRECTIVES = frozenset(
    {
        "model",
        "auth",
        "primaryKey",
        "index",
        "hasOne",
        "hasMany",
        "belongsTo",
        "manyToMany",
        "default",
        "function",
        "http",
        "mapsTo",
        "predictions",
        "refersTo",
        "searchable",
        "sql",
        "aws_api_key",
        "aws_auth",
        "aws_cognito_user_pools",
        "aws_iam",
        "aws_lambda",
        "aws_oidc",
        "aws_subscribe",
        "deprecated",
        "specifiedBy",
        "key",
    }
)
_REPEATABLE = frozenset({"index", "function"})
_ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


class Place(NamedTuple):
    """Where something stands in the text, both counted from 1; see NOWHERE."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"

    def error(self, text: str) -> InvalidSchema:
        return InvalidSchema(f"{self}: {text}")


# The place of everything in a document that was read without places.
NOWHERE = Place(0, 0)


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
    """A directive where it is used; enum values among the arguments are strings."""

    name: str
    arguments: dict[str, object]
    place: Place

    def names(self, argument: str) -> list[str] | None:
        """Read an argument that lists names; a single one counts as a list, as GraphQL has it. None if not given."""
        value = self.arguments.get(argument)
        if value is None:
            return None
        given = value if isinstance(value, list) else [value]
        names = [name for name in given if isinstance(name, str)]
        if len(names) < len(given):
            raise self.place.error(f"@{self.name}: {argument} must be a list of names in quotes")
        return names

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
    place: Place
    arguments: list[FieldDeclaration] = field(default_factory=list)

    @property
    def is_list(self) -> bool:
        return self.list_depth > 0


@dataclass(slots=True)
class TypeDeclaration:
    """A type with all that its definitions and extensions say of it."""

    kind: Kind
    name: str
    place: Place
    fields: dict[str, FieldDeclaration]
    values: list[str]
    directives: list[Directive]


@dataclass(frozen=True)
class Document:
    """A whole schema, without types whose names are not its own.

    `roots` are the types whose fields are operations; `warnings` say what has no effect in it.
    """

    types: dict[str, TypeDeclaration]
    roots: frozenset[str]
    warnings: tuple[str, ...]


def owner_of_name(name: str) -> str | None:
    """Say whose the name of a type is, if no schema can have a type of its own by that name."""
    if name in SCALARS:
        return "one of AppSync's scalars"
    return "AWS's own directives" if name in RESERVED_TYPES else None


def read_document(sdl: str, *, with_places: bool) -> Document:
    """Parse a schema and merge what is declared more than once.

    Raises InvalidSchema for what is not SDL, for names that are nowhere declared, and for declarations of one name that
    contradict each other; with line and column if places are kept, which takes longer.
    """
    if len(sdl.encode("utf-8", "surrogatepass")) > LONGEST_SCHEMA:
        raise InvalidSchema(f"The GraphQL schema is longer than {LONGEST_SCHEMA:,} bytes, which is what AppSync takes")
    try:
        return _Reader().read(parse(sdl, no_location=not with_places))
    except GraphQLSyntaxError as error:
        places = [Place(found.line, found.column) for found in error.locations or ()]
        raise places[0].error(error.message) if places else InvalidSchema(error.message) from None
    except RecursionError:
        raise InvalidSchema("The GraphQL schema is nested too deeply") from None


_KINDS: dict[type[ast.DefinitionNode], Kind] = {
    ast.ObjectTypeDefinitionNode: Kind.OBJECT,
    ast.ObjectTypeExtensionNode: Kind.OBJECT,
    ast.EnumTypeDefinitionNode: Kind.ENUM,
    ast.EnumTypeExtensionNode: Kind.ENUM,
    ast.InputObjectTypeDefinitionNode: Kind.INPUT,
    ast.InputObjectTypeExtensionNode: Kind.INPUT,
    ast.InterfaceTypeDefinitionNode: Kind.INTERFACE,
    ast.InterfaceTypeExtensionNode: Kind.INTERFACE,
    ast.UnionTypeDefinitionNode: Kind.UNION,
    ast.UnionTypeExtensionNode: Kind.UNION,
    ast.ScalarTypeDefinitionNode: Kind.SCALAR,
    ast.ScalarTypeExtensionNode: Kind.SCALAR,
}


class _Reader:
    """Collects the declarations of one document."""

    def __init__(self) -> None:
        self.types: dict[str, TypeDeclaration] = {}
        self.roots: dict[str, str] = {}
        self.own_directives: set[str] = set()
        # Where each name is first declared, or used.
        self.set_aside: dict[str, Place] = {}
        self.used_directives: dict[str, Directive] = {}
        self.mentioned: dict[str, ast.NamedTypeNode] = {}

    def read(self, document: ast.DocumentNode) -> Document:
        for definition in document.definitions:
            kind = _KINDS.get(type(definition))
            if kind is not None:
                self._declare(kind, definition)
            elif isinstance(definition, ast.DirectiveDefinitionNode):
                self.own_directives.add(definition.name.value)
                self._arguments(definition.arguments)
            elif isinstance(definition, ast.SchemaDefinitionNode | ast.SchemaExtensionNode):
                self._directives(definition.directives)
                for operation in definition.operation_types or ():
                    self.roots[operation.operation.value] = self._mention(operation.type)
            else:
                raise _place(definition).error("a schema holds declarations of types, not queries or fragments")
        for name, node in self.mentioned.items():
            if name not in self.types and name not in SCALARS and name not in RESERVED_TYPES:
                known = SCALARS | RESERVED_TYPES | self.types.keys()
                raise _place(node).error(f'Unknown type: "{name}"{_did_you_mean(name, known, "")}')
        types = {name: each for name, each in self.types.items() if owner_of_name(name) is None}
        roots = {self.roots.get(operation, default) for operation, default in _ROOTS.items()}
        return Document(types, frozenset(roots), tuple(self._warnings()))

    def _declare(self, kind: Kind, node: ast.DefinitionNode) -> None:
        # Six classes of nodes have a name, and mypy can't tell that these do from `kind`.
        name: str = node.name.value  # type: ignore[attr-defined]
        if name in SCALARS:
            # The generators do not even look into it.
            if kind is not Kind.SCALAR:
                self.set_aside.setdefault(name, _place(node))
            return
        # Many schemas repeat the inputs and enums that AWS's directives are declared with.
        if name in RESERVED_TYPES and kind is Kind.OBJECT:
            self.set_aside.setdefault(name, _place(node))
        self._merge(self._type(kind, name, node))

    def _warnings(self) -> Iterable[str]:
        for name, place in self.set_aside.items():
            yield f"{place}: {name} is left out, since the name belongs to {owner_of_name(name)}; choose another name"
        known = KNOWN_DIRECTIVES | self.own_directives
        for used in self.used_directives.values():
            if used.name not in known:
                yield (
                    f"{used.place}: @{used.name} is no directive that Amplify knows and has no effect"
                    f"{_did_you_mean(used.name, known, '@')}"
                )

    def _type(self, kind: Kind, name: str, node: ast.DefinitionNode) -> TypeDeclaration:
        directives = self._directives(getattr(node, "directives", None))
        for used in (*(getattr(node, "interfaces", None) or ()), *(getattr(node, "types", None) or ())):
            self._mention(used)
        fields = [self._field(member) for member in getattr(node, "fields", None) or ()]
        values = [value.name.value for value in getattr(node, "values", None) or ()]
        for value in getattr(node, "values", None) or ():
            self._directives(value.directives)
        # Of two fields with one name in one pair of braces the later one counts.
        return TypeDeclaration(kind, name, _place(node), {each.name: each for each in fields}, values, directives)

    def _field(self, node: ast.FieldDefinitionNode | ast.InputValueDefinitionNode) -> FieldDeclaration:
        shape: ast.TypeNode = node.type
        whole_required = isinstance(shape, ast.NonNullTypeNode)
        depth = 0
        item_required = False
        while not isinstance(shape, ast.NamedTypeNode):
            item_required = isinstance(shape, ast.NonNullTypeNode)
            depth += isinstance(shape, ast.ListTypeNode)
            shape = shape.type  # type: ignore[attr-defined]
        return FieldDeclaration(
            name=node.name.value,
            type_name=self._mention(shape),
            list_depth=depth,
            item_required=item_required,
            whole_required=whole_required,
            directives=self._directives(node.directives),
            place=_place(node.name),
            arguments=self._arguments(getattr(node, "arguments", None)),
        )

    def _arguments(self, nodes: Sequence[ast.InputValueDefinitionNode] | None) -> list[FieldDeclaration]:
        return [self._field(node) for node in nodes or ()]

    def _mention(self, node: ast.NamedTypeNode) -> str:
        name = node.name.value
        self.mentioned.setdefault(name, node)
        return name

    def _directives(self, nodes: Sequence[ast.DirectiveNode] | None) -> list[Directive]:
        found = []
        for node in nodes or ():
            arguments = {each.name.value: _value(each.value) for each in node.arguments or ()}
            used = Directive(node.name.value, arguments, _place(node))
            self.used_directives.setdefault(used.name, used)
            found.append(used)
        return found

    def _merge(self, new: TypeDeclaration) -> None:
        old = self.types.get(new.name)
        if old is None:
            self.types[new.name] = new
            return
        if old.kind is not new.kind:
            raise new.place.error(f"{new.name} is declared as {new.kind.value}, but as {old.kind.value} at {old.place}")
        for name, declared in new.fields.items():
            before = old.fields.get(name)
            old.fields[name] = declared if before is None else _merged_field(old.name, before, declared)
        old.values = list(dict.fromkeys(new.values + old.values))
        old.directives = _merged_directives(old.directives, new.directives)


def _merged_field(owner: str, old: FieldDeclaration, new: FieldDeclaration) -> FieldDeclaration:
    if (old.type_name, old.list_depth) != (new.type_name, new.list_depth):
        raise new.place.error(f"{owner}.{new.name} has another type than at {old.place}; the two must be the same")
    kept = new if new.whole_required and not old.whole_required else old
    return FieldDeclaration(
        name=old.name,
        type_name=old.type_name,
        list_depth=old.list_depth,
        item_required=kept.item_required,
        whole_required=kept.whole_required,
        directives=_merged_directives(old.directives, new.directives),
        place=old.place,
        arguments=list({each.name: each for each in (*old.arguments, *new.arguments)}.values()),
    )


def _merged_directives(old: list[Directive], new: list[Directive]) -> list[Directive]:
    """Add directives to those that an earlier declaration has; the same one twice becomes one with both's arguments."""
    merged: list[Directive] = []
    for directive in (*old, *new):
        first = next((each for each in merged if each.name == directive.name), None)
        if first is None or directive.name in _REPEATABLE:
            merged.append(directive)
            continue
        for name, value in directive.arguments.items():
            before = first.arguments.get(name)
            if isinstance(before, list) and isinstance(value, list):
                first.arguments[name] = before + [item for item in value if item not in before]
            else:
                first.arguments[name] = value
    return merged


def _value(node: ast.ValueNode) -> object:
    match node:
        case ast.StringValueNode() | ast.EnumValueNode() | ast.BooleanValueNode():
            return node.value
        case ast.IntValueNode() | ast.FloatValueNode():
            return float(node.value)
        case ast.ListValueNode():
            return [_value(item) for item in node.values]
        case ast.ObjectValueNode():
            return {member.name.value: _value(member.value) for member in node.fields}
    return None


def _place(node: ast.Node) -> Place:
    if node.loc is None:
        return NOWHERE
    return Place(node.loc.start_token.line, node.loc.start_token.column)


def _did_you_mean(name: str, known: Iterable[str], sign: str) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {sign}{close[0]}?" if close else ""
