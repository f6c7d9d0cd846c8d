"""An API Gateway HTTP API: its routes, throttling, and Lambda integration with payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import ServiceError
from local.server.token_bucket import Throttle, TokenBucket
from local.services.functions.runtime import Outcome

MAX_BODY_BYTES = 10 * 1024 * 1024
TEXT_TYPES = re.compile(r"text/.+|application/(json|xml|javascript)")
"""Content types whose bodies reach functions as text. AWS has no list; this one was measured there by others: every
other type, forms and no type at all included, arrives as base64."""

SCOPE = re.compile(r"AWS4-HMAC-SHA256 .*Credential=[^/]*/\d{8}/([a-z0-9-]+)/execute-api/aws4_request")
ANY_METHOD = "x-amazon-apigateway-any-method"
HEALTH_PATH = "/health"


class Route:
    """One route: `key` as AWS writes it ("POST /webhooks/{source}" or "$default") and the function behind it.

    `is_signed` says that AWS's signature is asked for (AWS_IAM).
    """

    def __init__(
        self, key: str, function_arn: str, throttle: Throttle, now: Callable[[], float], *, is_signed: bool = False
    ) -> None:
        self.key = key
        self.function_arn = function_arn
        self.is_signed = is_signed
        self.bucket = TokenBucket(throttle, now)
        method, _, path = key.partition(" ")
        self.method = method
        segments = path.strip("/").split("/") if path else []
        self._is_default = key == "$default"
        self._pattern = re.compile("".join(_segment_pattern(segment) for segment in segments) + "/?", re.DOTALL)
        self._weights = [_segment_weight(segment) for segment in segments]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path parameters of a request that fits, else None; `path` is as it was sent."""
        if self._is_default:
            return {}
        match = self._pattern.fullmatch(path)
        if match is None or self.method not in {method, "ANY"}:
            return None
        return {name: unquote(value) for name, value in match.groupdict().items()}

    @property
    def rank(self) -> tuple[int, Sequence[int], int]:
        """What fits more exactly ranks higher: https://docs.aws.amazon.com/apigateway/…/http-api-develop-routes.html"""
        return (0 if self._is_default else 1, self._weights, 0 if self.method == "ANY" else 1)


def _segment_pattern(segment: str) -> str:
    if segment.startswith("{") and segment.endswith("+}"):
        return f"/(?P<{segment[1:-2]}>.+)"
    if segment.startswith("{") and segment.endswith("}"):
        return f"/(?P<{segment[1:-1]}>[^/]+)"
    return "/" + re.escape(segment) if segment else ""


def _segment_weight(segment: str) -> int:
    return 0 if segment.endswith("+}") else 1 if segment.startswith("{") else 2


class HttpApi:
    """One API at an address of this machine, and what it answers.

    It answers 200 at /health too, unless a route is there; calls without a signature never reach one that asks for it.
    """

    def __init__(
        self,
        *,
        account: str,
        url: str,
        invoke: Callable[[str, bytes], Outcome],
        may: Callable[[Request, str, str], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self._account = account
        self._invoke = invoke
        self._may = may
        self._now = now
        self._api_id = ""
        self._stage = "$default"
        self._routes: list[Route] = []
        self.ready = False

    def configure(self, api_id: str, body: Mapping[str, Any], stage: Mapping[str, Any]) -> None:
        """Take the routes of an OpenAPI document whose functions are resolved, and the stage's settings."""
        self._api_id = api_id
        self._stage = stage.get("StageName", "$default")
        defaults = stage.get("DefaultRouteSettings") or {}
        settings = stage.get("RouteSettings") or {}
        routes = []
        for path, methods in (body.get("paths") or {}).items():
            for method, operation in methods.items():
                key = _route_key(path, method)
                arn = _function_arn(key, operation)
                throttle = _throttle(defaults | settings.get(key, {}))
                routes.append(Route(key, arn, throttle, self._now, is_signed=_is_signed(key, operation)))
        self._routes = sorted(routes, key=lambda route: route.rank, reverse=True)

    @property
    def route_keys(self) -> list[str]:
        return [route.key for route in self._routes]

    def __call__(self, request: Request) -> Response:
        path = _raw_path(request)
        is_question = path == HEALTH_PATH and request.method in {"GET", "HEAD"}
        for route in self._routes:
            parameters = route.match(request.method, path)
            if parameters is not None:
                if is_question and route.is_signed and "Authorization" not in request.headers:
                    break
                return self._run(route, parameters, request)
        if is_question:
            return _json_response(200 if self.ready else 503, {"status": "ready" if self.ready else "starting"})
        return _json_response(404, {"message": "Not Found"})

    def _run(self, route: Route, parameters: dict[str, str], request: Request) -> Response:
        if not route.bucket.take():
            return _json_response(429, {"message": "Too Many Requests"})
        if route.is_signed and not self._may_call(route, request):
            return _json_response(403, {"message": "Forbidden"})
        event = self._event(route, parameters, request)
        try:
            outcome = self._invoke(route.function_arn, json.dumps(event).encode())
        except ServiceError as error:
            is_busy = error.status == 429
            message = "Service Unavailable" if is_busy else "Internal Server Error"
            response = _json_response(503 if is_busy else 500, {"message": message})
        else:
            response = _response(outcome)
        response.headers["apigw-requestid"] = event["requestContext"]["requestId"]
        return response

    def _may_call(self, route: Route, request: Request) -> bool:
        """Whether a call has AWS's signature for an API, and its sender's policies allow it.

        The signature itself is not checked, as at the AWS port.
        """
        scope = SCOPE.search(request.headers.get("Authorization", ""))
        region = route.function_arn.split(":")[3]
        if scope is None or scope[1] != region:
            return False
        path = _raw_path(request)
        arn = f"arn:aws:execute-api:{region}:{self._account}:{self._api_id}/{self._stage}/{request.method}{path}"
        return self._may(request, "execute-api:Invoke", arn)

    def _event(self, route: Route, parameters: dict[str, str], request: Request) -> dict[str, Any]:
        now = datetime.now(UTC)
        path = _raw_path(request)
        client = request.remote_addr or ""
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() != "cookie"}
        forwarded = headers.get("x-forwarded-for")
        headers |= {
            "x-forwarded-for": f"{forwarded}, {client}" if forwarded else client,
            "x-forwarded-port": request.environ["SERVER_PORT"],
            "x-forwarded-proto": "http",
            "x-amzn-trace-id": f"Root=1-{int(now.timestamp()):08x}-{uuid4().hex[:24]}",
        }
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": path,
            "rawQueryString": request.query_string.decode("latin-1"),
            "headers": headers,
            "requestContext": {
                "accountId": self._account,
                "apiId": self._api_id,
                "domainName": request.host,
                "domainPrefix": request.host.partition(".")[0].partition(":")[0],
                "http": {
                    "method": request.method,
                    "path": path,
                    "protocol": request.environ["SERVER_PROTOCOL"],
                    "sourceIp": client,
                    "userAgent": request.headers.get("User-Agent", ""),
                },
                "requestId": uuid4().hex[:16],
                "routeKey": route.key,
                "stage": self._stage,
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(now.timestamp() * 1000),
            },
        }
        if request.headers.get("Cookie"):
            event["cookies"] = [cookie.strip() for cookie in request.headers["Cookie"].split(";")]
        if query := _joined(parse_qsl(event["rawQueryString"], keep_blank_values=True)):
            event["queryStringParameters"] = query
        if parameters:
            event["pathParameters"] = parameters
        body = request.get_data()
        as_text = bool(TEXT_TYPES.fullmatch(headers.get("content-type", "").partition(";")[0].strip().lower()))
        try:
            text = body.decode("utf-8") if as_text else base64.b64encode(body).decode("ascii")
        except UnicodeDecodeError:
            # A text type whose bytes are none can only reach the function as bytes.
            text, as_text = base64.b64encode(body).decode("ascii"), False
        if body:
            event["body"] = text
        event["isBase64Encoded"] = bool(body) and not as_text
        return event


def _raw_path(request: Request) -> str:
    uri: str = request.environ["REQUEST_URI"]
    return uri.partition("?")[0] or "/"


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _route_key(path: str, method: str) -> str:
    if path in {"$default", "/$default"}:
        return "$default"
    return f"{'ANY' if method == ANY_METHOD else method.upper()} {path}"


def _function_arn(key: str, operation: Mapping[str, Any]) -> str:
    integration = operation.get("x-amazon-apigateway-integration") or {}
    match = re.search(r"functions/(arn:[^/]+)/invocations$", str(integration.get("uri", "")))
    version = str(integration.get("payloadFormatVersion", ""))
    if integration.get("type") != "aws_proxy" or match is None or version != "2.0":
        raise ValueError(f"route {key}: the local cloud runs Lambda proxy integrations with payload format 2.0 only")
    return match[1]


def _is_signed(key: str, operation: Mapping[str, Any]) -> bool:
    names = {name for each in operation.get("security") or [] for name in each}
    if names - {"AWS_IAM"}:
        raise ValueError(f"route {key}: the local cloud has no authorizer but AWS_IAM")
    return bool(names)


def _throttle(settings: Mapping[str, Any]) -> Throttle:
    burst, rate = settings.get("ThrottlingBurstLimit"), settings.get("ThrottlingRateLimit")
    return Throttle(None if burst is None else float(burst), None if rate is None else float(rate))


def _response(outcome: Outcome) -> Response:
    """What API Gateway makes of a function's result; a result without statusCode is a body with status 200."""
    failed = _json_response(500, {"message": "Internal Server Error"})
    if outcome.function_error:
        return failed
    try:
        result = json.loads(outcome.payload)
    except ValueError:
        return failed
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else json.dumps(result)
        return Response(body, 200, content_type="application/json")
    try:
        status = int(result["statusCode"])
        content = result.get("body", "")
        text = "" if content is None else content if isinstance(content, str) else json.dumps(content)
        data = base64.b64decode(text, validate=True) if result.get("isBase64Encoded") else text.encode()
        response = Response(data, status, content_type="text/plain;charset=UTF-8")
        for name, value in (result.get("headers") or {}).items():
            response.headers[name] = str(value)
        for cookie in result.get("cookies") or []:
            response.headers.add("Set-Cookie", cookie)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return failed
    return response


def _json_response(status: int, document: Mapping[str, Any]) -> Response:
    return Response(json.dumps(document, separators=(",", ":")), status, content_type="application/json")
