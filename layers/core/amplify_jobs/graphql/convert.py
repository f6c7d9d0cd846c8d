"""A GraphQL schema as the genericDataSchema of StartCodegenJob, as AWS's own libraries map it.

Source: npm @aws-amplify/codegen-ui, getGenericFromDataStore, and what the Amplify CLI then sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from amplify_jobs.errors import InvalidSchemaError
from amplify_jobs.graphql.budget import Budget, BudgetExceededError
from amplify_jobs.graphql.data_types import DataTypes
from amplify_jobs.graphql.declarations import Directive, Kind, TypeDeclaration
from amplify_jobs.graphql.document import MOST_WARNINGS, read_document
from amplify_jobs.graphql.model import Model
from amplify_jobs.graphql.models import read_models
from amplify_jobs.graphql.names import listed, words
from amplify_jobs.graphql.relationships import Relationships, Shape
from amplify_jobs.model.codegen_parameters import CodegenJobGenericDataSchema

# What a conversion may take of the start function's timeout. It is checked between its parts, of which parsing the
# longest schema takes most: four seconds of a whole core, and three times that on a function's share of one.
CONVERSION_SECONDS = 12
# Several times what the longest schema takes that is not made to take much.
CONVERSION_STEPS = 4_000_000
# npm @aws-amplify/codegen-ui, whose message is: Expected an alphanumeric string with capital first letter.
_FORM_NAME = re.compile(r"[A-Z][a-zA-Z0-9]*")

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
            f"The GraphQL schema was not converted within {budget.seconds:g} seconds; make it smaller, "
            "or convert it before, and give genericDataSchema"
        ) from None


def _convert(sdl: str, budget: Budget, *, with_places: bool) -> ConvertedSchema:
    document = read_document(sdl, with_places=with_places, budget=budget)
    result = read_models(document, budget)
    models = result.models
    types = DataTypes(document, models)
    types.check_operations()
    non_models = {
        declaration.name: {"fields": _non_model_fields(types, declaration)} for declaration in types.non_models
    }
    enums = {
        declaration.name: {"values": _enum_values(declaration.values)}
        for declaration in document.types.values()
        if declaration.kind is Kind.ENUM
    }
    schema = CodegenJobGenericDataSchema.model_validate(
        {
            "dataSourceType": "DataStore",
            "models": Relationships(models, types, budget).models(),
            "nonModels": non_models,
            "enums": enums,
        }
    )
    warnings = [*document.warnings, *result.warnings, *_form_warnings(models, schema)]
    if document.transformer_1 is not None:
        warnings.insert(0, _transformer_1_warning(document.transformer_1, result.connections))
    return ConvertedSchema(schema, _shortened(warnings))


def _transformer_1_warning(first: Directive, connections: Sequence[str]) -> str:
    lost = f", so that relations by @connection are left out: {listed(connections)}" if connections else ""
    return (
        f"{first.place}: @{first.name} is a directive of Amplify's GraphQL transformer 1, and this schema is read as "
        f"transformer 2 reads it{lost}; migrate the schema with: amplify migrate api"
    )


def _form_warnings(models: Mapping[str, Model], schema: CodegenJobGenericDataSchema) -> Iterator[str]:
    for model in models.values():
        if not schema.models[model.name].is_join_table and not _FORM_NAME.fullmatch(model.name):
            yield (
                f"{model.place}: UI Builder makes no forms for the model {model.name}; "
                "it needs a name of letters and digits that begins with a capital letter"
            )


def _shortened(warnings: Sequence[str]) -> tuple[str, ...]:
    more = len(warnings) - MOST_WARNINGS
    return (*warnings[:MOST_WARNINGS], *([f"and {more} more warnings"] if more > 0 else []))


def _non_model_fields(types: DataTypes, declaration: TypeDeclaration) -> dict[str, Shape]:
    fields = ((field, types.of_field(declaration.name, field)) for field in declaration.fields.values())
    return {
        field.name: {
            "dataType": data_type,
            "dataTypeValue": field.type_name,
            "required": field.item_required,
            "readOnly": False,
            "isArray": field.is_list,
        }
        for field, data_type in fields
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
