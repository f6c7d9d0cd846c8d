"""A model of a GraphQL schema: its fields, its keys, and what relations of other models look for in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from amplify_jobs.graphql.declarations import Directive, SourceLocation
from amplify_jobs.model.codegen_parameters import RelationshipType

DEFAULT_KEY = "id"


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
        """The first of its directives that has one of these names."""
        return next((directive for directive in self.directives if directive.name in names), None)


@dataclass(frozen=True)
class Key:
    """A key of a model: the primary one unless it has a name. `fields` is None where @key lists none."""

    fields: tuple[str, ...] | None
    name: str | None = None


@dataclass
class Sides:
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
        self._sides: Sides | None = None
        for model_field in fields:
            self._append(model_field)
        self.primary_key, self.sort_keys = self._identity()
        # After they have chosen the key, the generators move each id to the front; a table between two models can have
        # two, of which the later one is then the first.
        ids = [model_field for model_field in self.fields if model_field.name == DEFAULT_KEY]
        self._replace(
            [*reversed(ids), *(model_field for model_field in self.fields if model_field.name != DEFAULT_KEY)]
        )

    def __getitem__(self, name: str) -> ModelField | None:
        return self._by_name.get(name)

    def of_type(self, type_name: str) -> list[ModelField]:
        """The fields of one type, in order."""
        if self._by_type is None:
            self._by_type = {}
            for model_field in self.fields:
                self._by_type.setdefault(model_field.type_name, []).append(model_field)
        return self._by_type.get(type_name, [])

    def with_index(self, index_name: str) -> ModelField | None:
        """The field that bears the @index of that name."""
        if self._indexes is None:
            self._indexes = {}
            for model_field in self.fields:
                for directive in model_field.directives:
                    if directive.name == "index" and (name := directive.text("name")):
                        self._indexes.setdefault(name, model_field)
        return self._indexes.get(index_name)

    @property
    def sides(self) -> Sides:
        """What relations of other models look for in this one."""
        if self._sides is None:
            self._sides = Sides()
            for model_field in self.fields:
                if model_field.directives:
                    self._sides.note(model_field)
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
        bearers = [model_field.name for model_field in self.fields if model_field.directive("primaryKey")]
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
        self._replace([model_field for model_field in self.fields if model_field not in dropped])

    def retype(self, changed: ModelField, type_name: str) -> None:
        """Give a field another type."""
        changed.type_name = type_name
        self._forget()

    def _replace(self, fields: Iterable[ModelField]) -> None:
        self.fields, self._by_name = [], {}
        self._forget()
        for model_field in fields:
            self._append(model_field)

    def _forget(self) -> None:
        self._by_type = self._indexes = self._sides = None

    def _append(self, new: ModelField) -> None:
        self.fields.append(new)
        self._by_name.setdefault(new.name, new)
        if self._by_type is not None:
            self._by_type.setdefault(new.type_name, []).append(new)

    def _identity(self) -> tuple[ModelField, list[ModelField]]:
        for model_field in self.fields:
            if directive := model_field.directive("primaryKey"):
                if not model_field.is_required:
                    raise directive.place.error(
                        f"{self.name}.{model_field.name}: a primary key can't be null; add a '!'"
                    )
                sort_names = directive.names("sortKeyFields") or []
                return model_field, [self._sort_key(directive, name) for name in sort_names]
        existing = self._by_name[DEFAULT_KEY]
        existing.is_required = True
        return existing, []

    def _sort_key(self, directive: Directive, name: str) -> ModelField:
        sort_key = self[name]
        if sort_key is None:
            raise directive.place.error(f"@{directive.name}: {self.name} has no field {name!r} to sort by")
        if sort_key.is_read_only:
            raise directive.place.error(
                f"@{directive.name}: to be sorted by, {name} must be declared in {self.name}: {name}: AWSDateTime!"
            )
        return sort_key


def added_field(
    name: str, type_name: str, place: SourceLocation, *, is_required: bool = False, is_read_only: bool = False
) -> ModelField:
    """A field that the schema does not declare: of a key, a time stamp or a relation."""
    return ModelField(name, type_name, is_list=False, is_required=is_required, place=place, is_read_only=is_read_only)
