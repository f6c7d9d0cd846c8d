"""GraphQL schemas as data schemas: AWS's own results, places of errors, and input that is no schema at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.errors import InvalidSchemaError
from amplify_jobs.graphql.budget import Budget
from amplify_jobs.graphql.convert import CONVERSION_SECONDS, CONVERSION_STEPS, convert_schema
from amplify_jobs.graphql.document import LONGEST_SCHEMA, MOST_WARNINGS
from tests.support.large_schemas import LARGE_SCHEMAS
from tests.support.random_schemas import random_schema

SHARED = Path(__file__).parents[4] / "shared" / "codegen"
GOLDEN = sorted(SHARED.glob("golden/*/"))
ODD = SHARED / "edge_and_error_cases.json"
ODD_CASES: dict[str, dict[str, Any]] = json.loads(ODD.read_text()) if ODD.exists() else {}
needs_shared = pytest.mark.skipif(not GOLDEN, reason="AWS's results are not beside the repository (../shared/codegen)")


def converted(sdl: str) -> dict[str, Any]:
    """What goes over the wire."""
    return convert_schema(sdl).schema.model_dump(mode="json", by_alias=True, exclude_none=True)


# --- AWS's own results -----------------------------------------------------------------------------------------------


@needs_shared
@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_a_schema_becomes_what_awss_libraries_make_of_it(folder: Path) -> None:
    expected = json.loads((folder / "genericDataSchema.json").read_text())
    assert converted((folder / "schema.graphql").read_text()) == expected


@needs_shared
@pytest.mark.parametrize("name", [name for name, case in ODD_CASES.items() if "genericDataSchema" in case])
def test_an_odd_schema_becomes_what_awss_libraries_make_of_it(name: str) -> None:
    case = ODD_CASES[name]
    assert converted(case["schema"]) == case["genericDataSchema"]
    values = case["genericDataSchema"]["enums"]
    assert {enum: list(each["values"]) for enum, each in converted(case["schema"])["enums"].items()} == {
        enum: each["values"] for enum, each in values.items()
    }


@needs_shared
@pytest.mark.parametrize("name", [name for name, case in ODD_CASES.items() if "error" in case])
def test_a_schema_that_awss_libraries_refuse_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(InvalidSchemaError, match=r"^line \d+, column \d+: "):
        convert_schema(ODD_CASES[name]["schema"])


# --- Particulars -----------------------------------------------------------------------------------------------------


def types_of(sdl: str, model: str) -> dict[str, str]:
    fields = converted(sdl)["models"][model]["fields"]
    return {name: field["dataTypeValue"] + "!" * field["required"] for name, field in fields.items()}


def test_declarations_of_one_type_are_merged_in_the_order_in_which_it_is_first_named() -> None:
    schema = "extend type M { late: Int } type N @model { n: Int } type M @model { early: Int late: Int! }"
    assert list(converted(schema)["models"]) == ["M", "N"]
    assert list(types_of(schema, "M").items())[:3] == [("id", "ID!"), ("late", "Int!"), ("early", "Int")]


def test_the_later_of_two_fields_in_one_pair_of_braces_counts() -> None:
    assert types_of("type M @model(timestamps: null) { a: Int b: Int a: String! }", "M") == {
        "id": "ID!",
        "a": "String!",
        "b": "Int",
    }


def test_an_extension_can_switch_time_stamps_off() -> None:
    assert list(types_of("type M @model { a: Int } extend type M @model(timestamps: null)", "M")) == ["id", "a"]


def test_values_of_a_later_enum_come_first() -> None:
    schema = "enum E { A B } enum E { C B } extend enum E { Z }"
    assert converted(schema)["enums"] == {"E": {"values": ["Z", "C", "B", "A"]}}


def fields_between(schema: str) -> tuple[str | None, bool]:
    """Where the hasMany of A leads, and whether J is seen as a table between two models."""
    models = converted(schema)["models"]
    return models["A"]["fields"]["js"]["relationship"]["relatedModelName"], models["J"].get("isJoinTable", False)


def test_a_directive_of_a_field_that_is_declared_twice_is_merged_even_if_it_is_repeatable() -> None:
    schema = """
        type J @model { aID: ID! @index(name: "byA") bID: ID! @index(name: "byB")
                        a: A! @belongsTo(fields: ["aID"]) b: B! @belongsTo(fields: ["bID"]) }
        type A @model { js: [J] @hasMany(indexName: "byA", fields: ["id"]) }
        type B @model { js: [J] @hasMany(indexName: "byB", fields: ["id"]) }
    """
    assert fields_between(schema) == ("B", True)
    assert fields_between(schema + 'extend type J { aID: ID! @index(name: "byA") }') == ("B", True)
    with pytest.raises(InvalidSchemaError, match="J has no @index with the name 'byA'"):
        convert_schema(schema + 'extend type J { aID: ID! @index(name: "other") }')


KEYS = [
    # The generators know no @key that is repeatable: two of one declaration become one as soon as there is another
    # declaration, and the second loses the arguments that the first does not have.
    ('@key(fields: ["x", "y"]) @key(name: "n", fields: ["z"])', "", ["x", "y"]),
    ('@key(fields: ["x"]) @key(name: "n", fields: ["y"])', "extend type M { z: ID! }", ["x", "y"]),
    ('@key(fields: ["x"])', 'extend type M @key(fields: ["y", "x"])', ["x", "y"]),
    ('@key(fields: ["x"])', 'extend type M @key(name: "n", fields: ["y"])', ["id"]),
    (
        '@key(fields: ["x"])',
        'extend type M @key(name: "n", fields: ["y"]) directive @key(name: String) repeatable on OBJECT',
        ["x"],
    ),
]


@pytest.mark.parametrize(("keys", "more", "expected"), KEYS)
def test_directives_of_a_type_are_merged_if_it_is_declared_twice(keys: str, more: str, expected: list[str]) -> None:
    schema = f"type M @model {keys} {{ x: ID! y: ID! z: ID! }} {more}"
    assert converted(schema)["models"]["M"]["primaryKeys"] == expected


def test_of_two_fields_with_one_name_a_later_declaration_is_merged_into_the_first() -> None:
    schema = "type M @model(timestamps: null) { a: Int a: Int! } extend type M { a: Int! b: Int b: Int! }"
    assert types_of(schema, "M") == {"id": "ID!", "a": "Int!", "b": "Int!"}


def test_enum_values_that_are_whole_numbers_come_first() -> None:
    assert converted("enum E { x _10 _2 _2x }")["enums"]["E"]["values"] == ["_2", "_10", "x", "_2x"]


def test_roots_are_no_types_of_data() -> None:
    schema = "schema { query: Ask } type Ask { a: Int } type Query { b: Int } type Mutation { c: Int }"
    assert list(converted(schema)["nonModels"]) == ["Query"]


def test_a_single_name_counts_as_a_list_of_one() -> None:
    listed = 'type A @model { b: B @hasOne(fields: ["bId"]) bId: ID } type B @model { n: Int }'
    assert converted(listed) == converted(listed.replace('["bId"]', '"bId"'))


def test_both_ends_of_a_many_to_many_can_be_one_model() -> None:
    relation = '@manyToMany(relationName: "friends")'
    schema = converted(f"type A @model {{ likes: [A] {relation} likedBy: [A] {relation} }}")
    assert list(schema["models"]["Friends"]["fields"]) == ["id", "aId", "a", "createdAt", "updatedAt"]
    assert "isJoinTable" not in schema["models"]["Friends"]


def test_the_name_of_a_table_between_keeps_only_what_a_name_can_have() -> None:
    relation = '@manyToMany(relationName: "7 to-do_s")'
    models = converted(f"type A @model {{ b: [B] {relation} }} type B @model {{ a: [A] {relation} }}")["models"]
    assert list(models) == ["A", "B", "todo_s"]


# --- Errors and warnings ---------------------------------------------------------------------------------------------

ERRORS = [
    ("type M @model {\n  a: Nowhere\n}", "line 2, column 6", 'Unknown type: "Nowhere"'),
    ("type M @model {\n  a: Strng\n}", "line 2, column 6", "did you mean String?"),
    ("scalar Long\ntype M @model { a: Long }", "line 2, column 17", "Unknown type Long"),
    ("type M @model { a: HttpMethod }", "line 1, column 17", "belongs to AWS's own directives"),
    ("type M @model { a: AuthRule } type AuthRule { n: Int }", "line 1, column 17", "belongs to AWS's own directives"),
    ("type M @model { i: ID @hasOne } type ID @model { n: Int }", "line 1, column 23", "@hasOne needs a model"),
    ("type M @model { q: Query } type Query { a: Int }", "line 1, column 17", "its fields are operations"),
    ("type M @model { i: In } input In { a: Int }", "line 1, column 17", "In is an input"),
    ("type Query { a(b: N): Int } type N { a: Int }", "line 1, column 16", "Query.a: b can only be"),
    ("input In { n: N } type N { a: Int }", "line 1, column 12", "In: n can only be"),
    ("{ a }", "line 1, column 1", "not queries or fragments"),
    ("type M @model { a: Int } enum M { A }", "line 1, column 26", "declared as enum, but as type at line 1, column 1"),
    ("type M { a: Int } type M { a: [Int] }", "line 1, column 28", "another type than at line 1, column 10"),
    ("type M @model { a: ID @primaryKey }", "line 1, column 23", "can't be null"),
    ('type M @model { a: ID! @primaryKey(sortKeyFields: ["z"]) }', "line 1, column 24", "no field 'z'"),
    ('type M @model { a: ID! @primaryKey(sortKeyFields: ["updatedAt"]) }', "line 1, column 24", "must be declared"),
    ("type M @model { a: ID! @primaryKey(sortKeyFields: [1]) }", "line 1, column 24", "list of names"),
    ("type M @model(timestamps: {createdAt: 5}) { a: ID }", "line 1, column 8", "createdAt must be a text"),
    ("type A @model { a: B! @primaryKey } type B @model { n: Int }", "line 1, column 1", "its primary key"),
    ("type A @model { b: [B] @hasOne } type B @model { n: Int }", "line 1, column 24", "use @hasMany"),
    ("type A @model { b: B @hasMany } type B @model { n: Int }", "line 1, column 22", "needs a list, [B]"),
    ("type A @model { b: [B] @belongsTo } type B @model { n: Int }", "line 1, column 24", "can't be on a list"),
    ('type A @model { b: B @hasOne(fields: ["x", "y"]) } type B @model { n: Int }', "line 1, column 22", "more fields"),
    (
        'type A @model { b: B @hasOne(references: ["x"]) } type B @model { n: Int }',
        "line 1, column 22",
        "no @belongsTo",
    ),
    ("type A @model { b: [B] @manyToMany } type B @model { n: Int }", "line 1, column 24", "needs relationName"),
    (
        'type A @model { b: [B] @hasMany(references: ["x"]) } type B @model { a: A @belongsTo(references: ["x"]) }',
        "line 1, column 24",
        "no field 'x'",
    ),
    (
        'type A @model { b: B @hasOne } type B @model { a: A @belongsTo(references: ["x"]) }',
        "line 1, column 53",
        "no @hasOne or @hasMany with references x",
    ),
    (
        'type A @model { b: B @manyToMany(relationName: "R") } type B @model { a: [A] @manyToMany(relationName: "R") }',
        "line 1, column 22",
        "A.b: @manyToMany needs a list, [B]",
    ),
    (
        'type A @model { b: [B] @manyToMany(relationName: "B") }'
        ' type B @model { a: [A] @manyToMany(relationName: "B") }',
        "line 1, column 24",
        "no table can join A.b and B.a: relationName must be no model's name",
    ),
    (
        'type A @model @key(fields: ["x", "y"]) { x: ID! y: ID! b: [B] @manyToMany(relationName: "R") }'
        ' type B @model { a: [A] @manyToMany(relationName: "R") }',
        "line 1, column 63",
        "no table can join A.b and B.a",
    ),
    ("type M @model { a: __Type } type __Type { a: Int }", "line 1, column 17", "belongs to GraphQL itself"),
    ('type M @d(x: ["a"]) { a: ID } type M @d(x: "b") { a: ID }', "line 1, column 38", "put brackets around it"),
]


@pytest.mark.parametrize(("schema", "place", "text"), ERRORS, ids=[case[2] for case in ERRORS])
def test_an_error_says_where_and_what(schema: str, place: str, text: str) -> None:
    with pytest.raises(InvalidSchemaError) as caught:
        convert_schema(schema)
    assert str(caught.value).startswith(f"{place}: ")
    assert text in str(caught.value)


def test_an_unknown_directive_is_a_warning_and_named_once() -> None:
    conversion = convert_schema(
        "type A @modle { a: Int @foo b: Int @foo }\ndirective @own on OBJECT\ntype B @own { b: Int }"
    )
    assert conversion.warnings == (
        "line 1, column 8: @modle is no directive that Amplify knows and has no effect; did you mean @model?",
        "line 1, column 24: @foo is no directive that Amplify knows and has no effect",
    )


@pytest.mark.parametrize(
    ("declared", "owner"),
    [
        ("type AWSDate @model { n: Nowhere }", "one of AppSync's scalars"),
        ("enum String { A B }", "one of AppSync's scalars"),
        ("extend type ID { n: Int }", "one of AppSync's scalars"),
        ("type AuthRule @model { n: Int }", "AWS's own directives"),
    ],
)
def test_a_type_whose_name_is_another_s_is_left_out_with_a_warning(declared: str, owner: str) -> None:
    model = "type M @model { a: ID d: AWSDate s: String }"
    conversion = convert_schema(f"{model}\n{declared}")
    name = declared.removeprefix("extend ").split()[1]
    assert conversion.warnings == (
        f"line 2, column 1: {name} is left out, since the name belongs to {owner}; choose another name",
    )
    assert conversion.schema == convert_schema(model).schema


def test_directives_of_transformer_1_are_one_warning() -> None:
    conversion = convert_schema(
        'type P @model @versioned { cs: [C] @connection(keyName: "byP", fields: ["id"]) }\n'
        'type C @model @key(name: "byP", fields: ["pID"]) { pID: ID! p: P @connection(fields: ["pID"]) }'
    )
    assert conversion.warnings == (
        "line 1, column 15: @versioned is a directive of Amplify's GraphQL transformer 1, and this schema is read as "
        "transformer 2 reads it, so that relations by @connection are left out: P.cs, C.p; "
        "migrate the schema with: amplify migrate api",
    )
    (key_alone,) = convert_schema('type P @model @key(fields: ["id"]) { id: ID! }').warnings
    assert "@key is a directive of Amplify's GraphQL transformer 1" in key_alone
    assert "@connection" not in key_alone


def test_a_name_that_graphql_reserves_is_left_out_unless_another_type_leads_to_it() -> None:
    conversion = convert_schema("type __A @model { n: Int }\nenum __E { A } type B @model { n: Int }")
    assert list(conversion.schema.models) == ["B"]
    assert not conversion.schema.enums
    assert [warning.partition(" is left out")[0] for warning in conversion.warnings] == [
        "line 1, column 1: __A",
        "line 2, column 1: __E",
    ]
    led_to = "type __A @model { n: Int } type __N { b: B } type B @model { a: __A @hasOne } type C @model { n: __N }"
    assert list(converted(led_to)["models"]) == ["B", "__A", "C"]
    assert list(converted(led_to)["nonModels"]) == ["__N"]


@pytest.mark.parametrize("word", ["type", "extend type"])
def test_types_named_like_a_directive_come_first_in_the_order_of_the_directives(word: str) -> None:
    names = ["B", "index", "zed", "specifiedBy", "auth", "connection", "A", "model", "aws_iam"]
    ordered = ["zed", "aws_iam", "auth", "index", "model", "B", "specifiedBy", "connection", "A"]
    schema = "directive @zed on OBJECT " + " ".join(f"{word} {name} @model {{ a: Int }}" for name in names)
    assert list(converted(schema)["models"]) == ordered
    assert list(converted(schema.replace("@model", ""))["nonModels"]) == ordered
    enums = " ".join(f"enum {name} {{ A }}" for name in names)
    assert list(converted(f"directive @zed on OBJECT {enums}")["enums"]) == ordered


def test_a_type_named_like_a_directive_is_merged_even_if_it_is_declared_once() -> None:
    keys = '@key(fields: ["a"]) @key(fields: ["b"])'
    fields = "{ a: Int! b: Int! a: Int! @primaryKey }"
    directive = "directive @key(fields: [String!]) repeatable on OBJECT"
    once = converted(f"type auth @model {keys} {fields} type M @model {keys} {fields}")["models"]
    assert (once["auth"]["primaryKeys"], once["M"]["primaryKeys"]) == (["a", "b"], ["a"])
    repeatable = converted(f"{directive} type auth @model {keys} {fields}")["models"]
    assert repeatable["auth"]["primaryKeys"] == ["a"]


@pytest.mark.parametrize(
    ("fields", "foreign", "names"),
    [
        # The generators choose the key of relations before they move id to the front, and the model's own after that.
        ("sku: ID! @primaryKey id: ID! @primaryKey", ["ownerMSku"], ["id"]),
        ('sku: ID! @primaryKey(sortKeyFields: ["n"]) n: Int! id: ID! @primaryKey', ["ownerMSku", "ownerMN"], ["id"]),
        ('sku: ID! @primaryKey id: ID! @primaryKey(sortKeyFields: ["gone"])', ["ownerMSku"], ["id", "gone"]),
        ("sku: ID! @primaryKey id: ID @primaryKey", ["ownerMSku"], ["id"]),
        ("id: ID! @primaryKey sku: ID! @primaryKey", ["ownerMId"], ["id"]),
        ("sku: ID! @primaryKey other: ID! @primaryKey", ["ownerMSku"], ["sku"]),
    ],
)
def test_of_two_primary_keys_the_first_as_declared_is_that_of_relations(
    fields: str, foreign: list[str], names: list[str]
) -> None:
    models = converted(f"type M @model {{ {fields} }} type Owner @model {{ m: M @hasOne }}")["models"]
    assert models["Owner"]["fields"]["m"]["relationship"]["associatedFields"] == foreign
    assert models["M"]["primaryKeys"] == names


@pytest.mark.parametrize("name", ["id", "Id", "ID_"])
def test_a_table_between_two_models_of_which_one_is_called_id_is_as_awss_libraries_make_it(name: str) -> None:
    models = converted(f"""
        type {name} @model {{ qs: [Q] @manyToMany(relationName: "R") }}
        type Q @model {{ ids: [{name}] @manyToMany(relationName: "R") }}
    """)["models"]
    assert models["R"]["fields"]["id"] == {
        "dataType": "ID",
        "dataTypeValue": "ID",
        "required": True,
        "readOnly": False,
        "isArray": False,
        "relationship": {"type": "HAS_ONE", "relatedModelName": name, "isHasManyIndex": True},
    }
    assert "isJoinTable" not in models["R"]
    assert models["Q"]["fields"]["ids"]["relationship"]["relatedModelName"] == "R"


@pytest.mark.parametrize("name", ["note", "Dog_House", "_A"])
def test_a_model_that_ui_builder_makes_no_forms_for_is_a_warning(name: str) -> None:
    (warning,) = convert_schema(f"type Note @model {{ a: Int }}\ntype {name} @model {{ a: Int }}").warnings
    assert warning.startswith(f"line 2, column 1: UI Builder makes no forms for the model {name}; ")


def test_a_table_between_two_models_gets_no_forms_and_no_warning() -> None:
    relation = '@manyToMany(relationName: "a_b")'
    assert not convert_schema(f"type A @model {{ b: [B] {relation} }} type B @model {{ a: [A] {relation} }}").warnings


def test_what_awss_directives_are_declared_with_can_be_repeated_without_a_warning() -> None:
    repeated = "input AMPLIFY { globalAuthRule: AuthRule = { allow: public } } enum AuthStrategy { owner public }"
    assert convert_schema(f"type M @model {{ a: ID }} {repeated} scalar AWSDate").warnings == ()


def test_a_field_that_is_left_out_is_a_warning() -> None:
    conversion = convert_schema("type A @model { b: B }\ntype B @model { all: [A] }")
    assert "b" not in conversion.schema.models["A"].fields
    assert [warning.partition(":")[0] for warning in conversion.warnings] == ["line 1, column 17", "line 2, column 17"]


def test_more_warnings_than_anyone_reads_are_counted() -> None:
    fields = "\n".join(f"a{number}: Int @odd{number}" for number in range(100))
    warnings = convert_schema(f"type A @model {{ {fields} }}").warnings
    assert len(warnings) == MOST_WARNINGS + 1
    assert warnings[-1] == f"and {100 - MOST_WARNINGS} more warnings"


# --- Anything at all -------------------------------------------------------------------------------------------------

TOKENS = """
    type enum input union interface scalar schema extend directive on A B C id a ID Int String Query @model @primaryKey
    @index @hasOne @hasMany @belongsTo @manyToMany @key { } ( ) [ ] ! : = | & , fields references indexName timestamps
    relationName sortKeyFields name " # null 1 1.5 true $x \\u 日 \x00 ...
"""

HOSTILE = {
    "lists in lists": "type A @model { a: " + "[" * 5000 + "Int" + "]" * 5000 + " }",
    "values in values": "type A @model(x: " + "[" * 5000 + "]" * 5000 + ") { a: Int }",
    "objects in objects": "type A @model(x: " + "{a:" * 5000 + "1" + "}" * 5000 + ") { a: Int }",
    "too long": "#" * (LONGEST_SCHEMA + 1),
    "half a character": "\ud800",
}


def refused_or_converted(text: str) -> None:
    try:
        converted(text)
    except InvalidSchemaError as error:
        message = str(error)
    else:
        return
    assert message


@given(st.text() | st.lists(st.sampled_from(TOKENS.split()) | st.just("\n")).map(" ".join))
def test_anything_else_is_refused_as_an_invalid_schema(text: str) -> None:
    refused_or_converted(text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_meant_to_break_it_is_refused_as_an_invalid_schema(text: str) -> None:
    with pytest.raises(InvalidSchemaError):
        convert_schema(text)


def test_a_schema_with_very_many_names_is_converted() -> None:
    values = " ".join(f"V{number}" for number in range(5000))
    assert len(convert_schema(f"enum E {{ {values} }}").schema.enums["E"].values) == 5000


@pytest.mark.parametrize("shape", LARGE_SCHEMAS.values(), ids=LARGE_SCHEMAS.keys())
def test_work_grows_with_the_schema_and_not_with_its_square(shape: Callable[[int], str]) -> None:
    small, large = bytecodes_of(shape(40)), bytecodes_of(shape(80))
    assert large < 2.2 * small


def bytecodes_of(schema: str) -> int:
    """Count what the interpreter does for a conversion, which is the same on every machine."""
    done = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal done
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        done += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        convert_schema(schema)
    finally:
        sys.settrace(before)
    return done


def test_what_takes_longer_than_its_budget_is_refused() -> None:
    seconds = count()
    with pytest.raises(InvalidSchemaError, match=r"not converted within 9 seconds; make it smaller, or"):
        convert_schema("type A @model { a: Int b: Int c: Int }", Budget(9, 1000, clock=lambda: next(seconds)))


@pytest.mark.thorough
def test_a_small_schema_that_asks_for_very_many_fields_is_refused() -> None:
    keys = [f"k{number}" for number in range(700)]
    listed = ", ".join(f'"{key}"' for key in keys)
    model = f"id: ID! @primaryKey(sortKeyFields: [{listed}]) {' '.join(f'{key}: ID!' for key in keys)}"
    many = " ".join(f"b{number}: B @hasOne" for number in range(700))
    with pytest.raises(InvalidSchemaError, match="make it smaller"):
        convert_schema(f"type A @model {{ {many} }} type B @model {{ {model} }}")


def test_the_longest_schema_fits_the_steps_of_its_budget() -> None:
    field = "abcde{}: [Int!]! @auth(rules: [{{allow: owner}}]) "
    part = 20
    schema = f"type A @model {{ {''.join(field.format(number) for number in range(20_000 // part))} }}"
    assert len(schema) * part > LONGEST_SCHEMA * 0.9
    assert convert_schema(schema, Budget(10_000, CONVERSION_STEPS // part)).schema.models["A"]


def test_a_conversion_leaves_the_start_function_time_to_parse_and_to_start() -> None:
    template = (Path(__file__).parents[3] / "template.yaml").read_text()
    # The functions' common timeout, which StartJobFunction has.
    timeout = int(template.partition("    Timeout: ")[2].split()[0])
    assert timeout - CONVERSION_SECONDS >= 15


SHAPE = ServiceModel(Loader().load_service_model("amplifyuibuilder", "service-2"), "amplifyuibuilder").shape_for(
    "CodegenJobGenericDataSchema"
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_every_result_fits_the_api_and_hangs_together(seed: int) -> None:
    try:
        schema = converted(random_schema(Random(seed), careful=True))
    except InvalidSchemaError:
        return
    assert not ParamValidator().validate(schema, SHAPE).has_errors()
    for model in schema["models"].values():
        assert model["fields"].keys() >= set(model["primaryKeys"])
        for field in model["fields"].values():
            kinds = {"Model": "models", "Enum": "enums", "NonModel": "nonModels"}
            if field["dataType"] in kinds:
                assert field["dataTypeValue"] in schema[kinds[field["dataType"]]]
            if relationship := field.get("relationship"):
                assert relationship["relatedModelName"] in schema["models"]
                target = schema["models"][relationship["relatedModelName"]]
                if any(target["fields"][key]["dataType"] == "Model" for key in target["primaryKeys"]):
                    # AWS's libraries, too, let a key name a relation, and give its join table no field for it.
                    continue
                assert model["fields"].keys() >= set(relationship.get("associatedFields", ()))
                related = schema["models"][relationship.get("relatedJoinTableName") or relationship["relatedModelName"]]
                assert related["fields"].keys() >= set(relationship.get("relatedModelFields", ()))
