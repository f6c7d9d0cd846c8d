"""A GraphQL schema as the genericDataSchema of StartCodegenJob, as AWS's own libraries map it.

Source: npm @aws-amplify/codegen-ui, getGenericFromDataStore, and what the Amplify CLI then sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from amplify_jobs.errors import InvalidSchemaError
from amplify_jobs.graphql.budget import Budget, BudgetExceededError
from amplify_jobs.graphql.declarations import Directive, FieldDeclaration, Kind, TypeDeclaration
from amplify_jobs.graphql.document import MOST_WARNINGS, SCALARS, Document, owner_of_name, read_document
from amplify_jobs.graphql.models import Model, ModelField, Relation, listed, model_directive, read_models, words
from amplify_jobs.model.codegen_parameters import CodegenJobGenericDataSchema, DataType, RelationshipType

# What a conversion may take of the start function's timeout. It is checked between its parts, of which parsing the
# longest schema takes most: four seconds of a whole core, and three times that on a function's share of one.
CONVERSION_SECONDS = 12
# Several times what the longest schema takes that is not made to take much.
CONVERSION_STEPS = 4_000_000
# npm @aws-amplify/codegen-ui, whose message is: Expected an alphanumeric string with capital first letter.
_FORM_NAME = re.compile(r"[A-Z][a-zA-Z0-9]*")

# What the data schema is made of, in the API's own names; pydantic checks it when it is whole.
_Shape = dict[str, object]

# Models are built at their first use, which would take longer than the first conversion itself. Here it is start-up.
CodegenJobGenericDataSchema.model_rebuild()


@dataclass(frozen=True)
class ConvertedSchema:
    """A data schema and what its author should know: each warning opens with line and column of the GraphQL schema."""

    schema: CodegenJobGenericDataSchema
    warnings: tuple[str, ...]


def convert_schema(sdl: str, budget: Budget | None = None) -> ConvertedSchema:
    """Turn a GraphQL schema in SDL into the data schema of a codegen job, within a budget, or what a function has.

    Raises InvalidSchemaError, with line and column, for whatever AWS's own generators can't make models of, and without
    them for what takes longer than the budget: a repeat would take as long.
    """
    budget = budget or Budget(CONVERSION_SECONDS, CONVERSION_STEPS)
    try:
        # Only errors and warnings need places, and most schemas have neither: 7 % less work.
        try:
            converted = _convert(sdl, budget, with_places=False)
        except InvalidSchemaError:
            pass
        else:
            if not converted.warnings:
                return converted
        budget.spend()
        return _convert(sdl, budget, with_places=True)
    except BudgetExceededError:
        raise InvalidSchemaError(
            f"The GraphQL schema is not converted within {budget.seconds:g} seconds; make it smaller, "
            "or convert it before, and give genericDataSchema"
        ) from None


def _convert(sdl: str, budget: Budget, *, with_places: bool) -> ConvertedSchema:
    document = read_document(sdl, with_places=with_places, budget=budget)
    found = read_models(document, budget)
    models = found.models
    types = _Types(document, models)
    types.check_operations()
    non_models = {each.name: {"fields": _non_model_fields(types, each)} for each in types.non_models}
    enums = {
        each.name: {"values": _enum_values(each.values)} for each in document.types.values() if each.kind is Kind.ENUM
    }
    schema = CodegenJobGenericDataSchema.model_validate(
        {
            "dataSourceType": "DataStore",
            "models": _Relationships(models, types, budget).models(),
            "nonModels": non_models,
            "enums": enums,
        }
    )
    warnings = [*document.warnings, *found.warnings, *_form_warnings(models, schema)]
    if document.transformer_1 is not None:
        warnings.insert(0, _transformer_1_warning(document.transformer_1, found.connections))
    return ConvertedSchema(schema, _shortened(warnings))


def _transformer_1_warning(first: Directive, connections: Sequence[str]) -> str:
    lost = f", so that relations by @connection are left out: {listed(connections)}" if connections else ""
    return (
        f"{first.place}: @{first.name} is a directive of Amplify's GraphQL transformer 1, and this schema is read as "
        f"transformer 2 reads it{lost}; migrate the schema with: amplify migrate api"
    )


def _form_warnings(models: Mapping[str, Model], schema: CodegenJobGenericDataSchema) -> Iterator[str]:
    for each in models.values():
        if not schema.models[each.name].is_join_table and not _FORM_NAME.fullmatch(each.name):
            yield (
                f"{each.place}: UI Builder makes no forms for the model {each.name}; "
                "it needs a name of letters and digits that begins with a capital letter"
            )


def _shortened(warnings: Sequence[str]) -> tuple[str, ...]:
    more = len(warnings) - MOST_WARNINGS
    return (*warnings[:MOST_WARNINGS], *([f"and {more} more warnings"] if more > 0 else []))


def _non_model_fields(types: _Types, declaration: TypeDeclaration) -> dict[str, _Shape]:
    found = ((each, types.of_field(declaration.name, each)) for each in declaration.fields.values())
    return {
        each.name: {
            "dataType": data_type,
            "dataTypeValue": each.type_name,
            "required": each.item_required,
            "readOnly": False,
            "isArray": each.is_list,
        }
        for each, data_type in found
        if data_type is not None
    }


def _enum_values(values: list[str]) -> tuple[str, ...]:
    """An enum's values; of those that are the same word for word the last one counts."""
    by_constant = {"_".join(words(value)).upper(): value for value in values}
    # The generators keep them as members of an object, where JavaScript puts names that are whole numbers first.
    numbers = sorted((key for key in by_constant if _is_index(key)), key=int)
    return tuple(by_constant[key] for key in dict.fromkeys((*numbers, *by_constant)))


def _is_index(key: str) -> bool:
    return key.isdigit() and str(int(key)) == key and int(key) < 2**32 - 1 if len(key) <= 10 else False


# --- Types -----------------------------------------------------------------------------------------------------------


class _Types:
    """What the names of types stand for: one of the API's data types, or a kind that no field of a form can have."""

    def __init__(self, document: Document, models: Mapping[str, Model]) -> None:
        self._document = document
        self.non_models: list[TypeDeclaration] = []
        self._meanings: dict[str, DataType | Kind] = {}
        for each in document.types.values():
            if each.kind is Kind.ENUM:
                self._meanings[each.name] = "Enum"
            elif each.kind is Kind.OBJECT and model_directive(each) is None and each.name not in document.roots:
                self._meanings[each.name] = "NonModel"
                self.non_models.append(each)
            elif each.kind in (Kind.INPUT, Kind.UNION, Kind.INTERFACE):
                self._meanings[each.name] = each.kind
        for name in models:
            # The table of a @manyToMany can bear the name of something else; the generators then look in this order.
            if self._meanings.get(name) not in ("Enum", "NonModel"):
                self._meanings[name] = "Model"
        # AppSync's scalars are data types of the same names.
        self._meanings |= {name: cast("DataType", name) for name in SCALARS}

    def of_field(self, owner: str, one: FieldDeclaration | ModelField) -> DataType | None:
        """The data type of a type's field; None for unions and interfaces, which are left out."""
        found = self._meaning(one)
        if found is Kind.INPUT:
            raise one.place.error(f"{owner}.{one.name}: {one.type_name} is an input, and only arguments can be of one")
        return None if isinstance(found, Kind) else found

    def check_operations(self) -> None:
        """Check what has no place in a data schema, since the generators make models of it and can fail at it."""
        for declared in self._document.types.values():
            if model_directive(declared) is not None:
                continue
            if declared.kind is Kind.INPUT:
                self._check_inputs(declared.name, declared.fields.values())
            elif declared.name in self._document.roots:
                for each in declared.fields.values():
                    if self.of_field(declared.name, each) is not None:
                        self._check_inputs(f"{declared.name}.{each.name}", each.arguments)

    def _check_inputs(self, owner: str, inputs: Iterable[FieldDeclaration]) -> None:
        for each in inputs:
            found = self._meaning(each)
            if found in ("Model", "NonModel") or (isinstance(found, Kind) and found is not Kind.INPUT):
                raise each.place.error(f"{owner}: {each.name} can only be a scalar, an enum or an input")

    def _meaning(self, one: FieldDeclaration | ModelField) -> DataType | Kind:
        found = self._meanings.get(one.type_name)
        if found is not None:
            return found
        if (owner := owner_of_name(one.type_name)) is not None:
            why = f"the name belongs to {owner}"
        elif one.type_name in self._document.roots:
            why = "its fields are operations, so that nothing else can be of that type"
        else:
            why = f"of scalars only AppSync's own are known: {', '.join(sorted(SCALARS))}"
        raise one.place.error(f"Unknown type {one.type_name}: {why}")


# --- Models ----------------------------------------------------------------------------------------------------------


class _Relationships:
    """Works out how the API describes relations: at the fields that declare them and at those that carry them."""

    def __init__(self, models: Mapping[str, Model], types: _Types, budget: Budget) -> None:
        self._models = models
        self._budget = budget
        self._fields: dict[str, dict[str, ModelField]] = {}
        self._data_types: dict[int, DataType] = {}
        for model in models.values():
            members = self._fields.setdefault(model.name, {})
            for each in model.fields:
                data_type = types.of_field(model.name, each)
                if data_type is not None:
                    members[each.name] = each
                    self._data_types[id(each)] = data_type
        self._declared: dict[tuple[str, str], _Shape] = {}
        self._carried: dict[tuple[str, str], _Shape] = {}
        self._model_fields = {
            name: [each for each in members.values() if self._is_model(each)] for name, members in self._fields.items()
        }
        # The first field of each model by which it belongs to another, by both.
        self._belonging: dict[tuple[str, str], ModelField] = {}
        # Each model with a @hasMany that names one field at its other side, and that field.
        self._ends_of_many: set[tuple[str, str]] = set()
        for name, model_fields in self._model_fields.items():
            for each in model_fields:
                if self._is_belongs_to(each):
                    self._belonging.setdefault((name, each.type_name), each)
                if (
                    each.relation is not None
                    and each.relation.kind == "HAS_MANY"
                    and len(each.relation.associated) == 1
                ):
                    self._ends_of_many.add((name, each.relation.associated[0]))
        self._known_join_tables: dict[str, bool] = {}
        self._reached_join_tables: set[str] = set()

    def models(self) -> dict[str, _Shape]:
        for model in self._models.values():
            for each in self._fields[model.name].values():
                self._budget.spend()
                if each.relation is not None and self._is_model(each):
                    self._declared[model.name, each.name] = self._relationship(model, each.relation)
        return {
            model.name: {
                "fields": {name: self._field(model.name, each) for name, each in self._fields[model.name].items()},
                "primaryKeys": tuple(model.primary_key_names),
                "isJoinTable": True if model.name in self._reached_join_tables else None,
            }
            for model in self._models.values()
        }

    def _field(self, model_name: str, one: ModelField) -> _Shape:
        key = (model_name, one.name)
        return {
            "dataType": self._data_types[id(one)],
            "dataTypeValue": one.type_name,
            "required": one.is_required,
            "readOnly": one.is_read_only,
            "isArray": one.is_list,
            "relationship": self._carried.get(key) or self._declared.get(key),
        }

    def _is_model(self, one: ModelField) -> bool:
        return self._data_types.get(id(one)) == "Model"

    def _relationship(self, model: Model, relation: Relation) -> _Shape:
        if relation.kind == "HAS_MANY":
            return self._has_many(model, relation)
        for target in relation.targets:
            self._carry(model.name, target, relation.kind, relation.other.name)
        return {
            "type": relation.kind,
            "relatedModelName": relation.other.name,
            "associatedFields": relation.targets or None,
            "isHasManyIndex": False,
        }

    def _has_many(self, model: Model, relation: Relation) -> _Shape:
        members = self._fields[relation.other.name]
        related, join_table, join_field = relation.other.name, None, None
        plain = []
        for name in relation.associated:
            associated = members.get(name)
            if self._is_join_table(relation.other):
                plain.append(name)
                self._reached_join_tables.add(relation.other.name)
                far = next((each for each in self._model_fields[relation.other.name] if each.name != name), None)
                if far is not None:
                    related, join_table, join_field = far.type_name, related, far.name
            elif associated is None or not self._is_model(associated):
                plain.append(name)
                if associated is not None:
                    self._carry(related, name, "HAS_ONE", model.name, is_has_many_index=True)
        back = self._belonging.get((relation.other.name, model.name))
        ends = [*map(members.get, relation.associated), back]
        return {
            "type": relation.kind,
            "relatedModelName": related,
            "relatedModelFields": tuple(plain),
            "canUnlinkAssociatedModel": not any(each is not None and each.is_required for each in ends),
            "relatedJoinFieldName": join_field,
            "relatedJoinTableName": join_table,
            "belongsToFieldOnRelatedModel": back.name if back is not None else None,
        }

    def _carry(
        self, model_name: str, field_name: str, kind: RelationshipType, related: str, *, is_has_many_index: bool = False
    ) -> None:
        """Note that a field carries a relation; of several the last counts, but an index and BELONGS_TO stay."""
        before = self._carried.get((model_name, field_name))
        if before is not None and before["type"] == "BELONGS_TO":
            kind = "BELONGS_TO"
        self._carried[model_name, field_name] = {
            "type": kind,
            "relatedModelName": related,
            "isHasManyIndex": is_has_many_index or (before is not None and before["isHasManyIndex"] is True),
        }

    def _is_belongs_to(self, one: ModelField) -> bool:
        return self._is_model(one) and one.relation is not None and one.relation.kind == "BELONGS_TO"

    def _is_join_table(self, model: Model) -> bool:
        known = self._known_join_tables.get(model.name)
        if known is None:
            known = self._known_join_tables[model.name] = self._looks_like_join_table(model)
        return known

    def _looks_like_join_table(self, model: Model) -> bool:
        """Say whether a model only joins two others, by the same signs as the library, which has no better ones."""
        if len(model.keys) != 2:
            return False
        members = self._fields[model.name].values()
        ends = self._model_fields[model.name]
        allowed = {"id", "createdAt", "updatedAt"}.union(*(key.fields or () for key in model.keys))
        return (
            len(ends) == 2
            and all(each.name in allowed for each in members if not self._is_model(each))
            and all(each.is_required and self._is_belongs_to(each) and self._is_one_of_many(each) for each in ends)
        )

    def _is_one_of_many(self, end: ModelField) -> bool:
        """Whether the model that a field points to points back at it with a @hasMany."""
        return (end.type_name, end.name) in self._ends_of_many
