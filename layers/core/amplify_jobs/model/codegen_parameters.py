"""The input of UI Builder's StartCodegenJob, which may have a GraphQL schema in place of its data schema.

Source: Amplify UI Builder API reference, StartCodegenJob, and botocore's model of it, whose shapes the classes follow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, StrictBool, StringConstraints, model_validator

from amplify_jobs.model.base import Model
from amplify_jobs.model.identifiers import AppId
from amplify_jobs.model.parameters import OperationParameters
from amplify_jobs.model.s3_uri import S3Uri

if TYPE_CHECKING:
    from amplify_jobs.model.job import Job

DataType = Literal[
    "ID",
    "String",
    "Int",
    "Float",
    "AWSDate",
    "AWSTime",
    "AWSDateTime",
    "AWSTimestamp",
    "AWSEmail",
    "AWSURL",
    "AWSIPAddress",
    "Boolean",
    "AWSJSON",
    "AWSPhone",
    "Enum",
    "Model",
    "NonModel",
]
RelationshipType = Literal["HAS_MANY", "HAS_ONE", "BELONGS_TO"]
# A compiled pattern, since pydantic's own engine knows no lookahead.
TagKey = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=re.compile(r"^(?!aws:)[a-zA-Z+-=._:/]+\Z"))
]
TagValue = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class TaggedUnion(Model):
    """A structure of which exactly one member must be given."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    @model_validator(mode="after")
    def _exactly_one(self) -> TaggedUnion:
        count = sum(getattr(self, name) is not None for name in type(self).model_fields)
        if count != 1:
            names = ", ".join(field.alias or name for name, field in type(self).model_fields.items())
            raise ValueError(f"exactly one of these is required, not {count}: {names}")
        return self


# --- How code is rendered --------------------------------------------------------------------------------------------


class GraphQLRenderConfig(Model):
    """Forms call a GraphQL API; the paths are those of the app's own generated files."""

    types_file_path: str
    queries_file_path: str
    mutations_file_path: str
    subscriptions_file_path: str
    fragments_file_path: str


class DataStoreRenderConfig(Model):
    """Forms call DataStore."""


class NoApiRenderConfig(Model):
    """Forms call nothing."""


class ApiConfiguration(TaggedUnion):
    """What forms read and write their data with."""

    graph_ql_config: Annotated[GraphQLRenderConfig | None, Field(alias="graphQLConfig")] = None
    data_store_config: DataStoreRenderConfig | None = None
    no_api_config: NoApiRenderConfig | None = None


class ReactStartCodegenJobData(Model):
    """How React code is rendered; `dependencies` are the app's packages with their versions."""

    module: Literal["es2020", "esnext"] | None = None
    target: Literal["es2015", "es2020"] | None = None
    script: Literal["jsx", "tsx", "js"] | None = None
    render_type_declarations: StrictBool | None = None
    inline_source_map: StrictBool | None = None
    api_configuration: ApiConfiguration | None = None
    dependencies: dict[str, str] | None = None


class CodegenJobRenderConfig(TaggedUnion):
    """The framework that code is rendered for."""

    react: ReactStartCodegenJobData | None = None


# --- The data schema -------------------------------------------------------------------------------------------------


class CodegenGenericDataRelationshipType(Model):
    """How a field's model is related to another."""

    type: RelationshipType
    related_model_name: str
    related_model_fields: tuple[str, ...] | None = None
    can_unlink_associated_model: StrictBool | None = None
    related_join_field_name: str | None = None
    related_join_table_name: str | None = None
    belongs_to_field_on_related_model: str | None = None
    associated_fields: tuple[str, ...] | None = None
    is_has_many_index: StrictBool | None = None


class CodegenGenericDataField(Model):
    """A field of a model or of a type that is none."""

    data_type: DataType
    data_type_value: str
    required: StrictBool
    read_only: StrictBool
    is_array: StrictBool
    relationship: CodegenGenericDataRelationshipType | None = None


class CodegenGenericDataModel(Model):
    """A model."""

    fields: dict[str, CodegenGenericDataField]
    is_join_table: StrictBool | None = None
    primary_keys: tuple[str, ...]


class CodegenGenericDataEnum(Model):
    """An enum."""

    values: tuple[str, ...]


class CodegenGenericDataNonModel(Model):
    """A type that is no model, and lies inside of models' fields."""

    fields: dict[str, CodegenGenericDataField]


class CodegenJobGenericDataSchema(Model):
    """The data that forms are generated for."""

    data_source_type: Literal["DataStore"]
    models: dict[str, CodegenGenericDataModel]
    enums: dict[str, CodegenGenericDataEnum]
    non_models: dict[str, CodegenGenericDataNonModel]


# --- The request -----------------------------------------------------------------------------------------------------


class CodegenFeatureFlags(Model):
    """What generated forms support."""

    is_relationship_supported: StrictBool | None = None
    is_non_model_supported: StrictBool | None = None


class StartCodegenJobData(Model):
    """What a codegen job is to generate.

    Beside the API's members it takes, instead of genericDataSchema, a GraphQL schema: its text, or where that lies.
    """

    CONVENIENCES: ClassVar[frozenset[str]] = frozenset({"graphqlSchema", "graphqlSchemaUri"})

    render_config: CodegenJobRenderConfig
    generic_data_schema: CodegenJobGenericDataSchema | None = None
    auto_generate_forms: StrictBool | None = None
    features: CodegenFeatureFlags | None = None
    tags: dict[TagKey, TagValue] | None = None
    graphql_schema: str | None = Field(default=None, description="The text of a GraphQL schema.")
    graphql_schema_uri: S3Uri | None = Field(
        default=None, description="The address of a GraphQL schema in S3.", examples=["s3://artifacts/schema.graphql"]
    )

    @model_validator(mode="after")
    def _one_schema(self) -> StartCodegenJobData:
        schemas = [self.generic_data_schema, self.graphql_schema, self.graphql_schema_uri]
        if sum(schema is not None for schema in schemas) > 1:
            raise ValueError("use only one of these: genericDataSchema, graphqlSchema, graphqlSchemaUri")
        return self

    def with_schema(self, schema: CodegenJobGenericDataSchema) -> StartCodegenJobData:
        """Give the same with this data schema in the place of a GraphQL schema."""
        changes = {"generic_data_schema": schema, "graphql_schema": None, "graphql_schema_uri": None}
        return self.model_copy(update=changes)


class StartCodegenJobParameters(OperationParameters):
    """The input of UI Builder's StartCodegenJob. Without a clientToken the request id serves as one."""

    app_id: AppId
    environment_name: str = Field(description="The name of a backend environment.", examples=["staging"])
    client_token: str | None = Field(
        default=None, description="A token of your own. Requests with one token are one job. Default: the request id."
    )
    codegen_job_to_create: StartCodegenJobData = Field(
        description="The code to generate.",
        examples=[{"renderConfig": {"react": {}}, "graphqlSchemaUri": "s3://artifacts/schema.graphql"}],
    )

    def for_retry(self, _failed: Job, /) -> Self:
        """The token of the failed job would only give that job again."""
        return self.model_copy(update={"client_token": None})
