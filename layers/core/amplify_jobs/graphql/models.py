"""The models of a GraphQL schema, with their keys and relations worked out as AWS's own generators do it.

Source: npm @aws-amplify/graphql-generator (transformer version 2, with its defaults), whose results this reproduces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from amplify_jobs.errors import InvalidSchemaError
from amplify_jobs.graphql.budget import Budget
from amplify_jobs.graphql.declarations import Directive, FieldDeclaration, Kind, SourceLocation, TypeDeclaration
from amplify_jobs.graphql.document import Document
from amplify_jobs.model.codegen_parameters import RelationshipType

DEFAULT_KEY = "id"
STEPS_PER_KEY_FIELD = 10
# How many names one error or warning lists.
MOST_NAMES = 5
_NOT_OF_A_NAME = re.compile(r"^[^_A-Za-z]+|[^_0-9A-Za-z]")
# Where npm change-case splits a name into words, in this order.
_LOWER_UPPER = re.compile(r"([a-z0-9])([A-Z])")
_UPPER_WORD = re.compile(r"([A-Z])([A-Z][a-z])")
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class Relation:
    """What joins a field's model to another: there by `associated` fields (of many), here by `targets` (of one)."""

    kind: RelationshipType
    other: Model
    associated: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class ModelField:
    """A field of a model, declared or added for a key, a time stamp or a relation."""

    name: str
    type_name: str
    is_list: bool
    is_required: bool
    place: SourceLocation
    directives: list[Directive] = field(default_factory=list)
    is_read_only: bool = False
    relation: Relation | None = None

    def directive(self, *names: str) -> Directive | None:
        for each in self.directives:
            if each.name in names:
                return each
        return None


@dataclass(frozen=True)
class Key:
    """A key of a model: the primary one unless it has a name. `fields` is None where @key lists none."""

    fields: tuple[str, ...] | None
    name: str | None = None


@dataclass
class _Sides:
    """What a model's relations look for in another model, each found by name: the first field that is meant."""

    primary_key: ModelField | None = None
    # By the type of the field with @belongsTo; and by that and the first of the names in its `fields`.
    belongs_to: dict[str, ModelField] = field(default_factory=dict)
    carried_by: dict[tuple[str, str], ModelField] = field(default_factory=dict)
    # What @belongsTo needs: by type, the first @hasMany of a list or @hasOne of no list, and all their `references`.
    fronts: dict[str, ModelField] = field(default_factory=dict)
    front_references: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    references: set[tuple[str, ...]] = field(default_factory=set)

    def note(self, bearer: ModelField) -> None:
        """Take in the directives of a field."""
        other = bearer.type_name
        is_front = bearer.directive("hasMany" if bearer.is_list else "hasOne") is not None
        for directive in bearer.directives:
            references = directive.key("references")
            self.references.add(references)
            if directive.name == "primaryKey" and self.primary_key is None:
                self.primary_key = bearer
            elif directive.name == "belongsTo":
                self.belongs_to.setdefault(other, bearer)
                self.carried_by.setdefault((other, next(iter(directive.key("fields")), "")), bearer)
            elif directive.name in ("hasMany", "hasOne") and is_front:
                self.fronts.setdefault(other, bearer)
                self.front_references.add((other, references))


class Model:
    """A type with @model, or the table between the two sides of a @manyToMany.

    Its fields must hold one with @primaryKey, or one called id.
    """

    def __init__(self, name: str, place: SourceLocation, fields: Sequence[ModelField]) -> None:
        self.name = name
        self.place = place
        self.keys: list[Key] = []
        self.fields: list[ModelField] = []
        self._by_name: dict[str, ModelField] = {}
        # Made when they are first needed, and again after a change of what they are made of.
        self._by_type: dict[str, list[ModelField]] | None = None
        self._indexes: dict[str, ModelField] | None = None
        self._sides: _Sides | None = None
        for each in fields:
            self._append(each)
        self.primary_key, self.sort_keys = self._identity()
        # After they have chosen the key, the generators move each id to the front; a table between two models can have
        # two, of which the later one is then the first.
        ids = [each for each in self.fields if each.name == DEFAULT_KEY]
        self._replace([*reversed(ids), *(each for each in self.fields if each.name != DEFAULT_KEY)])

    def __getitem__(self, name: str) -> ModelField | None:
        return self._by_name.get(name)

    def of_type(self, type_name: str) -> list[ModelField]:
        """The fields of one type, in order."""
        if self._by_type is None:
            self._by_type = {}
            for each in self.fields:
                self._by_type.setdefault(each.type_name, []).append(each)
        return self._by_type.get(type_name, [])

    def with_index(self, index_name: str) -> ModelField | None:
        """The field that bears the @index of that name."""
        if self._indexes is None:
            self._indexes = {}
            for each in self.fields:
                for directive in each.directives:
                    if directive.name == "index" and (name := directive.text("name")):
                        self._indexes.setdefault(name, each)
        return self._indexes.get(index_name)

    @property
    def sides(self) -> _Sides:
        """What relations of other models look for in this one."""
        if self._sides is None:
            self._sides = _Sides()
            for each in self.fields:
                if each.directives:
                    self._sides.note(each)
        return self._sides

    @cached_property
    def primary_key_names(self) -> list[str]:
        """The names of the fields of its primary key; relations add other keys only."""
        for key in self.keys:
            if key.name is None:
                return list(key.fields or (DEFAULT_KEY,))
        return [DEFAULT_KEY]

    @cached_property
    def last_primary_key(self) -> str:
        """The name of the last field with @primaryKey, where AWS's generator takes that one."""
        bearers = [each.name for each in self.fields if each.directive("primaryKey")]
        return bearers[-1] if bearers else DEFAULT_KEY

    @property
    def components(self) -> list[ModelField]:
        """The fields of the primary key."""
        return [self.primary_key, *self.sort_keys]

    def add(self, new: ModelField) -> None:
        """Add a field, unless there is one of that name."""
        if new.name not in self._by_name:
            self._append(new)

    def drop(self, unwanted: Iterable[ModelField]) -> None:
        """Remove fields."""
        dropped = set(unwanted)
        self._replace([each for each in self.fields if each not in dropped])

    def retype(self, changed: ModelField, type_name: str) -> None:
        """Give a field another type."""
        changed.type_name = type_name
        self._forget()

    def _replace(self, fields: Iterable[ModelField]) -> None:
        self.fields, self._by_name = [], {}
        self._forget()
        for each in fields:
            self._append(each)

    def _forget(self) -> None:
        self._by_type = self._indexes = self._sides = None

    def _append(self, new: ModelField) -> None:
        self.fields.append(new)
        self._by_name.setdefault(new.name, new)
        if self._by_type is not None:
            self._by_type.setdefault(new.type_name, []).append(new)

    def _identity(self) -> tuple[ModelField, list[ModelField]]:
        for each in self.fields:
            if directive := each.directive("primaryKey"):
                if not each.is_required:
                    raise directive.place.error(f"{self.name}.{each.name}: a primary key can't be null; add a '!'")
                sort_names = directive.names("sortKeyFields") or []
                return each, [self._sort_key(directive, name) for name in sort_names]
        existing = self._by_name[DEFAULT_KEY]
        existing.is_required = True
        return existing, []

    def _sort_key(self, directive: Directive, name: str) -> ModelField:
        found = self[name]
        if found is None:
            raise directive.place.error(f"@{directive.name}: {self.name} has no field {name!r} to sort by")
        if found.is_read_only:
            raise directive.place.error(
                f"@{directive.name}: to be sorted by, {name} must be declared in {self.name}: {name}: AWSDateTime!"
            )
        return found


@dataclass(frozen=True)
class Models:
    """All models of a document, and their fields that are left out since nothing that is read relates them.

    `connections` are those that transformer 1 relates; `warnings` tell of the others.
    """

    models: dict[str, Model]
    warnings: list[str]
    connections: list[str]


def read_models(document: Document, budget: Budget) -> Models:
    """Make the models of a document, with all their relations.

    Raises InvalidSchemaError with line and column for keys and relations that can't be, and BudgetExceededError.
    """
    models = {
        each.name: _model(each, directive)
        for each in document.types.values()
        if (directive := model_directive(each)) is not None
    }
    _join_tables(models, budget)
    lost = list(_relate(models, budget))
    for model in models.values():
        if model.primary_key not in model.fields:
            raise model.place.error(f"{model.name}: its primary key is of a model's type but has no relation to it")
    return Models(
        models,
        [_unrelated_warning(model, each) for model, each in lost if not each.directive("connection")],
        [f"{model.name}.{each.name}" for model, each in lost if each.directive("connection")],
    )


def _unrelated_warning(model: Model, lost: ModelField) -> str:
    wanted = "@hasMany" if lost.is_list else "@hasOne or @belongsTo"
    return (
        f"{lost.place}: {model.name}.{lost.name} is left out, since nothing says how {model.name} and "
        f"{lost.type_name} are related; add {wanted}"
    )


def model_directive(declaration: TypeDeclaration) -> Directive | None:
    """The directive that makes a type a model."""
    if declaration.kind is not Kind.OBJECT:
        return None
    for each in declaration.directives:
        if each.name == "model":
            return each
    return None


# --- Fields and keys -------------------------------------------------------------------------------------------------


def _model(declaration: TypeDeclaration, directive: Directive) -> Model:
    place = declaration.place
    fields = {name: _field(each) for name, each in declaration.fields.items()}
    if not any(each.directive("primaryKey") for each in fields.values()):
        fields.setdefault(DEFAULT_KEY, _added(DEFAULT_KEY, "ID", place, is_required=True))
    for name in _timestamps(directive):
        fields.setdefault(name, _added(name, "AWSDateTime", place, is_read_only=True))
    model = Model(declaration.name, place, list(fields.values()))
    model.keys = list(_keys(model, declaration.directives))
    return model


def _field(declared: FieldDeclaration) -> ModelField:
    return ModelField(
        name=declared.name,
        type_name=declared.type_name,
        is_list=declared.is_list,
        is_required=declared.item_required,
        place=declared.place,
        directives=list(declared.directives),
    )


def _added(
    name: str, type_name: str, place: SourceLocation, *, is_required: bool = False, is_read_only: bool = False
) -> ModelField:
    return ModelField(name, type_name, is_list=False, is_required=is_required, place=place, is_read_only=is_read_only)


def _timestamps(directive: Directive) -> list[str]:
    """The names of the two fields that AppSync keeps the times of a record in; none if they are switched off."""
    chosen = directive.arguments.get("timestamps", {})
    if chosen is None:
        return []
    fields = Directive(directive.name, chosen if isinstance(chosen, dict) else {}, directive.place)
    return [fields.text(name) or name for name in ("createdAt", "updatedAt")]


def _keys(model: Model, directives: Sequence[Directive]) -> Iterator[Key]:
    legacy = [_legacy_key(each) for each in directives if each.name == "key"]
    yield from legacy
    if all(key.name is not None for key in legacy):
        yield from _primary_keys(model)
    taken = {key.name for key in legacy if key.name}
    for each in model.fields:
        for directive in each.directives:
            if directive.name == "index" and (name := directive.text("name") or "") not in taken:
                yield Key((each.name, *(directive.names("sortKeyFields") or ())), name)


def _primary_keys(model: Model) -> Iterator[Key]:
    """The key that the first @primaryKey declares: of two, the one at id, which is first by now, counts here."""
    for each in model.fields:
        if directive := each.directive("primaryKey"):
            yield Key((each.name, *(directive.names("sortKeyFields") or ())))
            return


def _legacy_key(directive: Directive) -> Key:
    """Transformer 1's @key; one that says `name: null` is no primary key either."""
    fields = directive.arguments.get("fields")
    names = directive.names("fields") if isinstance(fields, list) else None
    return Key(
        None if names is None else tuple(names),
        directive.text("name") or "" if "name" in directive.arguments else None,
    )


# --- Many to many ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Side:
    """One end of a @manyToMany."""

    model: Model
    field: ModelField
    directive: Directive

    @property
    def foreign_key(self) -> str:
        return _camel(self.model.name, self.model.primary_key.name)

    def sort_keys(self) -> list[ModelField]:
        found = []
        for name in self.model.primary_key_names[1:]:
            existing = self.model[name]
            if existing is None:
                raise self.directive.place.error(f"{self.model.name} has no field {name!r}, which its @key names")
            found.append(existing)
        return found

    def foreign_sort_keys(self) -> list[str]:
        return [_lower_first(self.model.name) + each.name for each in self.sort_keys()]


def _join_tables(models: dict[str, Model], budget: Budget) -> None:
    sides: dict[str, list[_Side]] = {}
    for model in models.values():
        for each in model.fields:
            for directive in each.directives:
                if directive.name == "manyToMany":
                    if not each.is_list:
                        raise directive.place.error(
                            f"{model.name}.{each.name}: @manyToMany needs a list, [{each.type_name}]"
                        )
                    sides.setdefault(_table_name(directive), []).append(_Side(model, each, directive))
    for name, found in sides.items():
        if len(found) != 2:
            relation = found[0].directive.text("relationName")
            raise found[0].directive.place.error(
                f"@manyToMany: the relation {relation!r} must stand at two fields, but stands at {len(found)}"
            )
        budget.spend(sum(STEPS_PER_KEY_FIELD * len(side.model.primary_key_names) for side in found))
        budget.spend(sum(len(side.field.directives) for side in found))
        one, other = (f"{side.model.name}.{side.field.name}" for side in found)
        fault = (
            f"@manyToMany: no table can join {one} and {other}: relationName must be no model's name, a field can have "
            "one @manyToMany, and a primary @key must name the fields that @primaryKey names"
        )
        models[name] = _join_table(name, found, fault)
        for side in found:
            _point_to(name, side, fault)


def _table_name(directive: Directive) -> str:
    name = directive.text("relationName")
    if name is None:
        raise directive.place.error('@manyToMany needs relationName: "…"')
    cleaned = _NOT_OF_A_NAME.sub("", _upper_first(name))
    if not cleaned:
        raise directive.place.error(f"@manyToMany: no name for a table can be made of relationName {name!r}")
    return cleaned


def _join_table(name: str, sides: Sequence[_Side], fault: str) -> Model:
    place = sides[0].directive.place
    fields = [_added(DEFAULT_KEY, "ID", place, is_required=True)]
    for side in sides:
        key, sort_keys = side.foreign_key, side.foreign_sort_keys()
        index: dict[str, object] = {"name": f"by{side.model.name}", "sortKeyFields": sort_keys}
        by = _added(key, "ID", place)
        by.directives.append(Directive("index", index, place))
        fields.append(by)
        fields += [
            ModelField(sort_key, original.type_name, is_list=original.is_list, is_required=False, place=place)
            for sort_key, original in zip(sort_keys, side.sort_keys(), strict=True)
        ]
    for side in sides:
        one = _added(_camel_case(side.model.name), side.model.name, place, is_required=True)
        keys: dict[str, object] = {"fields": [side.foreign_key, *side.foreign_sort_keys()]}
        one.directives.append(Directive("belongsTo", keys, place, fault))
        fields.append(one)
    table = Model(name, place, fields)
    # A model that is on both sides gives one key, since both ends have the same names.
    indexes = {
        side.foreign_key: Key((side.foreign_key, *side.foreign_sort_keys()), f"by{side.model.name}") for side in sides
    }
    table.keys = list(indexes.values())
    for stamp in ("createdAt", "updatedAt"):
        table.add(_added(stamp, "AWSDateTime", place, is_read_only=True))
    return table


def _point_to(table: str, side: _Side, fault: str) -> None:
    """Let a field point to the table between instead of to the other side."""
    arguments: dict[str, object] = {
        "indexName": f"by{side.model.name}",
        "fields": [side.model.last_primary_key, *(each.name for each in side.sort_keys())],
    }
    side.field.directives = [each for each in side.field.directives if each is not side.directive]
    side.field.directives.append(Directive("hasMany", arguments, side.directive.place, fault))
    side.model.retype(side.field, table)


# --- Relations -------------------------------------------------------------------------------------------------------


def _relate(models: dict[str, Model], budget: Budget) -> Iterator[tuple[Model, ModelField]]:
    """Work out every relation, model by model: each sees the fields that those before it have added and dropped.

    Yields what is dropped: fields of a model's type without a relation.
    """
    for model in list(models.values()):
        for each in list(model.fields):
            budget.spend()
            if directive := each.directive(*_RELATIONS):
                other = models.get(each.type_name)
                if other is None:
                    raise directive.place.error(
                        f"{model.name}.{each.name}: @{directive.name} needs a model, and {each.type_name} has no @model"
                    )
                try:
                    each.relation = _RELATIONS[directive.name](model, each, directive, other)
                except InvalidSchemaError:
                    if directive.fault:
                        raise directive.place.error(directive.fault) from None
                    raise
                # Few letters of a schema can ask for many of these, and each takes memory.
                budget.spend(STEPS_PER_KEY_FIELD * (len(each.relation.associated) + len(each.relation.targets)))
        unrelated = [each for each in model.fields if each.relation is None and each.type_name in models]
        if unrelated:
            model.drop(unrelated)
            yield from ((model, each) for each in unrelated)


def _has_many(model: Model, one: ModelField, directive: Directive, other: Model) -> Relation:
    if not one.is_list:
        raise directive.place.error(f"{model.name}.{one.name}: @hasMany needs a list, [{other.name}]")
    references = directive.names("references")
    if references:
        _check_references(model, one, directive, other)
        associated = [_referenced(directive, other, name) for name in references]
    elif directive.names("fields") is not None:
        associated = [_has_many_by_index(model, one, directive, other)]
    else:
        associated = []
        for component in model.components:
            name = _camel(model.name, one.name, component.name)
            other.add(_added(name, component.type_name, directive.place))
            existing = other[name]
            assert existing is not None
            associated.append(existing)
    names = tuple(each.name for each in associated)
    first = next(iter(other.of_type(model.name)), None)
    has_other_side = first is not None and first.directive("belongsTo") is not None
    if not has_other_side and not any(each.name == "hasMany" and each.text("indexName") for each in one.directives):
        other.keys.append(Key(names, f"gsi-{model.name}.{one.name}"))
    return Relation("HAS_MANY", other, associated=names)


def _has_many_by_index(model: Model, one: ModelField, directive: Directive, other: Model) -> ModelField:
    index_name = directive.text("indexName")
    if index_name:
        bearer = other.with_index(index_name)
        if bearer is None:
            raise directive.place.error(
                f"{model.name}.{one.name}: {other.name} has no @index with the name {index_name!r}"
            )
    else:
        bearer = other.sides.primary_key or other.sides.belongs_to.get(model.name)
    name = bearer.name if bearer is not None else DEFAULT_KEY
    found = other.sides.carried_by.get((model.name, name)) or other[name]
    if found is None:
        raise directive.place.error(f"{model.name}.{one.name}: {other.name} has no field {name!r}")
    return found


def _has_one(model: Model, one: ModelField, directive: Directive, other: Model) -> Relation:
    back = other.sides.belongs_to.get(model.name)
    if one.is_list or (back is not None and back.is_list):
        raise directive.place.error(f"{model.name}.{one.name}: @hasOne is between one and one; for lists use @hasMany")
    references = directive.names("references")
    if references:
        _check_references(model, one, directive, other)
        for name in references:
            _referenced(directive, other, name)
        return Relation("HAS_ONE", other)
    targets = directive.names("fields") or [_camel(model.name, one.name, each.name) for each in other.components]
    _add_targets(model, one, directive, other, targets)
    return Relation("HAS_ONE", other, targets=tuple(targets))


def _belongs_to(model: Model, one: ModelField, directive: Directive, other: Model) -> Relation:
    if one.is_list:
        raise directive.place.error(f"{model.name}.{one.name}: @belongsTo can't stand at a list")
    front = other.sides.fronts.get(model.name)
    if front is None:
        raise directive.place.error(
            f"{model.name}.{one.name}: @belongsTo needs its other side: "
            f"give {other.name} a field of type {model.name} with @hasOne, or of type [{model.name}] with @hasMany"
        )
    references = directive.names("references") or []
    fields = directive.names("fields")
    if references:
        if fields is not None:
            raise directive.place.error(f"{model.name}.{one.name}: use either fields or references, not both")
        if (model.name, tuple(references)) not in other.sides.front_references:
            raise directive.place.error(
                f"{model.name}.{one.name}: {other.name} has no @hasOne or @hasMany with references {listed(references)}"
            )
    targets = (fields or []) + references
    if not targets:
        prefix = (other.name, front.name) if front.is_list else (model.name, one.name)
        targets = [_camel(*prefix, each.name) for each in other.components]
    _add_targets(model, one, directive, other, targets)
    return Relation("BELONGS_TO", other, targets=tuple(targets))


_RELATIONS: dict[str, Callable[[Model, ModelField, Directive, Model], Relation]] = {
    "hasOne": _has_one,
    "hasMany": _has_many,
    "belongsTo": _belongs_to,
}


def _add_targets(model: Model, one: ModelField, directive: Directive, other: Model, targets: list[str]) -> None:
    if len(targets) > len(other.components):
        raise directive.place.error(
            f"{model.name}.{one.name}: {listed(targets)} are more fields than the primary key of {other.name} has"
        )
    for target, component in zip(targets, other.components, strict=False):
        model.add(_added(target, component.type_name, directive.place, is_required=one.is_required))


def _check_references(model: Model, one: ModelField, directive: Directive, other: Model) -> None:
    if directive.names("fields") is not None:
        raise directive.place.error(f"{model.name}.{one.name}: use either fields or references, not both")
    references = directive.names("references") or []
    if tuple(references) not in other.sides.references:
        raise directive.place.error(
            f"{model.name}.{one.name}: {other.name} has no @belongsTo with references {listed(references)}"
        )


def _referenced(directive: Directive, other: Model, name: str) -> ModelField:
    found = other[name]
    if found is None:
        raise directive.place.error(f"@{directive.name}: {other.name} has no field {name!r} to refer to")
    return found


# --- Names -----------------------------------------------------------------------------------------------------------


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _camel(first: str, *others: str) -> str:
    return _lower_first(first) + "".join(map(_upper_first, others))


def words(name: str) -> list[str]:
    """The words of a name, as npm change-case splits it."""
    apart = _UPPER_WORD.sub("\\1\0\\2", _LOWER_UPPER.sub("\\1\0\\2", name))
    return _BETWEEN.sub("\0", apart).strip("\0").split("\0")


def _camel_case(name: str) -> str:
    """A name as npm change-case writes it in camelCase."""
    first, *others = words(name)
    return first.lower() + "".join(f"_{each.lower()}" if each[0].isdigit() else each.capitalize() for each in others)
