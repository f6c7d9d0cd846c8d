"""Errors as services answer them, in every protocol that botocore's clients speak."""

from __future__ import annotations

import json
import re
from uuid import uuid4
from xml.sax.saxutils import escape

from botocore.model import StructureShape
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from local.server.protocol.models import protocol_of, service_model


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


def error_response(service: str, code: str, message: str, status: int = 400) -> Response:
    """Write an error in the service's protocol, so that its clients raise it as that service's exception."""
    request_id = str(uuid4())
    headers = Headers([("x-amzn-RequestId", request_id)])
    body: str | bytes
    match protocol_of(service):
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
    shape = next((candidate for candidate in service_model(service).error_shapes if candidate.name == code), None)
    members = shape.members if isinstance(shape, StructureShape) else {}
    spelled = next((name for name in members if name.lower() == "message"), "message")
    return {spelled: message} | ({"code": code} if "code" in members else {})


def unknown_service_response(service: str, request: Request) -> Response:
    """Refuse a call of a service whose model is not known, in the protocol that the request itself shows."""
    refusal = not_implemented(service)
    stand_in = "sts" if "Action" in request.values and "X-Amz-Target" not in request.headers else "events"
    return error_response(stand_in, refusal.code, refusal.message, refusal.status)


def _cbor_text(text: str) -> bytes:
    """A text of less than 65,536 bytes in CBOR (RFC 8949, 3.1: major type 3, with a length of two bytes)."""
    content = text.encode()[:65_535]
    return b"\x79" + len(content).to_bytes(2, "big") + content


def xml_text(text: str) -> str:
    """Text for an XML element; XML 1.0 has no way to say control characters."""
    return escape(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\N{REPLACEMENT CHARACTER}", text))
