"""Names that a GraphQL schema for AppSync can't give to types of its own, and the directives that Amplify knows."""

from __future__ import annotations

from typing import get_args

from amplify_jobs.model.codegen_parameters import DataType

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
# The directives of transformer 1. The generators heed @key, and drop what @connection relates.
TRANSFORMER_1_DIRECTIVES = frozenset({"connection", "key", "versioned"})
# The directives of the package that RESERVED_TYPES is of, in its order.
AWS_DIRECTIVES = (
    "aws_api_key",
    "aws_auth",
    "aws_cognito_user_pools",
    "aws_iam",
    "aws_lambda",
    "aws_oidc",
    "aws_subscribe",
    "auth",
    "belongsTo",
    "default",
    "deprecated",
    "function",
    "hasMany",
    "hasOne",
    "http",
    "index",
    "manyToMany",
    "mapsTo",
    "model",
    "predictions",
    "primaryKey",
    "refersTo",
    "searchable",
    "sql",
)
KNOWN_DIRECTIVES = frozenset({*AWS_DIRECTIVES, "specifiedBy"})
REPEATABLE_DIRECTIVES = frozenset({"index", "function"})
# GraphQL's own names; a schema that uses one of the first kind in a field is refused by AWS's libraries, too.
_INTROSPECTION_TYPES = frozenset(
    {"__Schema", "__Type", "__Field", "__InputValue", "__EnumValue", "__TypeKind", "__Directive", "__DirectiveLocation"}
)
RESERVED_PREFIX = "__"


def owner_of_name(name: str) -> str | None:
    """Say whose the name of a type is, if no schema can have a type of its own by that name."""
    if name in SCALARS:
        return "one of AppSync's scalars"
    if name in _INTROSPECTION_TYPES:
        return "GraphQL itself"
    return "AWS's own directives" if name in RESERVED_TYPES else None
