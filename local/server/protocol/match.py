"""Reads requests: which operation one calls, and with which parameters.

The operation is told in any protocol. Parameters are read in rest-json (amplify, amplifyuibuilder, amplifybackend,
lambda, scheduler), json (events) and query (cloudformation, in query.py).
Protocols: https://smithy.io/2.0/aws/protocols/index.html.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.utils import parse_timestamp
from werkzeug.wrappers import Request

from local.server.protocol import query
from local.server.protocol.errors import ServiceError
from local.server.protocol.models import protocol_of, service_model


class _Route:
    """One operation's method and URI template, as something that a request can be held against."""

    def __init__(self, operation: OperationModel) -> None:
        template, _, query = operation.http["requestUri"].partition("?")
        self.operation_name = operation.name
        self.method = operation.http["method"]
        self.query = [item.partition("=")[::2] for item in query.split("&") if item]
        pattern = ""
        self.literals = 0
        for segment in template.strip("/").split("/"):
            label = re.fullmatch(r"\{(\w+)(\+?)\}", segment)
            if label:
                pattern += rf"/(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})"
            else:
                pattern += "/" + re.escape(segment) if segment else ""
                self.literals += 1
        self.pattern = re.compile(pattern + "/?", re.DOTALL)
        members = operation.input_shape.members if operation.input_shape else {}
        required = operation.input_shape.required_members if operation.input_shape else []
        self.required = [
            (members[name].serialization["location"], members[name].serialization.get("name", name))
            for name in required
            if members[name].serialization.get("location") in {"querystring", "header"}
        ]

    def matches(self, request: Request, path: str) -> tuple[int, int, int] | None:
        """How specifically this template fits, higher is more so; None if it does not."""
        if self.method != request.method or not self.pattern.fullmatch(path):
            return None
        if any(name not in request.args or (value and request.args[name] != value) for name, value in self.query):
            return None
        # CopyObject and UploadPart share PutObject's URI and differ only in what they require beside it.
        present = sum(
            name in (request.args if location == "querystring" else request.headers) for location, name in self.required
        )
        return (self.literals, len(self.query), present if present == len(self.required) else -1)


@cache
def _routes(service: str) -> list[_Route]:
    model = service_model(service)
    return [_Route(model.operation_model(name)) for name in model.operation_names]


def raw_path(request: Request) -> str:
    """The path as it was sent: a branch called feature/x arrives as feature%2Fx, and must not be two segments."""
    uri: str = request.environ["REQUEST_URI"]
    return uri.partition("?")[0]


def _route(service: str, request: Request) -> _Route | None:
    path = raw_path(request)
    candidates = [(score, route) for route in _routes(service) if (score := route.matches(request, path)) is not None]
    return max(candidates, key=lambda item: item[0])[1] if candidates else None


def operation_name(service: str, request: Request) -> str | None:
    """The operation that a request calls, in any protocol; None if it can't be told."""
    match protocol_of(service):
        case "json":
            name = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        case "query" | "ec2":
            # Read the body first, so that whoever answers the request finds it again.
            request.get_data()
            name = request.values.get("Action", "")
        case _:
            route = _route(service, request)
            name = route.operation_name if route else ""
    return name if name in service_model(service).operation_names else None


def read_request(service: str, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """Read a request: its operation and its parameters, under the names of the operation's input shape.

    Timestamps become aware datetimes and blobs bytes. A value that can't be its member's type stays as it came, for
    `validate` to name. Raises ServiceError for an unknown operation and for a body that is no JSON object.
    """
    name = operation_name(service, request)
    if name is None and protocol_of(service) == "query":
        raise ServiceError("InvalidAction", f"Could not find operation {request.values.get('Action', '')}")
    if name is None:
        message = f"{service} has no operation {request.method} {request.path}"
        raise ServiceError("UnknownOperationException", message, 404)
    operation = service_model(service).operation_model(name)
    shape = operation.input_shape
    if shape is None:
        return operation, {}
    match protocol_of(service):
        case "json":
            return operation, _from_json(shape, _json_object(request.get_data()))
        case "query":
            return operation, query.read_parameters(shape, request)
    return operation, _rest_parameters(service, request, shape)


def _rest_parameters(service: str, request: Request, shape: StructureShape) -> dict[str, Any]:
    route = _route(service, request)
    labels = route.pattern.fullmatch(raw_path(request)) if route else None
    params: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri" if labels is not None:
                params[name] = _from_text(member, unquote(labels[wire_name]))
            case "querystring":
                params[name] = _from_query(member, request, wire_name)
            case "header":
                params[name] = _from_header(member, request, wire_name)
            case "headers":
                params[name] = _from_headers(request, wire_name)
    params |= _body_parameters(shape, request.get_data())
    return {name: value for name, value in params.items() if value is not None}


def _body_parameters(shape: StructureShape, body: bytes) -> dict[str, Any]:
    """What the body holds: one member if the shape names a payload, otherwise all that lie nowhere else."""
    if not body:
        return {}
    payload = shape.serialization.get("payload")
    if payload is None:
        members = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
        return _members_from_json(members, _json_object(body)) if members else {}
    member = shape.members[payload]
    if member.type_name == "blob":
        return {payload: body}
    return {payload: _from_json(member, _json_object(body))}


def _json_object(body: bytes) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        document = json.loads(body or b"{}", parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"The request's body is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ServiceError("SerializationException", f"The request's body must be a JSON object, not {body[:40]!r}")
    return document


def _from_json(shape: Shape, value: Any) -> Any:
    """A JSON value as a parameter of this shape; what does not fit stays as it is."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return value if shape.is_document_type else _members_from_json(shape.members, value)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_from_json(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _from_json(shape.value, item) for key, item in value.items()}
    return _scalar_from_json(shape, value)


def _members_from_json(members: Mapping[str, Shape], document: Mapping[str, Any]) -> dict[str, Any]:
    """The members that a JSON object holds; null is the same as absent, and what the model does not know is ignored."""
    values = ((name, member, document.get(member.serialization.get("name", name))) for name, member in members.items())
    return {name: _from_json(member, value) for name, member, value in values if value is not None}


def _scalar_from_json(shape: Shape, value: Any) -> Any:
    if shape.type_name == "timestamp" and isinstance(value, int | float | str) and not isinstance(value, bool):
        return _timestamp(value)
    if shape.type_name == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return value
    return value


def _from_text(shape: Shape, text: str) -> Any:
    """A path, query or header value as a parameter of this shape; what does not fit stays text."""
    match shape.type_name:
        case "integer" | "long":
            return int(text) if re.fullmatch(r"[+-]?[0-9]{1,30}", text, re.ASCII) else text
        case "float" | "double":
            return float(text) if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text, re.ASCII) else text
        case "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        case "timestamp":
            return _timestamp(text)
    return text


def _from_query(shape: Shape, request: Request, name: str) -> Any:
    if isinstance(shape, ListShape):
        return [_from_text(shape.member, text) for text in request.args.getlist(name)] or None
    return _from_text(shape, request.args[name]) if name in request.args else None


def _from_header(shape: Shape, request: Request, name: str) -> Any:
    text = request.headers.get(name)
    if text is None:
        return None
    if isinstance(shape, ListShape):
        return [_from_text(shape.member, item.strip()) for item in text.split(",")]
    return _from_text(shape, text)


def _from_headers(request: Request, prefix: str) -> dict[str, str] | None:
    size = len(prefix)
    return {k[size:]: v for k, v in request.headers.items() if k.lower().startswith(prefix.lower())} or None


def _timestamp(value: float | str) -> datetime | float | str:
    try:
        # botocore's stubs know text only; the function itself takes numbers, as the parsers of its clients do.
        moment: datetime = parse_timestamp(value)  # type: ignore[arg-type]
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, OSError, RuntimeError):
        return value
