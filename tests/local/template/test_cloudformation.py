"""What CloudFormation's clients are told of the stack that runs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from werkzeug.wrappers import Request

from local.cloud import LocalCloud
from local.server.protocol.errors import ServiceError
from local.template.cloudformation import CloudFormationService, Stack, StackResource

Clients = Callable[..., Any]
AWS_CLI = Path(__file__).parents[3] / ".venv-tools" / "bin" / "aws"


def test_a_stack_is_described_with_its_outputs_and_parameters(cloud: LocalCloud, client: Clients) -> None:
    cloudformation = client("cloudformation")
    [stack] = cloudformation.describe_stacks()["Stacks"]
    assert (stack["StackName"], stack["StackStatus"]) == ("small", "CREATE_COMPLETE")
    assert stack["Outputs"] == [
        {
            "OutputKey": "ApiUrl",
            "OutputValue": f"{cloud.api_url}/named/{{name}}",
            "Description": "Where <names> & greetings go.",
            "ExportName": "small-api",
        }
    ]
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    assert parameters == {"Greeting": "hello", "Password": "****", "EndpointUrl": cloud.endpoint_url}
    assert abs((datetime.now(UTC) - stack["CreationTime"]).total_seconds()) < 3600
    for name in ("small", stack["StackId"]):
        assert cloudformation.describe_stacks(StackName=name)["Stacks"] == [stack]


def test_its_resources_are_those_that_run(cloud: LocalCloud, client: Clients) -> None:
    cloudformation = client("cloudformation")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName="small")
    listed = {item["LogicalResourceId"]: item for page in pages for item in page["StackResourceSummaries"]}
    described = cloudformation.describe_stack_resources(StackName="small")["StackResources"]
    assert {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in described} == {
        name: item["PhysicalResourceId"] for name, item in listed.items()
    }
    for name in ("Table", "Bucket", "Topic", "Inbox", "Probe", "Machine"):
        assert listed[name]["PhysicalResourceId"] == cloud.physical_id(name)
        assert "ResourceStatusReason" not in listed[name]
    assert (
        listed["Alarm"]["ResourceStatusReason"] == "not in the local cloud: nothing measures or alarms on one machine"
    )
    one = cloudformation.describe_stack_resource(StackName="small", LogicalResourceId="Table")["StackResourceDetail"]
    assert (one["PhysicalResourceId"], one["ResourceType"]) == (cloud.physical_id("Table"), "AWS::DynamoDB::Table")
    for arguments in (
        {"StackName": "small", "LogicalResourceId": "Table"},
        {"PhysicalResourceId": cloud.physical_id("Topic"), "LogicalResourceId": "Table"},
    ):
        [result] = cloudformation.describe_stack_resources(**arguments)["StackResources"]
        assert (result["StackName"], result["LogicalResourceId"]) == ("small", "Table")


@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("describe_stacks", {"StackName": "none"}, "Stack with id none does not exist"),
        ("list_stack_resources", {"StackName": "none"}, "Stack with id none does not exist"),
        ("describe_stack_resources", {"StackName": "none"}, "Stack with id none does not exist"),
        ("describe_stack_resources", {"PhysicalResourceId": "i-1"}, "Stack for i-1 does not exist"),
        (
            "describe_stack_resource",
            {"StackName": "none", "LogicalResourceId": "Table"},
            "Stack 'none' does not exist",
        ),
        (
            "describe_stack_resource",
            {"StackName": "small", "LogicalResourceId": "Gone"},
            "Resource Gone does not exist for stack small",
        ),
        (
            "describe_stack_resources",
            {"StackName": "small", "LogicalResourceId": "Gone"},
            "Resource Gone does not exist for stack small",
        ),
        ("describe_stacks", {"StackName": "<&>"}, "Stack with id <&> does not exist"),
    ],
)
def test_what_is_not_there_is_a_validation_error(
    client: Clients, operation: str, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(client("cloudformation"), operation)(**arguments)
    assert refused.value.response["Error"] == {"Type": "Sender", "Code": "ValidationError", "Message": message}
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_nothing_can_be_changed(client: Clients) -> None:
    with pytest.raises(
        ClientError, match="cloudformation DeleteStack is not implemented by the local cloud"
    ) as refused:
        client("cloudformation", attempts=3).delete_stack(StackName="small")
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0


@pytest.mark.thorough
@pytest.mark.skipif(not AWS_CLI.exists(), reason="the AWS CLI is not set up; make test does it")
def test_the_aws_cli_is_told_outputs_and_errors(cloud: LocalCloud) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def aws(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(AWS_CLI), *arguments], env=environment, capture_output=True, text=True, check=False)

    done = aws("cloudformation", "describe-stacks", "--query", "Stacks[0].Outputs")
    assert [output["OutputValue"] for output in json.loads(done.stdout)] == [cloud.outputs["ApiUrl"]]
    refused = aws("cloudformation", "describe-stacks", "--stack-name", "none")
    assert "(ValidationError) when calling the DescribeStacks operation: Stack with id none does" in refused.stderr
    refused = aws("apigatewayv2", "get-apis")
    assert "(NotImplementedException) when calling the GetApis operation" in refused.stderr
    assert "retries" not in refused.stderr


def request(**form: str) -> Request:
    return Request.from_values(method="POST", data=form, environ_base={"REQUEST_URI": "/"})


def many(count: int) -> Stack:
    resources = tuple(StackResource(f"Q{number}", f"q-{number}", "AWS::SQS::Queue") for number in range(count))
    return Stack("big", "arn:big", datetime.now(UTC), None, {}, (), resources)


@pytest.mark.parametrize(("count", "pages"), [(0, [0]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
def test_resources_are_listed_page_by_page(count: int, pages: list[int]) -> None:
    service = CloudFormationService(lambda: many(count))
    token: dict[str, str] = {}
    seen = []
    for page in pages:
        text = service.handle(
            "cloudformation", request(Action="ListStackResources", StackName="big", **token)
        ).get_data(as_text=True)
        assert text.count("<LogicalResourceId>") == page
        seen += [part.partition("<")[0] for part in text.split("<LogicalResourceId>")[1:]]
        token = {"NextToken": text.partition("<NextToken>")[2].partition("<")[0]}
    assert token == {"NextToken": ""}
    assert seen == [f"Q{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("form", "code", "message"),
    [
        ({"Action": "ListStackResources"}, "ValidationError", "Value null at 'StackName'"),
        ({"Action": "ListStackResources", "StackName": "big", "NextToken": "-1"}, "ValidationError", "NextToken"),
        ({"Action": "DescribeStackResources"}, "ValidationError", "Exactly one"),
        (
            {"Action": "DescribeStackResources", "StackName": "a", "PhysicalResourceId": "b"},
            "ValidationError",
            "Exactly",
        ),
        ({"Action": "Nonsense"}, "InvalidAction", "Could not find operation Nonsense"),
        ({}, "InvalidAction", "Could not find"),
    ],
)
def test_bad_calls_are_refused(form: dict[str, str], code: str, message: str) -> None:
    with pytest.raises(ServiceError, match=message) as refused:
        CloudFormationService(lambda: many(1)).handle("cloudformation", request(**form))
    assert (refused.value.code, refused.value.status) == (code, 400)


def test_there_is_no_stack_before_the_template_is_there() -> None:
    service = CloudFormationService(lambda: None)
    assert "<Stacks></Stacks>" in service.handle("cloudformation", request(Action="DescribeStacks")).get_data(
        as_text=True
    )
    for form in ({"StackName": "big"}, {"PhysicalResourceId": "q-1"}):
        with pytest.raises(ServiceError, match="does not exist"):
            service.handle("cloudformation", request(Action="DescribeStackResources", **form))
