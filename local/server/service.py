"""The shape of a service: what the endpoint calls, and how a service answers by a table of its operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import not_implemented
from local.server.protocol.match import read_request
from local.server.protocol.respond import respond
from local.server.protocol.validate import validate

Parameters = dict[str, Any]
Result = dict[str, Any]
Operation = Callable[[Parameters], Result]
"""Does what a call asks for, and gives its result; raises ServiceError."""

Operations = Mapping[str, Operation]
"""The operations that a service has, by the API's names."""


class Service(Protocol):
    """A service of AWS as the endpoint calls it."""

    def handle(self, service: str, request: Request) -> Response:
        """Answer a call; `service` is its signing name. Raises ServiceError."""


def answer(service: str, request: Request, operations: Operations) -> Response:
    """Answer a call by the operation that it names.

    Raises ServiceError for parameters that the service's model does not allow, and for an operation that is not among
    `operations`; MalformedAnswerError for a result that the model does not allow.
    """
    operation, parameters = read_request(service, request)
    run = operations.get(operation.name)
    if run is None:
        raise not_implemented(service, operation.name)
    validate(operation, parameters)
    return respond(operation, run(parameters))
