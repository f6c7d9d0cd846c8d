"""Requests reach functions, and answers clients, as API Gateway passes them on."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from local.cloud import LocalCloud
from local.services.functions.runtime import Outcome
from local.services.http_api import HttpApi


def integration(name: str = "f", **more: Any) -> dict[str, Any]:
    function = f"arn:aws:lambda:eu-west-1:1:function:{name}"
    uri = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{function}/invocations"
    proxy = {"type": "aws_proxy", "payloadFormatVersion": "2.0", "uri": uri}
    return {"x-amazon-apigateway-integration": proxy | more}


class Functions:
    """Answers every invocation with the same result and remembers what it was asked."""

    def __init__(self, result: Any = None, error: str | None = None) -> None:
        self.result = result
        self.error = error
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, arn: str, payload: bytes) -> Outcome:
        self.calls.append((arn.rpartition(":")[2], json.loads(payload)))
        return Outcome(json.dumps(self.result).encode(), self.error)


def api(functions: Functions, paths: Mapping[str, Any], clock: Any = None, **stage: Any) -> HttpApi:
    result = HttpApi(
        account="123456789012",
        url="http://127.0.0.1",
        invoke=functions,
        may=lambda request, action, resource: "Credential=FORBIDDEN/" not in request.headers["Authorization"],
        **({"now": clock} if clock else {}),
    )
    result.configure("api", {"paths": paths}, {"StageName": "$default", **stage})
    return result


def request(method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Request:
    path, _, query = target.partition("?")
    environ = EnvironBuilder(method=method, data=body, headers=list((headers or {}).items())).get_environ()
    environ |= {"REQUEST_URI": target, "QUERY_STRING": query, "PATH_INFO": path, "REMOTE_ADDR": "192.0.2.1"}
    return Request(environ)


SCOPE = "20261128/eu-west-1/execute-api/aws4_request"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 403),
        ("Bearer x", 403),
        (f"AWS4-HMAC-SHA256 Credential=KEY/{SCOPE}, SignedHeaders=host, Signature=0", 200),
        (f"AWS4-HMAC-SHA256 Credential=KEY/{SCOPE.replace('execute-api', 's3')}, SignedHeaders=host, Signature=0", 403),
        (f"AWS4-HMAC-SHA256 Credential=KEY/{SCOPE.replace('eu-west-1', 'eu-west-2')}, Signature=0", 403),
        (f"AWS4-HMAC-SHA256 Credential=FORBIDDEN/{SCOPE}, SignedHeaders=host, Signature=0", 403),
    ],
)
def test_a_route_may_ask_for_the_signature_of_aws(authorization: str | None, status: int) -> None:
    functions = Functions({"statusCode": 200})
    signed = api(functions, {"/requests": {"get": integration("api") | {"security": [{"AWS_IAM": []}]}}})
    answer = signed(request("GET", "/requests", headers={"Authorization": authorization} if authorization else None))
    assert (answer.status_code, len(functions.calls)) == (status, int(status == 200))


PATHS = {
    "/webhooks/{source}": {"post": integration("webhook")},
    "/webhooks/known": {"post": integration("known")},
    "/files/{name}/{rest+}": {"x-amazon-apigateway-any-method": integration("files")},
    "/files/{name}/{rest}": {"get": integration("file")},
}


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("POST", "/webhooks/github", "webhook", {"source": "github"}),
        ("POST", "/webhooks/a%2Fb%20c", "webhook", {"source": "a/b c"}),
        ("POST", "/webhooks/known", "known", None),
        ("POST", "/webhooks/known/", "known", None),
        ("GET", "/files/x/y", "file", {"name": "x", "rest": "y"}),
        ("PUT", "/files/x/y", "files", {"name": "x", "rest": "y"}),
        ("GET", "/files/x/y/z", "files", {"name": "x", "rest": "y/z"}),
    ],
)
def test_the_most_exact_route_is_taken(
    method: str, path: str, function: str, parameters: dict[str, str] | None
) -> None:
    functions = Functions()
    assert api(functions, PATHS)(request(method, path)).status_code == 200
    [(called, event)] = functions.calls
    assert called == function
    assert event.get("pathParameters") == parameters
    assert event["rawPath"] == path


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/webhooks/github"), ("POST", "/webhooks"), ("POST", "/"), ("GET", "/x")]
)
def test_what_has_no_route_is_not_found(method: str, path: str) -> None:
    functions = Functions()
    answer = api(functions, PATHS)(request(method, path))
    assert (answer.status_code, answer.get_json()) == (404, {"message": "Not Found"})
    assert functions.calls == []


def test_the_default_route_takes_the_rest() -> None:
    functions = Functions()
    gateway = api(functions, {**PATHS, "$default": {"x-amazon-apigateway-any-method": integration("rest")}})
    gateway(request("GET", "/anything"))
    gateway(request("POST", "/webhooks/known"))
    assert [name for name, _ in functions.calls] == ["rest", "known"]
    assert functions.calls[0][1]["routeKey"] == "$default"


@pytest.mark.parametrize(
    ("content_type", "is_base64"),
    [
        ("application/json", False),
        ("application/json; charset=utf-8", False),
        ("Application/JSON", False),
        ("text/plain", False),
        ("text/xml; charset=utf-8", False),
        ("application/xml", False),
        ("application/javascript", False),
        ("application/x-www-form-urlencoded", True),
        ("application/octet-stream", True),
        ("application/vnd.github+json", True),
        ("multipart/form-data; boundary=x", True),
        (None, True),
    ],
)
def test_only_text_types_arrive_as_text(content_type: str | None, is_base64: bool) -> None:
    functions = Functions()
    headers = {"Content-Type": content_type} if content_type else {}
    body = '{"a":"ü"}'.encode()
    api(functions, PATHS)(request("POST", "/webhooks/x", body, headers))
    event = functions.calls[0][1]
    assert event["isBase64Encoded"] is is_base64
    assert event["body"] == (base64.b64encode(body).decode() if is_base64 else body.decode())


@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/plain", "application/octet-stream", ""]))
def test_no_byte_of_a_body_is_lost(body: bytes, content_type: str) -> None:
    functions = Functions()
    api(functions, PATHS)(request("POST", "/webhooks/x", body, {"Content-Type": content_type}))
    event = functions.calls[0][1]
    text = event.get("body", "")
    assert (base64.b64decode(text) if event["isBase64Encoded"] else text.encode()) == body


def test_the_event_has_the_shape_of_format_2() -> None:
    functions = Functions()
    headers = {"X-Custom": "One", "User-Agent": "tests", "Cookie": "a=1; b=2", "Host": "example.test:3000"}
    api(functions, PATHS)(request("POST", "/webhooks/x?a=1&a=2&b=%20&c", headers=headers))
    event = functions.calls[0][1]
    assert event["headers"]["x-custom"] == "One"
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-forwarded-for"] == "192.0.2.1"
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["rawQueryString"] == "a=1&a=2&b=%20&c"
    assert event["queryStringParameters"] == {"a": "1,2", "b": " ", "c": ""}
    assert (event["version"], event["routeKey"]) == ("2.0", "POST /webhooks/{source}")
    assert "body" not in event
    context = event["requestContext"]
    assert context["http"] == {
        "method": "POST",
        "path": "/webhooks/x",
        "protocol": "HTTP/1.1",
        "sourceIp": "192.0.2.1",
        "userAgent": "tests",
    }
    assert {name: context[name] for name in ("accountId", "apiId", "domainName", "domainPrefix", "stage")} == {
        "accountId": "123456789012",
        "apiId": "api",
        "domainName": "example.test:3000",
        "domainPrefix": "example",
        "stage": "$default",
    }
    assert context["timeEpoch"] > 1_700_000_000_000


@pytest.mark.parametrize(
    ("result", "status", "body", "headers"),
    [
        ({"statusCode": 202, "body": "ok", "headers": {"X-A": "b"}}, 202, b"ok", {"X-A": "b"}),
        ({"statusCode": "404"}, 404, b"", {}),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, b"hi", {}),
        (
            {"statusCode": 200, "body": "x", "headers": {"Content-Type": "text/css"}},
            200,
            b"x",
            {"Content-Type": "text/css"},
        ),
        ({"statusCode": 200, "cookies": ["a=1; Secure"]}, 200, b"", {"Set-Cookie": "a=1; Secure"}),
        ({"any": 1}, 200, b'{"any": 1}', {"Content-Type": "application/json"}),
        ("text", 200, b"text", {"Content-Type": "application/json"}),
        (None, 200, b"null", {}),
        ({"statusCode": "many"}, 500, b'{"message":"Internal Server Error"}', {}),
        (
            {"statusCode": 200, "body": "no base64", "isBase64Encoded": True},
            500,
            b'{"message":"Internal Server Error"}',
            {},
        ),
        ({"statusCode": 200, "headers": ["x"]}, 500, b'{"message":"Internal Server Error"}', {}),
    ],
)
def test_the_result_becomes_the_answer(result: Any, status: int, body: bytes, headers: dict[str, str]) -> None:
    answer = api(Functions(result), PATHS)(request("POST", "/webhooks/x"))
    assert (answer.status_code, answer.get_data()) == (status, body)
    assert {name: answer.headers.get(name) for name in headers} == headers
    assert answer.headers["apigw-requestid"]


def test_a_function_s_error_does_not_reach_the_client() -> None:
    answer = api(Functions({"errorMessage": "secret"}, error="Unhandled"), PATHS)(request("POST", "/webhooks/x"))
    assert (answer.status_code, answer.get_json()) == (500, {"message": "Internal Server Error"})


def test_a_route_is_throttled_by_its_own_bucket() -> None:
    time = 0.0
    settings = {"POST /webhooks/{source}": {"ThrottlingBurstLimit": 3, "ThrottlingRateLimit": 2}}
    gateway = api(
        Functions(), PATHS, lambda: time, DefaultRouteSettings={"ThrottlingBurstLimit": 1}, RouteSettings=settings
    )

    def statuses(target: str, count: int) -> list[int]:
        return [gateway(request("POST", target)).status_code for _ in range(count)]

    assert statuses("/webhooks/x", 5) == [200, 200, 200, 429, 429]
    assert statuses("/webhooks/known", 2) == [200, 429]
    time = 1.0
    assert statuses("/webhooks/x", 3) == [200, 200, 429]
    time = 100.0
    assert statuses("/webhooks/x", 4) == [200, 200, 200, 429]


@pytest.mark.parametrize(
    "operation",
    [
        integration(type="http_proxy"),
        integration(payloadFormatVersion="1.0"),
        integration(uri="https://example.test/"),
        integration() | {"security": [{"OAuth": []}]},
    ],
)
def test_what_is_not_served_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="route GET /x"):
        api(Functions(), {"/x": {"get": operation}})


# --- On the local cloud ----------------------------------------------------------------------------------------------


def send(cloud: LocalCloud, method: str, path: str, body: Any = None, headers: Any = ()) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", int(cloud.api_url.rpartition(":")[2]))
    try:
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def test_a_request_reaches_a_function_and_back(cloud: LocalCloud) -> None:
    headers = [("Content-Type", "text/plain"), ("X-Twice", "one"), ("x-twice", "two")]
    status, event = send(cloud, "POST", "/named/a%20b?q=1", b"hello", headers)
    assert status == 200
    assert (event["body"], event["pathParameters"]) == ("hello", {"name": "a b"})
    assert event["headers"]["x-twice"] == "one,two"


def test_health_and_unknown_paths_are_answered(cloud: LocalCloud) -> None:
    assert send(cloud, "GET", "/health") == (200, {"status": "ready"})
    assert send(cloud, "GET", "/unknown") == (404, {"message": "Not Found"})


def test_a_body_that_is_too_large_is_refused(cloud: LocalCloud) -> None:
    assert send(cloud, "POST", "/named/x", b"x" * 10_485_761) == (413, {"message": "Request Entity Too Large"})


def test_the_template_s_throttling_holds(cloud: LocalCloud) -> None:
    assert [send(cloud, "GET", "/throttled")[0] for _ in range(3)] == [200, 200, 429]
