"""@hasMany, @hasOne and @belongsTo: which fields of which model join two models."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from amplify_jobs.errors import InvalidSchemaError
from amplify_jobs.graphql.budget import STEPS_PER_KEY_FIELD, Budget
from amplify_jobs.graphql.declarations import Directive
from amplify_jobs.graphql.model import DEFAULT_KEY, Key, Model, ModelField, Relation, added_field
from amplify_jobs.graphql.names import camel, listed


def relate(models: dict[str, Model], budget: Budget) -> Iterator[tuple[Model, ModelField]]:
    """Work out every relation, model by model: each sees the fields that those before it have added and dropped.

    Yields what is dropped: fields of a model's type without a relation.
    """
    for model in list(models.values()):
        for field in list(model.fields):
            budget.spend()
            if directive := field.directive(*_RELATIONS):
                other = models.get(field.type_name)
                if other is None:
                    raise directive.place.error(
                        f"{model.name}.{field.name}: @{directive.name} needs a model, "
                        f"and {field.type_name} has no @model"
                    )
                try:
                    field.relation = _RELATIONS[directive.name](model, field, directive, other)
                except InvalidSchemaError:
                    if directive.fault:
                        raise directive.place.error(directive.fault) from None
                    raise
                # Few letters of a schema can ask for many of these, and each takes memory.
                budget.spend(STEPS_PER_KEY_FIELD * (len(field.relation.associated) + len(field.relation.targets)))
        unrelated = [field for field in model.fields if field.relation is None and field.type_name in models]
        if unrelated:
            model.drop(unrelated)
            yield from ((model, field) for field in unrelated)


def _has_many(model: Model, field: ModelField, directive: Directive, other: Model) -> Relation:
    if not field.is_list:
        raise directive.place.error(f"{model.name}.{field.name}: @hasMany needs a list, [{other.name}]")
    references = directive.names("references")
    if references:
        _check_references(model, field, directive, other)
        associated = [_referenced(directive, other, name) for name in references]
    elif directive.names("fields") is not None:
        associated = [_has_many_by_index(model, field, directive, other)]
    else:
        associated = []
        for component in model.components:
            name = camel(model.name, field.name, component.name)
            other.add(added_field(name, component.type_name, directive.place))
            existing = other[name]
            assert existing is not None
            associated.append(existing)
    names = tuple(other_field.name for other_field in associated)
    first = next(iter(other.of_type(model.name)), None)
    has_other_side = first is not None and first.directive("belongsTo") is not None
    if not has_other_side and not any(used.name == "hasMany" and used.text("indexName") for used in field.directives):
        other.keys.append(Key(names, f"gsi-{model.name}.{field.name}"))
    return Relation("HAS_MANY", other, associated=names)


def _has_many_by_index(model: Model, field: ModelField, directive: Directive, other: Model) -> ModelField:
    index_name = directive.text("indexName")
    if index_name:
        bearer = other.with_index(index_name)
        if bearer is None:
            raise directive.place.error(
                f"{model.name}.{field.name}: {other.name} has no @index with the name {index_name!r}"
            )
    else:
        bearer = other.sides.primary_key or other.sides.belongs_to.get(model.name)
    name = bearer.name if bearer is not None else DEFAULT_KEY
    carrier = other.sides.carried_by.get((model.name, name)) or other[name]
    if carrier is None:
        raise directive.place.error(f"{model.name}.{field.name}: {other.name} has no field {name!r}")
    return carrier


def _has_one(model: Model, field: ModelField, directive: Directive, other: Model) -> Relation:
    back = other.sides.belongs_to.get(model.name)
    if field.is_list or (back is not None and back.is_list):
        raise directive.place.error(
            f"{model.name}.{field.name}: @hasOne is between one and one; for lists use @hasMany"
        )
    references = directive.names("references")
    if references:
        _check_references(model, field, directive, other)
        for name in references:
            _referenced(directive, other, name)
        return Relation("HAS_ONE", other)
    targets = directive.names("fields") or [
        camel(model.name, field.name, component.name) for component in other.components
    ]
    _add_targets(model, field, directive, other, targets)
    return Relation("HAS_ONE", other, targets=tuple(targets))


def _belongs_to(model: Model, field: ModelField, directive: Directive, other: Model) -> Relation:
    if field.is_list:
        raise directive.place.error(f"{model.name}.{field.name}: @belongsTo can't be on a list")
    front = other.sides.fronts.get(model.name)
    if front is None:
        raise directive.place.error(
            f"{model.name}.{field.name}: @belongsTo needs its other side: "
            f"give {other.name} a field of type {model.name} with @hasOne, or of type [{model.name}] with @hasMany"
        )
    references = directive.names("references") or []
    fields = directive.names("fields")
    if references:
        if fields is not None:
            raise directive.place.error(f"{model.name}.{field.name}: use either fields or references, not both")
        if (model.name, tuple(references)) not in other.sides.front_references:
            raise directive.place.error(
                f"{model.name}.{field.name}: {other.name} has no @hasOne or @hasMany "
                f"with references {listed(references)}"
            )
    targets = (fields or []) + references
    if not targets:
        prefix = (other.name, front.name) if front.is_list else (model.name, field.name)
        targets = [camel(*prefix, component.name) for component in other.components]
    _add_targets(model, field, directive, other, targets)
    return Relation("BELONGS_TO", other, targets=tuple(targets))


_RELATIONS: dict[str, Callable[[Model, ModelField, Directive, Model], Relation]] = {
    "hasOne": _has_one,
    "hasMany": _has_many,
    "belongsTo": _belongs_to,
}


def _add_targets(model: Model, field: ModelField, directive: Directive, other: Model, targets: list[str]) -> None:
    if len(targets) > len(other.components):
        raise directive.place.error(
            f"{model.name}.{field.name}: {listed(targets)} are more fields than the primary key of {other.name} has"
        )
    for target, component in zip(targets, other.components, strict=False):
        model.add(added_field(target, component.type_name, directive.place, is_required=field.is_required))


def _check_references(model: Model, field: ModelField, directive: Directive, other: Model) -> None:
    if directive.names("fields") is not None:
        raise directive.place.error(f"{model.name}.{field.name}: use either fields or references, not both")
    references = directive.names("references") or []
    if tuple(references) not in other.sides.references:
        raise directive.place.error(
            f"{model.name}.{field.name}: {other.name} has no @belongsTo with references {listed(references)}"
        )


def _referenced(directive: Directive, other: Model, name: str) -> ModelField:
    referenced = other[name]
    if referenced is None:
        raise directive.place.error(f"@{directive.name}: {other.name} has no field {name!r} to refer to")
    return referenced
