"""The models of a GraphQL schema, with their keys and relations worked out as AWS's own generators do it.

Source: npm @aws-amplify/graphql-generator (transformer version 2, with its defaults), whose results this reproduces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from amplify_jobs.codegen_requests import RelationshipType
from amplify_jobs.graphql_document import Directive, Document, FieldDeclaration, Kind, Place, TypeDeclaration

DEFAULT_KEY = "id"
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
    place: Place
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


class Model:
    """A type with @model, or the table between the two sides of a @manyToMany.

    Its fields must hold one with @primaryKey, or one called id.
    """

    def __init__(self, name: str, place: Place, fields: Sequence[ModelField]) -> None:
        self.name = name
        self.place = place
        self.keys: list[Key] = []
        self.fields: list[ModelField] = []
        self._by_name: dict[str, ModelField] = {}
        self._by_type: dict[str, list[ModelField]] = {}
        self._indexes: dict[str, ModelField] | None = None
        for each in fields:
            self._append(each)
        self.primary_key, self.sort_keys = self._identity()

    def __getitem__(self, name: str) -> ModelField | None:
        return self._by_name.get(name)

    def of_type(self, type_name: str) -> list[ModelField]:
        """The fields of one type, in order."""
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

    def belongs_to(self, other: Model) -> ModelField | None:
        """The first field that says that this belongs to the other model."""
        return next((each for each in self.of_type(other.name) if each.directive("belongsTo")), None)

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
        kept = [each for each in self.fields if each not in dropped]
        self.fields, self._by_name, self._by_type, self._indexes = [], {}, {}, None
        for each in kept:
            self._append(each)

    def retype(self, changed: ModelField, type_name: str) -> None:
        """Give a field another type."""
        self._by_type[changed.type_name].remove(changed)
        changed.type_name = type_name
        self._by_type[type_name] = [each for each in self.fields if each.type_name == type_name]

    def _append(self, new: ModelField) -> None:
        self.fields.append(new)
        self._by_name.setdefault(new.name, new)
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


def read_models(document: Document) -> tuple[dict[str, Model], list[str]]:
    """Make the models of a document, with all their relations; the second part are warnings.

    Raises InvalidSchema with line and column for keys and relations that can't be.
    """
    models = {
        each.name: _model(each, directive)
        for each in document.types.values()
        if (directive := model_directive(each)) is not None
    }
    _join_tables(models)
    warnings = list(_relate(models))
    for model in models.values():
        if model[model.primary_key.name] is not model.primary_key:
            raise model.place.error(f"{model.name}: its primary key is of a model's type but has no relation to it")
    return models, warnings


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
    first = [fields.pop(DEFAULT_KEY)] if DEFAULT_KEY in fields else []
    model = Model(declaration.name, place, [*first, *fields.values()])
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
    name: str, type_name: str, place: Place, *, is_required: bool = False, is_read_only: bool = False
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
    if all(key.name is not None for key in legacy) and model.primary_key.directive("primaryKey"):
        yield Key(tuple(each.name for each in model.components))
    taken = {key.name for key in legacy if key.name}
    for each in model.fields:
        for directive in each.directives:
            if directive.name == "index" and (name := directive.text("name") or "") not in taken:
                yield Key((each.name, *(directive.names("sortKeyFields") or ())), name)


def _legacy_key(directive: Directive) -> Key:
    """Transformer 1's @key; one that says `name: null` is no primary key either."""
    fields = directive.arguments.get("fields")
    names = directive.names("fields") if isinstance(fields, list) else None
    return Key(
        None if names is None else tuple(names),
        directive.text("name") or "" if "name" in directive.arguments else None,
    )


def primary_key_names(model: Model) -> list[str]:
    """The names of the fields of a model's primary key."""
    for key in model.keys:
        if key.name is None:
            return list(key.fields or (DEFAULT_KEY,))
    return [DEFAULT_KEY]


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
        for name in primary_key_names(self.model)[1:]:
            existing = self.model[name]
            if existing is None:
                raise self.directive.place.error(f"{self.model.name} has no field {name!r}, which its @key names")
            found.append(existing)
        return found

    def foreign_sort_keys(self) -> list[str]:
        return [_lower_first(self.model.name) + each.name for each in self.sort_keys()]


def _join_tables(models: dict[str, Model]) -> None:
    sides: dict[str, list[_Side]] = {}
    for model in models.values():
        for each in model.fields:
            for directive in each.directives:
                if directive.name == "manyToMany":
                    sides.setdefault(_table_name(directive), []).append(_Side(model, each, directive))
    for name, found in sides.items():
        if len(found) != 2:
            relation = found[0].directive.text("relationName")
            raise found[0].directive.place.error(
                f"@manyToMany: the relation {relation!r} must stand at two fields, but stands at {len(found)}"
            )
        models[name] = _join_table(name, found)
        for side in found:
            _point_to(name, side)


def _table_name(directive: Directive) -> str:
    name = directive.text("relationName")
    if name is None:
        raise directive.place.error('@manyToMany needs relationName: "…"')
    cleaned = _NOT_OF_A_NAME.sub("", _upper_first(name))
    if not cleaned:
        raise directive.place.error(f"@manyToMany: no name for a table can be made of relationName {name!r}")
    return cleaned


def _join_table(name: str, sides: Sequence[_Side]) -> Model:
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
        one.directives.append(Directive("belongsTo", {"fields": [side.foreign_key, *side.foreign_sort_keys()]}, place))
        fields.append(one)
    table = Model(name, place, fields)
    # A model that is on both sides gives one key, since both ends have the same names.
    keys = {
        side.foreign_key: Key((side.foreign_key, *side.foreign_sort_keys()), f"by{side.model.name}") for side in sides
    }
    table.keys = list(keys.values())
    for stamp in ("createdAt", "updatedAt"):
        table.add(_added(stamp, "AWSDateTime", place, is_read_only=True))
    return table


def _point_to(table: str, side: _Side) -> None:
    """Let a field point to the table between instead of to the other side."""
    # AWS's generator takes the last @primaryKey here, if there are several.
    bearers = [each.name for each in side.model.fields if each.directive("primaryKey")]
    arguments: dict[str, object] = {
        "indexName": f"by{side.model.name}",
        "fields": [bearers[-1] if bearers else DEFAULT_KEY, *(each.name for each in side.sort_keys())],
    }
    side.field.directives = [each for each in side.field.directives if each is not side.directive]
    side.field.directives.append(Directive("hasMany", arguments, side.directive.place))
    side.model.retype(side.field, table)


# --- Relations -------------------------------------------------------------------------------------------------------


def _relate(models: dict[str, Model]) -> Iterator[str]:
    """Work out every relation, model by model: each sees the fields that those before it have added and dropped."""
    for model in list(models.values()):
        for each in list(model.fields):
            if directive := each.directive(*_RELATIONS):
                other = models.get(each.type_name)
                if other is None:
                    raise directive.place.error(
                        f"{model.name}.{each.name}: @{directive.name} needs a model, and {each.type_name} has no @model"
                    )
                each.relation = _RELATIONS[directive.name](model, each, directive, other)
        unrelated = [each for each in model.fields if each.relation is None and each.type_name in models]
        if unrelated:
            model.drop(unrelated)
        for lost in unrelated:
            wanted = "@hasMany" if lost.is_list else "@hasOne or @belongsTo"
            yield (
                f"{lost.place}: {model.name}.{lost.name} is left out, since nothing says how {model.name} and "
                f"{lost.type_name} are related; add {wanted}"
            )


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
        bearer = next((each for each in other.fields if each.directive("primaryKey")), None) or other.belongs_to(model)
    name = bearer.name if bearer is not None else DEFAULT_KEY
    for back in other.of_type(model.name):
        if any(each.name == "belongsTo" and (each.names("fields") or [""])[0] == name for each in back.directives):
            return back
    found = other[name]
    if found is None:
        raise directive.place.error(f"{model.name}.{one.name}: {other.name} has no field {name!r}")
    return found


def _has_one(model: Model, one: ModelField, directive: Directive, other: Model) -> Relation:
    back = other.belongs_to(model)
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
    fronts = [each for each in other.of_type(model.name) if each.directive("hasMany" if each.is_list else "hasOne")]
    if not fronts:
        raise directive.place.error(
            f"{model.name}.{one.name}: @belongsTo needs its other side: "
            f"give {other.name} a field of type {model.name} with @hasOne, or of type [{model.name}] with @hasMany"
        )
    references = directive.names("references") or []
    fields = directive.names("fields")
    if references:
        if fields is not None:
            raise directive.place.error(f"{model.name}.{one.name}: use either fields or references, not both")
        matching = [each for front in fronts for each in front.directives if each.name in ("hasOne", "hasMany")]
        if not any(each.names("references") == references for each in matching):
            raise directive.place.error(
                f"{model.name}.{one.name}: {other.name} has no @hasOne or @hasMany with references {references}"
            )
    targets = (fields or []) + references
    if not targets:
        prefix = (other.name, fronts[0].name) if fronts[0].is_list else (model.name, one.name)
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
            f"{model.name}.{one.name}: {targets} are more fields than the primary key of {other.name} has"
        )
    for target, component in zip(targets, other.components, strict=False):
        model.add(_added(target, component.type_name, directive.place, is_required=one.is_required))


def _check_references(model: Model, one: ModelField, directive: Directive, other: Model) -> None:
    if directive.names("fields") is not None:
        raise directive.place.error(f"{model.name}.{one.name}: use either fields or references, not both")
    references = directive.names("references")
    if not any(each.names("references") == references for member in other.fields for each in member.directives):
        raise directive.place.error(
            f"{model.name}.{one.name}: {other.name} has no @belongsTo with references {references}"
        )


def _referenced(directive: Directive, other: Model, name: str) -> ModelField:
    found = other[name]
    if found is None:
        raise directive.place.error(f"@{directive.name}: {other.name} has no field {name!r} to refer to")
    return found


# --- Names -----------------------------------------------------------------------------------------------------------


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
