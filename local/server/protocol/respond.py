"""Writes answers: those of rest-json and json here, those of the query protocol in query.py."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from uuid import uuid4

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from werkzeug.datastructures import Headers
from werkzeug.http import http_date
from werkzeug.wrappers import Response

from local.server.protocol import query
from local.server.protocol.validate import check_answer


def respond(operation: OperationModel, result: Mapping[str, Any]) -> Response:
    """Write an operation's answer. Raises MalformedAnswerError if the result does not fit the output shape."""
    check_answer(operation, result)
    if operation.service_model.resolved_protocol == "query":
        return query.respond(operation, result)
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
