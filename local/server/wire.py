"""AWS's wire protocols, seen from the server's side and driven by botocore's own service models.

Complete for rest-json (amplify, amplifyuibuilder, amplifybackend, lambda, scheduler) and json (events). For every other
protocol it names the operation of a request and writes errors, which is all that ordering faults needs.
Protocols: https://smithy.io/2.0/aws/protocols/index.html.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Any
from urllib.parse import unquote
from uuid import uuid4
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.utils import parse_timestamp
from werkzeug.datastructures import Headers
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

# Where the name in a request's signature is not the name of botocore's model.
MODEL_NAMES = {"states": "stepfunctions", "monitoring": "cloudwatch", "email": "ses"}

# How services name a parameter that fails its constraints; the first that the operation declares is used.
VALIDATION_ERRORS = ("BadRequestException", "InvalidParameterException", "ValidationException")


class ServiceError(Exception):
    """An error that the client is to see as the service's own: its code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def not_implemented(service: str, operation: str | None = None, why: str = "") -> ServiceError:
    """The error for a service or an operation that the local cloud does not have; 501 is what clients do not retry."""
    name = f"{service} {operation}" if operation else f"the service {service}"
    reason = f" ({why})" if why else ""
    return ServiceError("NotImplementedException", f"{name} is not implemented by the local cloud{reason}", 501)


class MalformedAnswerError(Exception):
    """Our own answer does not fit the operation's output shape: a fault of the local cloud, not of the client."""


@cache
def service_model(service: str) -> ServiceModel:
    """The botocore model of a service, by its signing name or botocore's own; raises UnknownServiceError."""
    name = MODEL_NAMES.get(service, service)
    description = Loader(include_default_search_paths=True).load_service_model(name, "service-2")
    return ServiceModel(description, service_name=name)


def protocol(service: str) -> str:
    """The protocol that botocore's clients speak with a service."""
    return str(service_model(service).resolved_protocol)


# --- Which operation -------------------------------------------------------------------------------------------------


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
    found = [(score, route) for route in _routes(service) if (score := route.matches(request, path)) is not None]
    return max(found, key=lambda item: item[0])[1] if found else None


def operation_name(service: str, request: Request) -> str | None:
    """The operation that a request calls, in any protocol; None if it can't be told."""
    match protocol(service):
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


# --- Requests --------------------------------------------------------------------------------------------------------


def match(service: str, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """Read a rest-json or json request: its operation and its parameters, under the names that the client used.

    Timestamps become aware datetimes and blobs bytes. A value that can't be its member's type stays as it came, for
    `validate` to name. Raises ServiceError for an unknown operation and for a body that is no JSON object.
    """
    name = operation_name(service, request)
    if name is None:
        message = f"{service} has no operation {request.method} {request.path}"
        raise ServiceError("UnknownOperationException", message, 404)
    operation = service_model(service).operation_model(name)
    shape = operation.input_shape
    if shape is None:
        return operation, {}
    if protocol(service) == "json":
        return operation, _from_json(shape, _json_object(request.get_data()))
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
    found = ((name, member, document.get(member.serialization.get("name", name))) for name, member in members.items())
    return {name: _from_json(member, value) for name, member, value in found if value is not None}


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


# --- Constraints -----------------------------------------------------------------------------------------------------


def validate(operation: OperationModel, params: Mapping[str, Any]) -> None:
    """Hold parameters against the model's constraints: required, type, length, range, pattern and enum.

    Raises one ServiceError that names every fault in AWS's wording; values of sensitive members are not repeated.
    """
    if operation.input_shape is None:
        return
    found = list(_faults(operation.input_shape, params, "", strict=False))
    if not found:
        return
    declared = {shape.name for shape in operation.error_shapes}
    # The query protocol's common errors have a name of their own for it.
    common = "ValidationError" if operation.service_model.resolved_protocol == "query" else "ValidationException"
    code = next((name for name in VALIDATION_ERRORS if name in declared), common)
    noun = "error" if len(found) == 1 else "errors"
    raise ServiceError(code, f"{len(found)} validation {noun} detected: {'; '.join(found)}", 400)


TYPES: dict[str, tuple[type, ...]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes, bytearray),
}


def _faults(shape: Shape, value: Any, path: str, *, strict: bool) -> Iterator[str]:
    """Every way in which a value breaks its shape. `strict` is for our answers: no unknown members, nothing required.

    Real answers leave out members that the model calls required, so ours may too.
    """
    if value is None:
        yield f"Value null at '{path}' failed to satisfy constraint: Member must not be null"
        return
    shown = "Value" if shape.metadata.get("sensitive") else f"Value '{value}'"
    broken = f"{shown} at '{path}' failed to satisfy constraint: Member must"
    if getattr(shape, "is_document_type", False):
        return
    if not _is_of_type(value, shape.type_name):
        yield f"{broken} be of type {shape.type_name}"
        return
    if isinstance(shape, StructureShape):
        yield from _structure_faults(shape, value, path, strict=strict)
    elif isinstance(shape, MapShape):
        yield from _length_faults(shape, len(value), broken)
        for key, item in value.items():
            yield from _faults(shape.key, key, f"{path}.key", strict=strict)
            yield from _faults(shape.value, item, f"{path}.{key}.member", strict=strict)
    elif isinstance(shape, ListShape):
        yield from _length_faults(shape, len(value), broken)
        for number, item in enumerate(value, start=1):
            yield from _faults(shape.member, item, f"{path}.{number}.member", strict=strict)
    else:
        yield from _scalar_faults(shape, value, broken)


def _is_of_type(value: Any, type_name: str) -> bool:
    return isinstance(value, TYPES[type_name]) and (type_name == "boolean" or not isinstance(value, bool))


def _structure_faults(shape: StructureShape, value: Mapping[str, Any], path: str, *, strict: bool) -> Iterator[str]:
    dot = f"{path}." if path else ""
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _faults(member, value[name], dot + name, strict=strict)
        elif name in shape.required_members and not strict:
            yield f"Value null at '{dot}{name}' failed to satisfy constraint: Member must not be null"
    if strict:
        yield from (f"'{dot}{name}' is no member of {shape.name}" for name in value if name not in shape.members)


def _scalar_faults(shape: Shape, value: Any, broken: str) -> Iterator[str]:
    if shape.type_name in {"string", "blob"}:
        yield from _length_faults(shape, len(value), broken)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        if "max" in shape.metadata and value > shape.metadata["max"]:
            yield f"{broken} have value less than or equal to {shape.metadata['max']}"
        if "min" in shape.metadata and value < shape.metadata["min"]:
            yield f"{broken} have value greater than or equal to {shape.metadata['min']}"
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield f"{broken} satisfy enum value set: [{', '.join(enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not _compiled(pattern).fullmatch(value):
        yield f"{broken} satisfy regular expression pattern: {pattern}"


def _length_faults(shape: Shape, length: int, broken: str) -> Iterator[str]:
    if "max" in shape.metadata and length > shape.metadata["max"]:
        yield f"{broken} have length less than or equal to {shape.metadata['max']}"
    if "min" in shape.metadata and length < shape.metadata["min"]:
        yield f"{broken} have length greater than or equal to {shape.metadata['min']}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    r"""A model's pattern, which is Java's, for Python's re: \p{L} becomes the characters of that category."""
    return re.compile(re.sub(r"\\p\{(\w)\}", lambda found: _categories()[found[1]], pattern))


@cache
def _categories() -> dict[str, str]:
    """The characters of each Unicode major category, as ranges for the inside of a character class."""
    categories: dict[str, list[str]] = {}
    for letter, points in groupby(range(sys.maxunicode + 1), key=lambda point: unicodedata.category(chr(point))[0]):
        first, *rest = points
        categories.setdefault(letter, []).append(f"\\U{first:08x}-\\U{(rest or [first])[-1]:08x}")
    return {letter: "".join(ranges) for letter, ranges in categories.items()}


# --- Answers ---------------------------------------------------------------------------------------------------------


def check_answer(operation: OperationModel, result: Mapping[str, Any]) -> None:
    """Raise MalformedAnswerError for an answer that does not fit the operation's output shape."""
    shape = operation.output_shape
    result = {name: value for name, value in result.items() if value is not None}
    if shape is None and result:
        raise MalformedAnswerError(f"{operation.name} answers nothing, not {sorted(result)}")
    if shape is not None and (found := list(_faults(shape, result, "", strict=True))):
        raise MalformedAnswerError(f"{operation.name}: {'; '.join(found)}")


def respond(operation: OperationModel, result: Mapping[str, Any]) -> Response:
    """Write a rest-json or json answer; raises MalformedAnswerError if the result does not fit the output shape."""
    check_answer(operation, result)
    shape = operation.output_shape
    members: Mapping[str, Shape] = shape.members if shape else {}
    result = {name: value for name, value in result.items() if value is not None}
    model = operation.service_model
    status: int = operation.http.get("responseCode", 200)
    headers = Headers([("x-amzn-RequestId", str(uuid4()))])
    document: dict[str, Any] = {}
    for name, value in result.items():
        member = members[name]
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "statusCode":
                status = value
            case "header":
                headers[wire_name] = _to_text(member, value)
            case "headers":
                headers.extend((wire_name + key, item) for key, item in value.items())
            case _:
                document[wire_name] = _to_json(member, value)
    payload = shape.serialization.get("payload") if shape else None
    if payload is not None and members[payload].type_name in {"blob", "string"}:
        return Response(result.get(payload, b""), status, headers, content_type="application/octet-stream")
    if payload is not None:
        document = document.get(members[payload].serialization.get("name", payload), {})
    if status == 204:
        return Response(b"", status, headers)
    is_json = model.resolved_protocol == "json"
    content_type = f"application/x-amz-json-{model.metadata['jsonVersion']}" if is_json else "application/json"
    return Response(json.dumps(document), status, headers, content_type=content_type)


def _to_json(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        items = ((shape.members[name], name, item) for name, item in value.items() if item is not None)
        return {member.serialization.get("name", name): _to_json(member, item) for member, name, item in items}
    if isinstance(shape, ListShape):
        return [_to_json(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _to_json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        if shape.serialization.get("timestampFormat", "").lower() == "iso8601":
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        # AWS's own answers carry milliseconds.
        return math.floor(value.timestamp() * 1000) / 1000
    return base64.b64encode(value).decode("ascii") if shape.type_name == "blob" else value


def _to_text(shape: Shape, value: Any) -> str:
    match shape.type_name:
        case "timestamp":
            return http_date(value)
        case "boolean":
            return "true" if value else "false"
    return str(value)


def error(service: str, code: str, message: str, status: int = 400) -> Response:
    """Write an error in the service's protocol, so that its clients raise it as that service's exception."""
    request_id = str(uuid4())
    headers = Headers([("x-amzn-RequestId", request_id)])
    body: str | bytes
    match protocol(service):
        case "json":
            headers["x-amzn-errortype"] = code
            if "awsQueryCompatible" in service_model(service).metadata:
                headers["x-amzn-query-error"] = f"{code};{'Sender' if status < 500 else 'Receiver'}"
            content_type = f"application/x-amz-json-{service_model(service).metadata.get('jsonVersion', '1.1')}"
            body = json.dumps({"__type": code, "message": message})
        case "rest-json":
            headers["x-amzn-errortype"] = code
            content_type = "application/json"
            body = json.dumps(_error_document(service, code, message))
        case "rest-xml":
            headers["x-amz-request-id"] = request_id
            content_type = "application/xml"
            body = (
                '<?xml version="1.0" encoding="UTF-8"?>\n'
                f"<Error><Code>{escape(code)}</Code><Message>{xml_text(message)}</Message>"
                f"<RequestId>{request_id}</RequestId></Error>"
            )
        case "smithy-rpc-v2-cbor":
            headers["smithy-protocol"] = "rpc-v2-cbor"
            content_type = "application/cbor"
            body = b"\xa2" + b"".join(_cbor_text(text) for text in ("__type", code, "message", message))
        case _:
            content_type = "text/xml"
            fault = "Sender" if status < 500 else "Receiver"
            body = (
                f"<ErrorResponse><Error><Type>{fault}</Type><Code>{escape(code)}</Code>"
                f"<Message>{xml_text(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            )
    return Response(body, status, headers, content_type=content_type)


def _error_document(service: str, code: str, message: str) -> dict[str, str]:
    """The error's members as its shape spells them: most say message, some Message, one wants the code repeated."""
    shape = next((found for found in service_model(service).error_shapes if found.name == code), None)
    members = shape.members if isinstance(shape, StructureShape) else {}
    spelled = next((name for name in members if name.lower() == "message"), "message")
    return {spelled: message} | ({"code": code} if "code" in members else {})


def unknown_service(service: str, request: Request) -> Response:
    """Refuse a call of a service whose model is not known, in the protocol that the request itself shows."""
    refusal = not_implemented(service)
    stand_in = "sts" if "Action" in request.values and "X-Amz-Target" not in request.headers else "events"
    return error(stand_in, refusal.code, refusal.message, refusal.status)


def _cbor_text(text: str) -> bytes:
    """A text of less than 65,536 bytes in CBOR (RFC 8949, 3.1: major type 3, with a length of two bytes)."""
    content = text.encode()[:65_535]
    return b"\x79" + len(content).to_bytes(2, "big") + content


def xml_text(text: str) -> str:
    """Text for an XML element; XML 1.0 has no way to say control characters."""
    return escape(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\N{REPLACEMENT CHARACTER}", text))
