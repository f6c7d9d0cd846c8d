"""botocore's clients and requests of theirs without a socket, and values that satisfy a shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.server.protocol.validate import compiled_pattern

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
    result = _client(service)
    result.server = server
    return result.boto3


class _Raw:
    """The body, as urllib3 hands it to botocore."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self.body]

    def read(self, *_: Any, **__: Any) -> bytes:
        return self.body


def call(client: BaseClient, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = client._make_api_call(operation, params)  # type: ignore[attr-defined]
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
    return st.from_regex(compiled_pattern(pattern), fullmatch=True).filter(lambda text: low <= len(text) <= high)
