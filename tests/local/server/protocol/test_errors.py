"""Errors of every protocol reach the client as the service's own."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from local.server.protocol.errors import error_response, not_implemented, unknown_service_response
from local.server.protocol.models import protocol_of, service_model
from tests.support.protocol import call, client, received


@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "status"),
    [
        ("amplify", "GetApp", {"appId": "d1"}, "NotFoundException", 404),
        ("amplify", "ListTagsForResource", {"resourceArn": "arn"}, "ResourceNotFoundException", 404),
        ("lambda", "GetFunction", {"FunctionName": "f"}, "ResourceNotFoundException", 404),
        ("events", "PutEvents", {"Entries": []}, "InternalException", 500),
        ("stepfunctions", "StartExecution", {"stateMachineArn": "a"}, "ExecutionAlreadyExists", 400),
        ("dynamodb", "PutItem", {"TableName": "t", "Item": {}}, "ConditionalCheckFailedException", 400),
        ("sns", "Publish", {"Message": "m"}, "Throttling", 400),
        ("sts", "GetCallerIdentity", {}, "AccessDenied", 403),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k"}, "NoSuchKey", 404),
        ("ssm", "GetParameter", {"Name": "n"}, "ParameterNotFound", 400),
    ],
)
def test_errors_are_raised_typed_by_the_client(
    service: str, operation: str, params: dict[str, Any], code: str, status: int
) -> None:
    message = "It's <gone> & \x07 away"
    result = client(service, lambda _: error_response(service, code, message, status))
    with pytest.raises(ClientError) as caught:
        call(result, operation, params)
    error = caught.value.response["Error"]
    shown = message.replace("\x07", "\N{REPLACEMENT CHARACTER}") if service in {"s3", "sns", "sts"} else message
    assert (error["Code"], error["Message"]) == (code, shown)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    typed = [shape.name for shape in service_model(service).error_shapes]
    if code in typed:
        assert type(caught.value).__name__ == code


@pytest.mark.parametrize("service", ["dynamodb", "glue", "sns", "ec2", "route53", "cloudwatchomni"])
def test_what_is_not_implemented_is_said_in_every_protocol(service: str) -> None:
    refusal = not_implemented(service, "Thing", "grün")
    response = error_response(service, refusal.code, refusal.message, refusal.status)
    parser = create_parser(protocol_of(service))
    answer = {"status_code": 501, "headers": HTTPHeaders.from_dict(dict(response.headers)), "body": response.get_data()}
    error = parser.parse(answer, None)["Error"]  # type: ignore[arg-type]  # errors have no shape
    assert error["Code"] == "NotImplementedException"
    assert error["Message"] == f"{service} Thing is not implemented by the local cloud (grün)"


@pytest.mark.parametrize(
    ("protocol", "body", "headers"),
    [
        ("query", "Action=Do&Version=1", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("json", "{}", {"X-Amz-Target": "Thing.Do"}),
        ("rest-json", "", {}),
    ],
)
def test_an_unknown_service_is_said_in_the_protocol_of_the_call(
    protocol: str, body: str, headers: dict[str, str]
) -> None:
    response = unknown_service_response("elasticthing", received("POST", "/", body, headers))
    answer = {"status_code": 501, "headers": HTTPHeaders.from_dict(dict(response.headers)), "body": response.get_data()}
    error = create_parser(protocol).parse(answer, None)["Error"]  # type: ignore[arg-type]
    assert error["Code"] == "NotImplementedException"
    assert error["Message"] == "the service elasticthing is not implemented by the local cloud"


def test_an_error_always_carries_a_request_id() -> None:
    for service in ("amplify", "events", "s3", "sns"):
        assert error_response(service, "X", "y").headers["x-amzn-RequestId"]
