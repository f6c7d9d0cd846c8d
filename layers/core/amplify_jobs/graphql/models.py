"""The models of a GraphQL schema, with their keys and relations worked out as AWS's own generators do it.

Source: npm @aws-amplify/graphql-generator (transformer version 2, with its defaults), whose results this reproduces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from amplify_jobs.graphql.budget import Budget
from amplify_jobs.graphql.declarations import Directive, FieldDeclaration, Kind, TypeDeclaration
from amplify_jobs.graphql.document import Document
from amplify_jobs.graphql.many_to_many import join_tables
from amplify_jobs.graphql.model import DEFAULT_KEY, Key, Model, ModelField, added_field
from amplify_jobs.graphql.relations import relate


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
        declaration.name: _model(declaration, directive)
        for declaration in document.types.values()
        if (directive := model_directive(declaration)) is not None
    }
    join_tables(models, budget)
    unrelated = list(relate(models, budget))
    for model in models.values():
        if model.primary_key not in model.fields:
            raise model.place.error(f"{model.name}: its primary key is of a model's type but has no relation to it")
    return Models(
        models,
        [_unrelated_warning(model, field) for model, field in unrelated if not field.directive("connection")],
        [f"{model.name}.{field.name}" for model, field in unrelated if field.directive("connection")],
    )


def _unrelated_warning(model: Model, field: ModelField) -> str:
    remedy = "@hasMany" if field.is_list else "@hasOne or @belongsTo"
    return (
        f"{field.place}: {model.name}.{field.name} is left out, since nothing says how {model.name} and "
        f"{field.type_name} are related; add {remedy}"
    )


def model_directive(declaration: TypeDeclaration) -> Directive | None:
    """The directive that makes a type a model."""
    if declaration.kind is not Kind.OBJECT:
        return None
    return next((directive for directive in declaration.directives if directive.name == "model"), None)


def _model(declaration: TypeDeclaration, directive: Directive) -> Model:
    place = declaration.place
    fields = {name: _field(declared) for name, declared in declaration.fields.items()}
    if not any(field.directive("primaryKey") for field in fields.values()):
        fields.setdefault(DEFAULT_KEY, added_field(DEFAULT_KEY, "ID", place, is_required=True))
    for name in _timestamps(directive):
        fields.setdefault(name, added_field(name, "AWSDateTime", place, is_read_only=True))
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


def _timestamps(directive: Directive) -> list[str]:
    """The names of the two fields that AppSync keeps the times of a record in; none if they are switched off."""
    chosen = directive.arguments.get("timestamps", {})
    if chosen is None:
        return []
    fields = Directive(directive.name, chosen if isinstance(chosen, dict) else {}, directive.place)
    return [fields.text(name) or name for name in ("createdAt", "updatedAt")]


def _keys(model: Model, directives: Sequence[Directive]) -> Iterator[Key]:
    legacy = [_legacy_key(directive) for directive in directives if directive.name == "key"]
    yield from legacy
    if all(key.name is not None for key in legacy):
        yield from _primary_keys(model)
    used_names = {key.name for key in legacy if key.name}
    for field in model.fields:
        for directive in field.directives:
            if directive.name == "index" and (name := directive.text("name") or "") not in used_names:
                yield Key((field.name, *(directive.names("sortKeyFields") or ())), name)


def _primary_keys(model: Model) -> Iterator[Key]:
    """The key that the first @primaryKey declares: of two, the one at id, which is first by now, counts here."""
    for field in model.fields:
        if directive := field.directive("primaryKey"):
            yield Key((field.name, *(directive.names("sortKeyFields") or ())))
            return


def _legacy_key(directive: Directive) -> Key:
    """Transformer 1's @key; one that says `name: null` is no primary key either."""
    fields = directive.arguments.get("fields")
    names = directive.names("fields") if isinstance(fields, list) else None
    return Key(
        None if names is None else tuple(names),
        directive.text("name") or "" if "name" in directive.arguments else None,
    )
