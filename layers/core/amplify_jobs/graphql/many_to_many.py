"""@manyToMany: the table between two models, with a key to each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from amplify_jobs.graphql.budget import STEPS_PER_KEY_FIELD, Budget
from amplify_jobs.graphql.declarations import Directive
from amplify_jobs.graphql.model import DEFAULT_KEY, Key, Model, ModelField, added_field
from amplify_jobs.graphql.names import camel, camel_case, lower_first, upper_first

_NOT_OF_A_NAME = re.compile(r"^[^_A-Za-z]+|[^_0-9A-Za-z]")


@dataclass(frozen=True)
class _Side:
    """One end of a @manyToMany."""

    model: Model
    field: ModelField
    directive: Directive

    @property
    def foreign_key(self) -> str:
        return camel(self.model.name, self.model.primary_key.name)

    def sort_keys(self) -> list[ModelField]:
        sort_keys = []
        for name in self.model.primary_key_names[1:]:
            sort_key = self.model[name]
            if sort_key is None:
                raise self.directive.place.error(f"{self.model.name} has no field {name!r}, which its @key names")
            sort_keys.append(sort_key)
        return sort_keys

    def foreign_sort_keys(self) -> list[str]:
        return [lower_first(self.model.name) + sort_key.name for sort_key in self.sort_keys()]


def join_tables(models: dict[str, Model], budget: Budget) -> None:
    """Add the table of each @manyToMany to the models, and let both sides point to it. Raises InvalidSchemaError."""
    sides: dict[str, list[_Side]] = {}
    for model in models.values():
        for field in model.fields:
            for directive in field.directives:
                if directive.name == "manyToMany":
                    if not field.is_list:
                        raise directive.place.error(
                            f"{model.name}.{field.name}: @manyToMany needs a list, [{field.type_name}]"
                        )
                    sides.setdefault(_table_name(directive), []).append(_Side(model, field, directive))
    for name, ends in sides.items():
        if len(ends) != 2:
            relation = ends[0].directive.text("relationName")
            raise ends[0].directive.place.error(
                f"@manyToMany: the relation {relation!r} must be on two fields, but is on {len(ends)}"
            )
        budget.spend(sum(STEPS_PER_KEY_FIELD * len(end.model.primary_key_names) for end in ends))
        budget.spend(sum(len(end.field.directives) for end in ends))
        first, second = (f"{end.model.name}.{end.field.name}" for end in ends)
        fault = (
            f"@manyToMany: no table can join {first} and {second}: relationName must be no model's name, a field can "
            "have one @manyToMany, and a primary @key must name the fields that @primaryKey names"
        )
        models[name] = _join_table(name, ends, fault)
        for end in ends:
            _point_to(name, end, fault)


def _table_name(directive: Directive) -> str:
    name = directive.text("relationName")
    if name is None:
        raise directive.place.error('@manyToMany needs relationName: "…"')
    cleaned = _NOT_OF_A_NAME.sub("", upper_first(name))
    if not cleaned:
        raise directive.place.error(f"@manyToMany: no table can be named after relationName {name!r}")
    return cleaned


def _join_table(name: str, sides: Sequence[_Side], fault: str) -> Model:
    place = sides[0].directive.place
    fields = [added_field(DEFAULT_KEY, "ID", place, is_required=True)]
    for side in sides:
        key, sort_keys = side.foreign_key, side.foreign_sort_keys()
        index: dict[str, object] = {"name": f"by{side.model.name}", "sortKeyFields": sort_keys}
        foreign_key = added_field(key, "ID", place)
        foreign_key.directives.append(Directive("index", index, place))
        fields.append(foreign_key)
        fields += [
            ModelField(sort_key, original.type_name, is_list=original.is_list, is_required=False, place=place)
            for sort_key, original in zip(sort_keys, side.sort_keys(), strict=True)
        ]
    for side in sides:
        owner = added_field(camel_case(side.model.name), side.model.name, place, is_required=True)
        keys: dict[str, object] = {"fields": [side.foreign_key, *side.foreign_sort_keys()]}
        owner.directives.append(Directive("belongsTo", keys, place, fault))
        fields.append(owner)
    table = Model(name, place, fields)
    # A model that is on both sides gives one key, since both ends have the same names.
    indexes = {
        side.foreign_key: Key((side.foreign_key, *side.foreign_sort_keys()), f"by{side.model.name}") for side in sides
    }
    table.keys = list(indexes.values())
    for stamp in ("createdAt", "updatedAt"):
        table.add(added_field(stamp, "AWSDateTime", place, is_read_only=True))
    return table


def _point_to(table: str, side: _Side, fault: str) -> None:
    """Let a field point to the table between instead of to the other side."""
    arguments: dict[str, object] = {
        "indexName": f"by{side.model.name}",
        "fields": [side.model.last_primary_key, *(sort_key.name for sort_key in side.sort_keys())],
    }
    side.field.directives = [other for other in side.field.directives if other is not side.directive]
    side.field.directives.append(Directive("hasMany", arguments, side.directive.place, fault))
    side.model.retype(side.field, table)
