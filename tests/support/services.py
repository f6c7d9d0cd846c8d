"""A service of the local cloud without the endpoint around it."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import ServiceError, error_response
from local.server.service import Service


def call(target: Service, service: str, request: Request) -> Response:
    """Have a service answer a call, errors included."""
    try:
        return target.handle(service, request)
    except ServiceError as error:
        return error_response(service, error.code, error.message, error.status)
