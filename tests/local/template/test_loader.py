"""Templates are resolved as CloudFormation does it; what can't be is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.template.loader import Pseudo, Template, TemplateError

PSEUDO = Pseudo("123456789012", "eu-west-1", "stack")
RESOURCES = {"Queue": {"Type": "AWS::SQS::Queue"}}


def template(folder: Path, parameters: dict[str, str] | None = None, **sections: Any) -> Template:
    path = folder / "template.yaml"
    path.write_text(yaml.safe_dump({"Resources": RESOURCES, **sections}))
    return Template(path, parameters or {}, PSEUDO)


def lookup(logical_id: str, attribute: str | None) -> str:
    return logical_id if attribute is None else f"{logical_id}.{attribute}"


FULL: dict[str, Any] = {
    "Parameters": {
        "Name": {"Type": "String", "Default": "web"},
        "Count": {"Type": "Number", "Default": 3},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
    },
    "Mappings": {"Sizes": {"small": {"memory": 128}}},
    "Conditions": {
        "IsWeb": {"Fn::Equals": [{"Ref": "Name"}, "web"]},
        "IsThree": {"Fn::Equals": [{"Ref": "Count"}, "3"]},
        "Both": {"Fn::And": [{"Condition": "IsWeb"}, {"Condition": "IsThree"}]},
        "Neither": {"Fn::Not": [{"Fn::Or": [{"Condition": "IsWeb"}, {"Condition": "IsThree"}]}]},
    },
}


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("plain", "plain"),
        ({"Ref": "Name"}, "web"),
        ({"Ref": "Count"}, 3),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Ref": "Queue"}, "Queue"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "Queue.Arn"),
        ({"Fn::GetAtt": "Queue.Nested.Arn"}, "Queue.Nested.Arn"),
        ({"Fn::Sub": "${Name}-${AWS::AccountId}-${Queue.Arn}-${!Literal}"}, "web-123456789012-Queue.Arn-${Literal}"),
        ({"Fn::Sub": ["${x}${Name}", {"x": {"Ref": "Count"}}]}, "3web"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 1]]}, "a-web-1"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "x,y"]}]}, "y"),
        ({"Fn::FindInMap": ["Sizes", "small", "memory"]}, 128),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::If": ["Both", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Neither", "yes", {"Ref": "AWS::NoValue"}]}, None),
        ({"Condition": {"StringEquals": {"x": {"Ref": "Name"}}}}, {"Condition": {"StringEquals": {"x": "web"}}}),
    ],
)
def test_functions_are_resolved(tmp_path: Path, value: Any, resolved: Any) -> None:
    whole = template(tmp_path, **FULL).resolve({"value": value}, lookup)
    assert whole == ({} if resolved is None else {"value": resolved})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda children: st.lists(children) | st.dictionaries(st.text(alphabet="abc", min_size=2), children),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_what_has_no_function_stays_as_it_is(tmp_path: Path, value: Any) -> None:
    result = (
        template(tmp_path)
        if not (tmp_path / "template.yaml").exists()
        else Template(tmp_path / "template.yaml", {}, PSEUDO)
    )
    assert result.resolve(value, lookup) == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue"),
        ({"Fn::If": ["Missing", 1, 2]}, "no condition is called 'Missing'"),
        ({"Ref": "AWS::Whatever"}, "AWS::Whatever"),
        ({"Fn::Join": "x"}, "Fn::Join"),
    ],
)
def test_what_can_t_be_resolved_is_named(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        template(tmp_path, **FULL).resolve(value, lookup)


def test_conditions_leave_out_resources_and_outputs(tmp_path: Path) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Condition": "Neither"}
    result = template(
        tmp_path,
        **FULL | {"Resources": {"Kept": RESOURCES["Queue"], "Left": queue}},
        Outputs={"Kept": {"Value": 1}, "Left": {"Value": 2, "Condition": "Neither"}},
    )
    assert set(result.resources) == {"Kept"}
    assert set(result.outputs) == {"Kept"}


@pytest.mark.parametrize(
    ("declared", "parameters", "message"),
    [
        ({}, {"Name": "x"}, "has no parameter 'Name'"),
        ({"Name": {"Type": "String"}}, {}, "Name has no default"),
        ({"Name": {"Type": "String", "AllowedValues": ["a"]}}, {"Name": "b"}, "allowed are a"),
        ({"Name": {"Type": "String", "AllowedPattern": "[a-z]+"}}, {"Name": "B"}, "must match"),
        ({"Name": {"Type": "Number"}}, {"Name": "many"}, "must be a number"),
    ],
)
def test_parameters_are_checked(tmp_path: Path, declared: Any, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        template(tmp_path, parameters, Parameters=declared)


def test_own_values_go_over_defaults_where_a_parameter_is_declared(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(yaml.safe_dump({"Parameters": FULL["Parameters"], "Resources": RESOURCES}))
    result = Template(path, {"Count": "5"}, PSEUDO, defaults={"Name": "own", "Count": "4", "Other": "x"})
    assert (result.parameters["Name"], result.parameters["Count"]) == ("own", 5)


@pytest.mark.parametrize(
    "text", ["", "a: [", "[]", "Resources: 7", "Resources: {A: {Type: 'AWS::Serverless::Function'}}"]
)
def test_what_is_no_template_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError, match="template"):
        Template(path, {}, PSEUDO)


def test_sam_resources_keep_their_place_in_the_source_tree(tmp_path: Path) -> None:
    function = {"CodeUri": "./functions/x/", "Handler": "a.b", "Runtime": "python3.13"}
    result = template(
        tmp_path,
        Transform="AWS::Serverless-2016-10-31",
        Resources={"F": {"Type": "AWS::Serverless::Function", "Properties": function}},
    )
    code = result.resources["F"].properties["Code"]
    assert result.local_path(code["S3Bucket"], code["S3Key"]) == tmp_path / "functions" / "x"
    with pytest.raises(TemplateError, match="on AWS"):
        result.local_path("somebody-s-bucket", "x.zip")
