"""What botocore's clients send is what we read, and what we answer is what they read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.server import wire

Server = Callable[[Request], Response]


def received(method: str, path: str, body: Any = b"", headers: Mapping[str, str] | None = None) -> Request:
    """A request as werkzeug's server hands it over: its path as it was sent, percent signs and all."""
    data = body.encode() if isinstance(body, str) else body
    builder = EnvironBuilder(method=method, path=path.partition("?")[0], data=data, headers=Headers(headers))
    environ = builder.get_environ()
    environ["REQUEST_URI"] = path
    environ["QUERY_STRING"] = path.partition("?")[2]
    return Request(environ)


class Client:
    """A real client whose requests are answered by a function instead of a socket."""

    def __init__(self, service: str) -> None:
        self.server: Server = lambda _: Response(status=500)
        self.boto3: BaseClient = boto3.client(  # type: ignore[call-overload]
            service,
            region_name="eu-central-1",
            endpoint_url="http://127.0.0.1:1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )
        self.boto3.meta.events.register("before-send", self._answer)

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in request.headers.items()}
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        response = self.server(received(request.method, path, request.body or b"", headers))
        answered = HTTPHeaders.from_dict(dict(response.headers))
        return AWSResponse(request.url, response.status_code, answered, _Raw(response.get_data()))


@cache
def _client(service: str) -> Client:
    return Client(service)


def client(service: str, server: Server) -> BaseClient:
    made = _client(service)
    made.server = server
    return made.boto3


class _Raw:
    """The body, as urllib3 hands it to botocore."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self.body]

    def read(self, *_: Any, **__: Any) -> bytes:
        return self.body


def call(made: BaseClient, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = made._make_api_call(operation, params)  # type: ignore[attr-defined]
    answer.pop("ResponseMetadata")
    return answer


# Whole seconds, since botocore's clients send no more.
MOMENTS = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
TEXT = st.characters(codec="utf-8", exclude_characters="\0")


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "timestamp": MOMENTS,
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "blob": st.binary(max_size=20),
}


@cache
def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Values that satisfy a shape's constraints."""
    if isinstance(shape, StructureShape):
        members = {name: values(member) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if isinstance(shape, ListShape):
        # An empty list can't be told from none in a query string.
        return st.lists(values(shape.member), min_size=1, max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(values(shape.key), values(shape.value), max_size=2)
    if shape.type_name in {"integer", "long"}:
        return st.integers(shape.metadata.get("min", -(2**31)), shape.metadata.get("max", 2**31))
    return strings(shape) if shape.type_name == "string" else SCALARS[shape.type_name]


def strings(shape: Shape) -> st.SearchStrategy[str]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 50)
    if "enum" in shape.metadata:
        return st.sampled_from(shape.metadata["enum"])
    pattern = shape.metadata.get("pattern", "(?s).*")
    if pattern in {"(?s).*", "(?s).+"}:
        return st.text(TEXT, min_size=max(low, 1), max_size=min(high, 50))
    if r"\p{" in pattern:
        return st.text("aZ9 _.:/=+-@\u00e9\u4e2d", min_size=low, max_size=min(high, 50))
    return st.from_regex(wire._compiled(pattern), fullmatch=True).filter(lambda text: low <= len(text) <= high)


OPERATIONS = [wire.service_model("amplify").operation_model(n) for n in wire.service_model("amplify").operation_names]
slow = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@slow
@given(data=st.data())
def test_what_a_client_sends_is_what_is_read(operation: OperationModel, data: st.DataObject) -> None:
    params = data.draw(values(input_shape(operation)))
    read = []

    def server(got: Request) -> Response:
        found, seen = wire.match("amplify", got)
        wire.validate(found, seen)
        read.append((found.name, seen))
        return Response("{}", 200)

    call(client("amplify", server), operation.name, params)
    # A query string and a URI have no way to say an empty list or map; the strategies make none there.
    assert read == [(operation.name, params)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@slow
@given(data=st.data())
def test_what_is_answered_is_what_a_client_reads(operation: OperationModel, data: st.DataObject) -> None:
    result = data.draw(values(operation.output_shape)) if operation.output_shape else {}
    assert (
        call(client("amplify", lambda _: wire.respond(operation, result)), operation.name, INPUT[operation.name])
        == result
    )


def input_shape(operation: OperationModel) -> StructureShape:
    assert operation.input_shape is not None
    return operation.input_shape


# The least that lets the client build its URI.
INPUT = {
    operation.name: {
        name: "d1"
        for name, member in input_shape(operation).members.items()
        if member.serialization.get("location") == "uri"
    }
    for operation in OPERATIONS
}


@pytest.mark.parametrize(
    ("service", "operation", "params", "result"),
    [
        (
            "lambda",
            "Invoke",
            {"FunctionName": "start", "InvocationType": "Event", "Payload": b'{"a": 1}'},
            {"StatusCode": 202, "FunctionError": "Unhandled", "Payload": b"x\xff"},
        ),
        (
            "lambda",
            "GetFunction",
            {"FunctionName": "arn:aws:lambda:eu-central-1:111122223333:function:f"},
            {"Tags": {"a": "b"}},
        ),
        ("lambda", "ListFunctions", {"MaxItems": 5}, {"Functions": [{"FunctionName": "f", "Timeout": 3}]}),
        (
            "scheduler",
            "CreateSchedule",
            {
                "Name": "nightly",
                "ScheduleExpression": "rate(1 day)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": "arn:aws:lambda:eu-central-1:111122223333:function:f",
                    "RoleArn": "arn:aws:iam::111122223333:role/r",
                },
                "StartDate": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
                "ClientToken": "token",
            },
            {"ScheduleArn": "arn:aws:scheduler:eu-central-1:111122223333:schedule/default/nightly"},
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}", "Time": datetime(2026, 1, 2, tzinfo=UTC)}]},
            {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]},
        ),
        (
            "amplifyuibuilder",
            "GetCodegenJob",
            {"appId": "d1", "environmentName": "dev", "id": "j"},
            {"job": {"id": "j", "createdAt": datetime(2026, 1, 2, tzinfo=UTC), "status": "succeeded"}},
        ),
        (
            "amplifybackend",
            "GetBackendJob",
            {"AppId": "d1", "BackendEnvironmentName": "dev", "JobId": "j"},
            {"JobId": "j", "Status": "COMPLETED"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_other_services_round_trip(service: str, operation: str, params: Any, result: Any) -> None:
    read = []

    def server(got: Request) -> Response:
        found, seen = wire.match(service, got)
        wire.validate(found, seen)
        read.append((found.name, seen))
        return wire.respond(found, result)

    answer = call(client(service, server), operation, params)
    if "Payload" in answer:
        answer["Payload"] = answer["Payload"].read()
    assert read == [(operation, params)]
    assert answer == result


@pytest.mark.parametrize(
    ("service", "method", "path", "headers", "body", "expected"),
    [
        ("amplify", "GET", "/apps", {}, "", "ListApps"),
        ("amplify", "GET", "/apps/", {}, "", "ListApps"),
        ("amplify", "POST", "/apps/d1/branches/feature%2Fx/jobs", {}, "", "StartJob"),
        ("amplify", "POST", "/apps/d1/branches/feature/x/jobs", {}, "", None),
        ("amplify", "POST", "/apps/d1/branches/b/deployments/start", {}, "", "StartDeployment"),
        ("amplify", "DELETE", "/apps/d1/branches/b/jobs/4/stop", {}, "", "StopJob"),
        ("amplify", "PATCH", "/apps/d1", {}, "", None),
        ("lambda", "GET", "/2015-03-31/functions/", {}, "", "ListFunctions"),
        ("lambda", "GET", "/2015-03-31/functions/f", {}, "", "GetFunction"),
        ("states", "POST", "/", {"X-Amz-Target": "AWSStepFunctions.StartExecution"}, "{}", "StartExecution"),
        ("dynamodb", "POST", "/", {"X-Amz-Target": "DynamoDB_20120810.PutItem"}, "{}", "PutItem"),
        ("events", "POST", "/", {"X-Amz-Target": "AWSEvents.NoSuch"}, "{}", None),
        ("events", "POST", "/", {}, "{}", None),
        (
            "sns",
            "POST",
            "/",
            {"Content-Type": "application/x-www-form-urlencoded"},
            "Action=Publish&Message=hello",
            "Publish",
        ),
        ("s3", "GET", "/", {}, "", "ListBuckets"),
        ("s3", "PUT", "/bucket/a/key", {}, "x", "PutObject"),
        ("s3", "PUT", "/bucket/a/key", {"x-amz-copy-source": "b/k"}, "", "CopyObject"),
        ("s3", "PUT", "/bucket/a/key?partNumber=1&uploadId=u", {}, "x", "UploadPart"),
        ("s3", "GET", "/bucket?list-type=2", {}, "", "ListObjectsV2"),
        ("s3", "GET", "/bucket/", {}, "", "ListObjects"),
        ("s3", "GET", "/bucket/folder/", {}, "", "GetObject"),
    ],
)
def test_the_operation_is_told_in_any_protocol(  # noqa: PLR0917
    service: str, method: str, path: str, headers: dict[str, str], body: str, expected: str | None
) -> None:
    got = received(method, path, body, headers)
    assert wire.operation_name(service, got) == expected
    assert got.get_data() == body.encode(), "whoever answers the request still finds its body"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (1600000000, datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)),
        (1600000000.25, datetime(2020, 9, 13, 12, 26, 40, 250000, tzinfo=UTC)),
        ("2020-09-13T12:26:40Z", datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)),
        ("2020-09-13T14:26:40+02:00", datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)),
        ("yesterday", "yesterday"),
        (True, True),
        (1e300, 1e300),
    ],
)
def test_times_are_read_as_numbers_and_as_text(sent: Any, read: Any) -> None:
    body = json.dumps({"jobType": "RELEASE", "commitTime": sent})
    _, params = wire.match("amplify", received("POST", "/apps/d1/branches/main/jobs", body))
    assert params["commitTime"] == read
    assert type(params["commitTime"]) is type(read)


def start_job(**changes: Any) -> dict[str, Any]:
    return {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"} | changes


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            start_job(appId="a1"),
            "1 validation error detected: Value 'a1' at 'appId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: d[a-z0-9]+",
        ),
        (
            start_job(appId="d1\n"),
            "1 validation error detected: Value 'd1\n' at 'appId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: d[a-z0-9]+",
        ),
        (
            start_job(branchName=""),
            "2 validation errors detected: Value '' at 'branchName' failed to satisfy constraint: Member must have "
            "length greater than or equal to 1; Value '' at 'branchName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: (?s).+",
        ),
        (
            start_job(jobType="BUILD"),
            "1 validation error detected: Value 'BUILD' at 'jobType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [RELEASE, RETRY, MANUAL, WEB_HOOK]",
        ),
        (
            {"appId": "d1", "branchName": "main"},
            "1 validation error detected: Value null at 'jobType' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            start_job(jobReason="r" * 256),
            f"1 validation error detected: Value '{'r' * 256}' at 'jobReason' failed to satisfy constraint: "
            "Member must have length less than or equal to 255",
        ),
        (
            start_job(commitTime="yesterday"),
            "1 validation error detected: Value 'yesterday' at 'commitTime' failed to satisfy constraint: "
            "Member must be of type timestamp",
        ),
    ],
)
def test_every_constraint_is_checked_and_named(params: dict[str, Any], message: str) -> None:
    operation = wire.service_model("amplify").operation_model("StartJob")
    with pytest.raises(wire.ServiceError) as caught:
        wire.validate(operation, params)
    assert (caught.value.code, caught.value.status, caught.value.message) == ("BadRequestException", 400, message)


@pytest.mark.parametrize(
    ("operation", "params", "part"),
    [
        ("ListJobs", {"appId": "d1", "branchName": "b", "maxResults": 51}, "value less than or equal to 50"),
        ("ListJobs", {"appId": "d1", "branchName": "b", "maxResults": -1}, "value greater than or equal to 0"),
        ("ListJobs", {"appId": "d1", "branchName": "b", "maxResults": "ten"}, "be of type integer"),
        ("CreateApp", {"name": "web", "environmentVariables": {"A": 1}}, "'environmentVariables.A.member'"),
        ("CreateApp", {"name": "web", "customRules": [{"source": "/"}]}, "null at 'customRules.1.member.target'"),
        ("CreateApp", {"name": "web", "tags": {"aws:x": "y"}}, "'tags.key'"),
        ("CreateApp", {"name": "web", "tags": {"x": "a!"}}, "'tags.x.member'"),
        ("CreateApp", {"name": "web", "enableBasicAuth": 1}, "be of type boolean"),
    ],
)
def test_faults_name_their_place(operation: str, params: dict[str, Any], part: str) -> None:
    with pytest.raises(wire.ServiceError) as caught:
        wire.validate(wire.service_model("amplify").operation_model(operation), params)
    assert part in caught.value.message


def test_letters_of_every_script_satisfy_a_unicode_category() -> None:
    wire.validate(
        wire.service_model("amplify").operation_model("CreateApp"), {"name": "w", "tags": {"x": "Größe 10 中文"}}
    )


def test_a_secret_is_not_repeated() -> None:
    with pytest.raises(wire.ServiceError) as caught:
        wire.validate(
            wire.service_model("amplify").operation_model("CreateApp"), {"name": "w", "accessToken": "hush" * 2000}
        )
    assert "hush" not in caught.value.message
    assert "'accessToken'" in caught.value.message


@pytest.mark.parametrize("body", ["{", "[1]", '"text"', "NaN", '{"a": NaN}', "\xff", "[" * 100_000, b"\xff\xfe\x00"])
def test_a_body_that_is_no_json_object_is_refused(body: str | bytes) -> None:
    with pytest.raises(wire.ServiceError) as caught:
        wire.match("amplify", received("POST", "/apps/d1/branches/b/jobs", body))
    assert caught.value.status == 400


@settings(deadline=None)
@given(
    path=st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=60).map(lambda text: f"/apps/{text}"),
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    body=st.binary(max_size=40)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps),
)
def test_whatever_arrives_only_a_service_error_leaves(path: str, method: str, body: bytes | str) -> None:
    with suppress(wire.ServiceError):
        operation, params = wire.match("amplify", received(method, path, body))
        wire.validate(operation, params)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(document=st.dictionaries(st.sampled_from(["jobType", "jobId", "commitId", "commitTime", "jobReason"]), JSON))
def test_a_member_of_any_type_is_named_not_stumbled_over(document: dict[str, Any]) -> None:
    operation, params = wire.match("amplify", received("POST", "/apps/d1/branches/b/jobs", json.dumps(document)))
    with suppress(wire.ServiceError):
        wire.validate(operation, params)


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("GetApp", {"app": {"appId": "d1", "colour": "red"}}),
        ("GetApp", {"app": {"appId": 1}}),
        ("GetApp", {"app": {"appId": "x1"}}),
        ("GetApp", {"app": {"createTime": "2026-01-01"}}),
        ("GetApp", {"apps": []}),
        ("TagResource", {"anything": "x"}),
    ],
)
def test_an_answer_that_does_not_fit_is_our_own_fault(operation: str, result: dict[str, Any]) -> None:
    with pytest.raises(wire.MalformedAnswerError):
        wire.respond(wire.service_model("amplify").operation_model(operation), result)


def test_times_are_answered_with_milliseconds_whatever_their_zone() -> None:
    moment = datetime(2020, 9, 13, 14, 26, 40, 123999, tzinfo=timezone(timedelta(hours=2)))
    answer = wire.respond(
        wire.service_model("amplify").operation_model("GetApp"), {"app": {"appId": "d1", "createTime": moment}}
    )
    assert json.loads(answer.get_data())["app"]["createTime"] == 1600000000.123


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
    made = client(service, lambda _: wire.error(service, code, message, status))
    with pytest.raises(ClientError) as caught:
        call(made, operation, params)
    error = caught.value.response["Error"]
    shown = message.replace("\x07", "\N{REPLACEMENT CHARACTER}") if service in {"s3", "sns", "sts"} else message
    assert (error["Code"], error["Message"]) == (code, shown)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    typed = [shape.name for shape in wire.service_model(service).error_shapes]
    if code in typed:
        assert type(caught.value).__name__ == code


@pytest.mark.parametrize("service", ["dynamodb", "glue", "sns", "ec2", "route53", "cloudwatchomni"])
def test_what_is_not_implemented_is_said_in_every_protocol(service: str) -> None:
    refusal = wire.not_implemented(service, "Thing", "grün")
    response = wire.error(service, refusal.code, refusal.message, refusal.status)
    parser = create_parser(wire.protocol(service))
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
    response = wire.unknown_service("elasticthing", received("POST", "/", body, headers))
    answer = {"status_code": 501, "headers": HTTPHeaders.from_dict(dict(response.headers)), "body": response.get_data()}
    error = create_parser(protocol).parse(answer, None)["Error"]  # type: ignore[arg-type]
    assert error["Code"] == "NotImplementedException"
    assert error["Message"] == "the service elasticthing is not implemented by the local cloud"


def test_an_error_always_carries_a_request_id() -> None:
    for service in ("amplify", "events", "s3", "sns"):
        assert wire.error(service, "X", "y").headers["x-amzn-RequestId"]
