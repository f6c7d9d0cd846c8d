"""The text of a GraphQL schema as plain declarations: parsed, merged, every name in it known, each with its place.

Syntax: https://spec.graphql.org/October2021/#sec-Type-System. What may be declared twice, and what of it then counts,
is as in AWS's own generators (npm @aws-amplify/graphql-generator).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from graphql.error import GraphQLSyntaxError
from graphql.language import ast, parse

from amplify_jobs.errors import InvalidSchemaError
from amplify_jobs.graphql.aws_names import (
    AWS_DIRECTIVES,
    KNOWN_DIRECTIVES,
    REPEATABLE_DIRECTIVES,
    RESERVED_PREFIX,
    RESERVED_TYPES,
    SCALARS,
    TRANSFORMER_1_DIRECTIVES,
    owner_of_name,
)
from amplify_jobs.graphql.budget import Budget
from amplify_jobs.graphql.declarations import (
    NOWHERE,
    Directive,
    FieldDeclaration,
    Kind,
    SourceLocation,
    TypeDeclaration,
)
from amplify_jobs.graphql.merging import TypeMerge

# AppSync's own limit: https://docs.aws.amazon.com/general/latest/gr/appsync.html.
LONGEST_SCHEMA = 1_000_000

MOST_WARNINGS = 20
# Only so many names are searched for one that is nearly right.
_MOST_SUGGESTIONS = 500
_ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


@dataclass(frozen=True)
class Document:
    """A whole schema, without types whose names are not its own.

    `roots` are the types whose fields are operations; `warnings` say what has no effect in it. `transformer_1` is the
    first use of a directive that only Amplify's GraphQL transformer 1 has.
    """

    types: dict[str, TypeDeclaration]
    roots: frozenset[str]
    warnings: tuple[str, ...]
    transformer_1: Directive | None


def read_document(sdl: str, *, with_places: bool, budget: Budget) -> Document:
    """Parse a schema and merge what is declared more than once.

    Raises InvalidSchemaError for what is not SDL, for names that are nowhere declared, and for declarations of one name
    that contradict each other; with line and column if places are kept, which takes longer. Raises BudgetExceededError,
    but not while it parses, which takes a time that LONGEST_SCHEMA bounds.
    """
    if len(sdl.encode("utf-8", "surrogatepass")) > LONGEST_SCHEMA:
        raise InvalidSchemaError(
            f"The GraphQL schema is longer than {LONGEST_SCHEMA:,} bytes, which is AppSync's limit"
        )
    try:
        return _Reader(budget).read(parse(sdl, no_location=not with_places))
    except GraphQLSyntaxError as error:
        places = [SourceLocation(location.line, location.column) for location in error.locations or ()]
        raise places[0].error(error.message) if places else InvalidSchemaError(error.message) from None
    except RecursionError:
        raise InvalidSchemaError("The GraphQL schema is nested too deeply") from None


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

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.merges: dict[str, TypeMerge] = {}
        self.roots: dict[str, str] = {}
        # Those that the schema declares, in their order.
        self.own_directives: dict[str, None] = {}
        # These and AWS's behind them: types of such names come first, in this order.
        self.directives: dict[str, None] = {}
        # Those that a type can bear more than once: AWS's, and those that the schema declares so.
        self.repeatable = set(REPEATABLE_DIRECTIVES)
        # Where each name is first declared, or used.
        self.set_aside: dict[str, SourceLocation] = {}
        self.used_directives: dict[str, Directive] = {}
        self.mentioned: dict[str, ast.NamedTypeNode] = {}

    def read(self, document: ast.DocumentNode) -> Document:
        for definition in document.definitions:
            if isinstance(definition, ast.DirectiveDefinitionNode):
                self._declare_directive(definition)
        self.directives = dict.fromkeys((*self.own_directives, *AWS_DIRECTIVES))
        for definition in document.definitions:
            self.budget.spend()
            kind = _KINDS.get(type(definition))
            if kind is not None:
                self._declare(kind, definition)
            elif isinstance(definition, ast.SchemaDefinitionNode | ast.SchemaExtensionNode):
                self._directives(definition.directives)
                for operation in definition.operation_types or ():
                    self.roots[operation.operation.value] = self._mention(operation.type)
            elif not isinstance(definition, ast.DirectiveDefinitionNode):
                raise _place(definition).error("a schema contains declarations of types, not queries or fragments")
        for name, node in self.mentioned.items():
            if name not in self.merges and name not in SCALARS and name not in RESERVED_TYPES:
                type_names = SCALARS | RESERVED_TYPES | self.merges.keys()
                raise _place(node).error(f'Unknown type: "{name}"{_did_you_mean(name, type_names, "")}')
        roots = frozenset(self.roots.get(operation, default) for operation, default in _ROOTS.items())
        types = self._own_types(roots)
        transformer_1 = [used for used in self.used_directives.values() if used.name in TRANSFORMER_1_DIRECTIVES]
        return Document(types, roots, tuple(self._warnings()), next(iter(transformer_1), None))

    def _declare_directive(self, node: ast.DirectiveDefinitionNode) -> None:
        name = node.name.value
        self.own_directives[name] = None
        if name not in KNOWN_DIRECTIVES:
            (self.repeatable.add if node.repeatable else self.repeatable.discard)(name)
        self._arguments(node.arguments)

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
        declaration, fields = self._type(kind, name, node)
        merge = self.merges.get(name)
        if merge is None and name in self.directives:
            # The generators keep types and directives in one table, where the type is merged into the directive.
            empty = TypeDeclaration(kind, name, declaration.place, {}, [], [])
            merge = self.merges[name] = TypeMerge(empty, (), self.repeatable)
            merge.add(declaration, fields)
        elif merge is None:
            self.merges[name] = TypeMerge(declaration, fields, self.repeatable)
        else:
            merge.add(declaration, fields)

    def _own_types(self, roots: frozenset[str]) -> dict[str, TypeDeclaration]:
        """All types but those whose names are another's; those that are named like a directive come first.

        Of the names that GraphQL reserves the generators keep those that another type leads to, behind that type.
        """
        names = dict.fromkeys((*(name for name in self.directives if name in self.merges), *self.merges))
        merged = {name: self.merges[name].finish() for name in names if owner_of_name(name) is None}
        own = {name: declaration for name, declaration in merged.items() if not name.startswith(RESERVED_PREFIX)}
        if len(own) == len(merged):
            return own
        reached: dict[str, TypeDeclaration] = {}
        for start in [*own.values(), *(merged[name] for name in sorted(roots) if name in merged)]:
            waiting = [start]
            while waiting:
                self.budget.spend()
                current = waiting.pop()
                if current.name in reached:
                    continue
                reached[current.name] = current
                led_to = (merged[name] for name in _references(current) if name in merged and name not in own)
                waiting += reversed([*led_to])
        for name, declaration in merged.items():
            if name not in reached and declaration.kind in (Kind.OBJECT, Kind.ENUM):
                self.set_aside.setdefault(name, declaration.place)
        return reached

    def _warnings(self) -> Iterator[str]:
        for name, place in self.set_aside.items():
            owner = owner_of_name(name) or "GraphQL, as all that begin with two underscores"
            yield f"{place}: {name} is left out, since the name belongs to {owner}; choose another name"
        names = KNOWN_DIRECTIVES | TRANSFORMER_1_DIRECTIVES | self.own_directives.keys()
        unknown = (used for used in self.used_directives.values() if used.name not in names)
        suggestions = names if len(names) <= _MOST_SUGGESTIONS else KNOWN_DIRECTIVES
        for number, used in enumerate(unknown):
            # Beyond those that are shown, nobody sees a suggestion, and each costs a comparison with all known names.
            hint = _did_you_mean(used.name, suggestions, "@") if number < MOST_WARNINGS else ""
            yield f"{used.place}: @{used.name} is no directive that Amplify knows and has no effect{hint}"

    def _type(self, kind: Kind, name: str, node: ast.DefinitionNode) -> tuple[TypeDeclaration, list[FieldDeclaration]]:
        directives = self._directives(getattr(node, "directives", None))
        used_types = (*(getattr(node, "interfaces", None) or ()), *(getattr(node, "types", None) or ()))
        members = [self._mention(used) for used in used_types]
        fields = [self._field(member) for member in getattr(node, "fields", None) or ()]
        values = [value.name.value for value in getattr(node, "values", None) or ()]
        for value in getattr(node, "values", None) or ():
            self._directives(value.directives)
        return TypeDeclaration(kind, name, _place(node), {}, values, directives, members), fields

    def _field(self, node: ast.FieldDefinitionNode | ast.InputValueDefinitionNode) -> FieldDeclaration:
        self.budget.spend()
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
        directives = []
        for node in nodes or ():
            self.budget.spend()
            arguments = {argument.name.value: _value(argument.value) for argument in node.arguments or ()}
            used = Directive(node.name.value, arguments, _place(node))
            self.used_directives.setdefault(used.name, used)
            directives.append(used)
        return directives


def _references(declaration: TypeDeclaration) -> Iterator[str]:
    """The names of the types that a type leads to, in the order in which GraphQL.js collects them."""
    yield from declaration.members
    for field in declaration.fields.values():
        yield field.type_name
        yield from (argument.type_name for argument in field.arguments)


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


def _place(node: ast.Node) -> SourceLocation:
    if node.loc is None:
        return NOWHERE
    return SourceLocation(node.loc.start_token.line, node.loc.start_token.column)


def _did_you_mean(name: str, candidates: Collection[str], sign: str) -> str:
    close = get_close_matches(name, sorted(candidates), n=1)
    return f"; did you mean {sign}{close[0]}?" if close else ""
