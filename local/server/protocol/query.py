"""AWS's query protocol, seen from the server's side: parameters from a form, answers as XML.

Reads parameters that are no lists or structures, which are all that the services behind it have.
Protocol: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import xml_text


def read_parameters(shape: StructureShape, request: Request) -> dict[str, str]:
    """The parameters of a request, under the names of the operation's input shape."""
    names = {member: inner.serialization.get("name", member) for member, inner in shape.members.items()}
    return {member: request.values[key] for member, key in names.items() if key in request.values}


def respond(operation: OperationModel, result: Mapping[str, Any]) -> Response:
    """Write an answer that fits the operation's output shape."""
    request_id = str(uuid4())
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    shape = operation.output_shape
    content = "".join(_members(shape, result)) if shape is not None else ""
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    wrapped = f"<{wrapper}>{content}</{wrapper}>" if wrapper else content
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{operation.name}Response xmlns={quoteattr(namespace)}>{wrapped}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation.name}Response>"
    )
    return Response(body, 200, {"x-amzn-RequestId": request_id}, content_type="text/xml")


def _members(shape: StructureShape, value: Mapping[str, Any]) -> Iterator[str]:
    for name, item in value.items():
        if item is not None:
            member = shape.members[name]
            yield from _element(member, member.serialization.get("name", name), item)


def _element(shape: Shape, name: str, value: Any) -> Iterator[str]:
    flattened = shape.serialization.get("flattened", False)
    if isinstance(shape, ListShape):
        item_name = name if flattened else shape.member.serialization.get("name", "member")
        items = "".join(part for item in value for part in _element(shape.member, item_name, item))
        yield items if flattened else f"<{name}>{items}</{name}>"
        return
    if isinstance(shape, MapShape):
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        entries = [
            "".join((*_element(shape.key, key_name, key), *_element(shape.value, value_name, item)))
            for key, item in value.items()
        ]
        entry_name = name if flattened else "entry"
        text = "".join(f"<{entry_name}>{entry}</{entry_name}>" for entry in entries)
        yield text if flattened else f"<{name}>{text}</{name}>"
        return
    content = "".join(_members(shape, value)) if isinstance(shape, StructureShape) else xml_text(_text(value))
    yield f"<{escape(name)}>{content}</{escape(name)}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
