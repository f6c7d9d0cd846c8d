"""The parameters of the four operations against botocore's models of them: nothing missing, nothing invented."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from amplify_jobs.graphql.convert import convert_schema
from amplify_jobs.model.base import Model
from amplify_jobs.model.codegen_parameters import StartCodegenJobData, StartCodegenJobParameters
from amplify_jobs.model.parameters import (
    GenerateBackendAPIModelsParameters,
    StartDeploymentParameters,
    StartJobParameters,
)
from amplify_jobs.model.s3_uri import bucket_and_key
from amplify_jobs.model.validation import faults
from local.server.protocol.errors import ServiceError
from local.server.protocol.validate import validate

OPERATIONS: dict[tuple[str, str], type[Model]] = {
    ("amplify", "StartJob"): StartJobParameters,
    ("amplify", "StartDeployment"): StartDeploymentParameters,
    ("amplifyuibuilder", "StartCodegenJob"): StartCodegenJobParameters,
    ("amplifybackend", "GenerateBackendAPIModels"): GenerateBackendAPIModelsParameters,
}
# What a model takes beside the API's own members.
CONVENIENCES = {
    "StartDeploymentParameters": StartDeploymentParameters.CONVENIENCES,
    "StartCodegenJobData": StartCodegenJobData.CONVENIENCES,
}


def operation_model(service: str, operation: str) -> OperationModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service).operation_model(operation)


def input_shape(service: str, operation: str) -> StructureShape:
    shape = operation_model(service, operation).input_shape
    assert shape is not None
    return shape


# --- The walk --------------------------------------------------------------------------------------------------------


class Walk:
    """Holds the JSON Schema of a model against a shape, and says every difference."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.definitions = schema.get("$defs", {})

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follow references, and take what may also be null for what it is else."""
        if "$ref" in schema:
            return self.resolved(self.definitions[schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            options = [option for option in schema["anyOf"] if option != {"type": "null"}]
            assert len(options) == 1, schema
            return self.resolved(options[0])
        return schema

    def differences(self, shape: Shape, schema: dict[str, Any], path: str) -> Iterator[str]:
        schema = self.resolved(schema)
        if isinstance(shape, StructureShape):
            yield from self.of_structures(shape, schema, path)
        elif isinstance(shape, MapShape):
            keys = schema.get("propertyNames", {})
            [(pattern, values)] = schema.get("patternProperties", {None: schema.get("additionalProperties")}).items()
            yield from self.of_texts(shape.key, {**keys, **({"pattern": pattern} if pattern else {})}, f"{path}.key")
            yield from self.differences(shape.value, values, f"{path}.value")
        elif isinstance(shape, ListShape):
            if schema.get("type") != "array":
                yield f"{path}: is no list, but {schema.get('type')}"
            yield from self.differences(shape.member, schema["items"], f"{path}[]")
        elif shape.type_name == "timestamp":
            if schema.get("format") != "date-time":
                yield f"{path}: is no time"
        elif schema.get("type") != shape.type_name:
            yield f"{path}: is no {shape.type_name}, but {schema.get('type')}"
        elif shape.type_name == "string":
            yield from self.of_texts(shape, schema, path)

    def of_structures(self, shape: StructureShape, schema: dict[str, Any], path: str) -> Iterator[str]:
        own = schema.get("properties", {}).keys() - CONVENIENCES.get(schema.get("title", ""), frozenset())
        yield from (f"{path}.{name}: is missing" for name in shape.members.keys() - own)
        yield from (f"{path}.{name}: is invented" for name in own - shape.members.keys())
        if set(schema.get("required", ())) != set(shape.required_members):
            yield f"{path}: requires {schema.get('required')}, not {shape.required_members}"
        if schema.get("additionalProperties") is not False:
            yield f"{path}: takes anything"
        if bool(getattr(shape, "is_tagged_union", False)) != (schema.get("maxProperties") == 1):
            yield f"{path}: only one of the two is a union"
        for name in shape.members.keys() & own:
            yield from self.differences(shape.members[name], schema["properties"][name], f"{path}.{name}")

    def of_texts(self, shape: Shape, schema: dict[str, Any], path: str) -> Iterator[str]:
        enum = set(schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else [])
        if enum != set(shape.metadata.get("enum", ())):
            yield f"{path}: has the values {enum}, not {shape.metadata.get('enum')}"
        if enum:
            return
        if (schema.get("minLength", 0), schema.get("maxLength")) != (
            shape.metadata.get("min", 0),
            shape.metadata.get("max"),
        ):
            yield f"{path}: has other lengths than {shape.metadata}"
        # Anything at all needs no pattern; that there must be something is said by the length, too.
        other = shape.metadata.get("pattern", "").removeprefix("^").removesuffix("$")
        pattern = schema.get("pattern", "").removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if pattern != ("" if other in ("(?s).*", "(?s).+") else other):
            yield f"{path}: has the pattern {pattern}, not {other}"


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_parameters_are_the_apis(service: str, operation: str) -> None:
    schema = OPERATIONS[service, operation].model_json_schema()
    assert list(Walk(schema).differences(input_shape(service, operation), schema, operation)) == []


CHANGES: list[tuple[str, list[str], Any]] = [
    ("is missing", ["properties", "jobReason"], None),
    ("is invented", ["properties", "colour"], {"type": "string"}),
    ("requires", ["required"], ["appId"]),
    ("takes anything", ["additionalProperties"], True),
    ("has other lengths", ["properties", "appId", "maxLength"], 21),
    ("has the pattern", ["properties", "appId", "pattern"], "^[a-z]+$"),
    ("has the values", ["$defs", "JobType", "enum"], ["RELEASE", "RETRY", "MANUAL"]),
    ("is no string", ["properties", "branchName"], {"type": "integer"}),
]


@pytest.mark.parametrize(("text", "path", "value"), CHANGES, ids=[change[0] for change in CHANGES])
def test_the_walk_sees_every_kind_of_difference(text: str, path: list[str], value: Any) -> None:
    schema = StartJobParameters.model_json_schema()
    part = schema
    for name in path[:-1]:
        part = part[name]
    if value is None:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    result = list(Walk(schema).differences(input_shape("amplify", "StartJob"), schema, "StartJob"))
    assert len(result) == 1
    assert text in result[0]


# --- What is accepted ------------------------------------------------------------------------------------------------

SCHEMA = """
enum Kind { A B }
type Part { n: Int }
type Post @model { id: ID! title: String! kind: Kind part: Part tags: [Tag] @manyToMany(relationName: "PostTags") }
type Tag @model { id: ID! posts: [Post] @manyToMany(relationName: "PostTags") comments: [Comment] @hasMany }
type Comment @model { id: ID! tag: Tag @belongsTo }
"""

EXAMPLES: dict[tuple[str, str], dict[str, Any]] = {
    ("amplify", "StartJob"): {
        "appId": "d2abc",
        "branchName": "feature/x",
        "jobType": "RETRY",
        "jobId": "12",
        "jobReason": "why not",
        "commitId": "HEAD",
        "commitMessage": "Fix it",
    },
    ("amplify", "StartDeployment"): {
        "appId": "d2abc",
        "branchName": "main",
        "sourceUrl": "s3://bucket/site/",
        "sourceUrlType": "BUCKET_PREFIX",
    },
    ("amplifyuibuilder", "StartCodegenJob"): {
        "appId": "d2abc",
        "environmentName": "dev",
        "clientToken": "once",
        "codegenJobToCreate": {
            "renderConfig": {
                "react": {
                    "module": "es2020",
                    "target": "es2015",
                    "script": "tsx",
                    "renderTypeDeclarations": True,
                    "inlineSourceMap": False,
                    "apiConfiguration": {
                        "graphQLConfig": {
                            "typesFilePath": "",
                            "queriesFilePath": "../q",
                            "mutationsFilePath": "../m",
                            "subscriptionsFilePath": "../s",
                            "fragmentsFilePath": "../f",
                        }
                    },
                    "dependencies": {"aws-amplify": "^6.0.0"},
                }
            },
            "genericDataSchema": convert_schema(SCHEMA).schema.model_dump(
                mode="json", by_alias=True, exclude_none=True
            ),
            "autoGenerateForms": True,
            "features": {"isRelationshipSupported": True, "isNonModelSupported": False},
            "tags": {"team": "forms"},
        },
    },
    ("amplifybackend", "GenerateBackendAPIModels"): {
        "AppId": "d2abc",
        "BackendEnvironmentName": "dev",
        "ResourceName": "blog",
    },
}


def refusals(model: type[Model], parameters: Any) -> list[str]:
    try:
        model.model_validate(parameters)
    except ValidationError as error:
        return faults(error)
    return []


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_an_example_with_every_member_arrives_as_it_was(service: str, operation: str) -> None:
    example = EXAMPLES[service, operation]
    parameters = OPERATIONS[service, operation].model_validate(example)
    assert parameters.model_dump(mode="json", by_alias=True, exclude_none=True) == example


OTHER_VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        1.5,
        "",
        "x",
        "a\n",
        "d1",
        "d" * 21,
        "y" * 257,
        "y" * 3001,
        "aws:x",
        [],
        ["x"],
        [None],
        {},
        {"x": "y"},
    ]
)


# What botocore's models do not say, but the API pages do; and that its clients send no members that it does not know.
ONLY_OURS = ("exactly one of these", "sourceUrlType", "jobId is required", "Extra inputs are not permitted")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), value=OTHER_VALUES)
def test_what_the_api_refuses_is_refused_and_nothing_else(service: str, operation: str, seed: int, value: Any) -> None:
    parameters = copy.deepcopy(EXAMPLES[service, operation])
    place = Random(seed).choice(places(parameters)[1:])
    part = parameters
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    try:
        validate(operation_model(service, operation), parameters)
    except ServiceError:
        assert any(fault.startswith(str(place[0])) for fault in refusals(OPERATIONS[service, operation], parameters))
    else:
        for fault in refusals(OPERATIONS[service, operation], parameters):
            assert any(reason in fault for reason in ONLY_OURS), fault


REFUSED = [
    (StartDeploymentParameters, {}, "not 0: jobId, sourceUrl, artifact"),
    (StartDeploymentParameters, {"jobId": "1", "sourceUrl": "https://x/y.zip"}, "not 2: jobId"),
    (StartDeploymentParameters, {"jobId": "1", "artifact": "s3://bucket/y.zip"}, "not 2: jobId"),
    (StartDeploymentParameters, {"jobId": "1", "sourceUrlType": "ZIP"}, "sourceUrlType describes sourceUrl"),
    (StartDeploymentParameters, {"sourceUrl": "https://x/", "sourceUrlType": "BUCKET_PREFIX"}, "must begin with s3://"),
    (StartDeploymentParameters, {"artifact": "https://bucket/y.zip"}, "artifact: "),
    (StartDeploymentParameters, {"artifact": "s3://bucket"}, "artifact: "),
    (StartDeploymentParameters, {"sourceUrl": "ftp://x/y.zip"}, "sourceUrl: "),
    (StartJobParameters, {"jobType": "RETRY"}, "jobId is required"),
    (StartCodegenJobData, {"renderConfig": {}}, "renderConfig: exactly one of these is required, not 0: react"),
    (StartCodegenJobData, {"renderConfig": {"vue": {}}}, "renderConfig.vue: "),
    (
        StartCodegenJobData,
        {"renderConfig": {"react": {"apiConfiguration": {"noApiConfig": {}, "dataStoreConfig": {}}}}},
        "renderConfig.react.apiConfiguration: exactly one of these is required, not 2: graphQLConfig",
    ),
    (
        StartDeploymentParameters,
        {"sourceUrl": "s3://releases/web.zip", "artifactVersion": "v1"},
        "artifactVersion is the version of artifact, and can't be used without it",
    ),
    (
        StartCodegenJobData,
        {"renderConfig": {"react": {}}, "graphqlSchema": "type A", "graphqlSchemaUri": "s3://bucket/a.graphql"},
        "use only one of these: genericDataSchema",
    ),
    (StartCodegenJobData, {"renderConfig": {"react": {}}, "tags": {"aws:x": "y"}}, "tags.aws:x.[key]: "),
]


@pytest.mark.parametrize(("model", "given_parameters", "text"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_does_not_go_together_is_refused(model: type[Model], given_parameters: dict[str, Any], text: str) -> None:
    common = {"appId": "d1", "branchName": "main"} if "app_id" in model.model_fields else {}
    result = refusals(model, common | given_parameters)
    assert len(result) == 1
    assert text in result[0]


def test_all_faults_are_named() -> None:
    job = copy.deepcopy(EXAMPLES["amplifyuibuilder", "StartCodegenJob"])
    job["codegenJobToCreate"]["renderConfig"]["react"] |= {"script": "ts", "module": "commonjs"}
    del job["codegenJobToCreate"]["genericDataSchema"]["enums"]
    members = [fault.partition(": ")[0] for fault in refusals(StartCodegenJobParameters, job)]
    assert sorted(members) == [
        "codegenJobToCreate.genericDataSchema.enums",
        "codegenJobToCreate.renderConfig.react.module",
        "codegenJobToCreate.renderConfig.react.script",
    ]


# --- Conveniences ----------------------------------------------------------------------------------------------------


def test_a_graphql_schema_gives_way_to_the_data_schema_made_of_it() -> None:
    given_job = {"renderConfig": {"react": {}}, "graphqlSchema": SCHEMA}
    job = StartCodegenJobData.model_validate(given_job)
    assert job.graphql_schema is not None
    sent = job.with_schema(convert_schema(job.graphql_schema).schema).model_dump(by_alias=True, exclude_none=True)
    assert sent.keys() == {"renderConfig", "genericDataSchema"}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/site.zip", ("bucket", "site.zip")),
        ("s3://my.bucket-1/a b/ü/c.zip", ("my.bucket-1", "a b/ü/c.zip")),
    ],
)
def test_an_address_in_s3_is_a_bucket_and_a_key(uri: str, expected: tuple[str, str]) -> None:
    parameters = StartDeploymentParameters.model_validate({"appId": "d1", "branchName": "main", "artifact": uri})
    assert bucket_and_key(str(parameters.artifact)) == expected
