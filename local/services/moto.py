"""The services that moto answers, in this process and unpatched.

moto's own server needs Flask; what it does with Flask is to pick a service by the host that a call would have had on
AWS, and one of the service's handlers by the path. That is done here.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from moto import backends
from moto.backend_index import backend_url_patterns
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.request import Request as MotoRequest
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import ServiceError, not_implemented
from local.server.protocol.match import operation_name

ACCOUNT = DEFAULT_ACCOUNT_ID

LOCKED_SERVICES = ("dynamodb", "s3")
"""Services whose check-and-write moto does not make atomic; step_functions/service.py sees to Step Functions."""

FORM_TYPE = "application/x-www-form-urlencoded"

Handler = Callable[[Any, str, Any], Any]


class _ServerRequest(MotoRequest):
    """A request that came over the wire: moto then answers with URLs of the host that was asked."""

    from_wsgi_server = True


class MotoBackend:
    """moto as one AWS account; state is the process's, so that only one may be in use at a time.

    `region` is where calls go that name no Region.
    """

    def __init__(self, region: str) -> None:
        self.region = region
        self._locks = {service: threading.Lock() for service in LOCKED_SERVICES}

    def start(self, port: int) -> None:
        """Begin with nothing there; the tasks of state machines call the AWS endpoint on `port`."""
        os.environ["MOTO_PORT"] = str(port)
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        # It reports every error that a state machine meets, caught ones too; their histories have them all.
        logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
        self.reset()

    def reset(self) -> None:
        BackendDict.reset()
        reset_model_data()

    def handle(self, service: str, request: Request, region: str | None = None) -> Response:
        """Answer a call; `service` is its signing name.

        Raises ServiceError for a service or an operation that moto lacks, or whose needs are not installed.
        """
        try:
            with self._locks.get(service, contextlib.nullcontext()):
                return self._handle(service, region or self.region, request)
        except NotImplementedError as error:
            raise not_implemented(service, operation_name(service, request)) from error
        except ImportError as error:
            why = f"moto needs the package {error.name} for it"
            raise not_implemented(service, why=why) from error

    def _handle(self, service: str, region: str, request: Request) -> Response:
        environ = with_body(request, request.get_data()).environ
        if service == "s3" and request.method == "PUT" and request.mimetype == FORM_TYPE:
            # Clients that only open a presigned address send it by default; moto would take the object for a form.
            del environ["CONTENT_TYPE"]
        moto_request = _ServerRequest(environ)
        aws_url = f"https://{service}.{region}.amazonaws.com{moto_request.raw_path}"
        for pattern, handler in _handlers(service, region):
            if pattern.match(aws_url):
                return self._call(handler, moto_request)
        if operation := operation_name(service, request):
            raise not_implemented(service, operation)
        raise ServiceError("UnknownOperationException", f"{service} has nothing at {moto_request.raw_path}", 404)

    @staticmethod
    def _call(handler: Handler, request: MotoRequest) -> Response:
        try:
            result = handler(request, request.raw_url, dict(request.headers))
        except HTTPException as error:
            result = error.code, dict(error.get_headers()), error.get_body()
        except ClientError as error:
            result = 400, {}, error.response["Error"]["Message"]
        status, headers, body = result if len(result) == 3 else (200, {}, result)
        response = Response(body, status, headers)
        length = {name.lower(): value for name, value in headers.items()}.get("content-length")
        if request.method == "HEAD" and length is not None:
            response.headers["Content-Length"] = str(length)
        return response


def with_body(request: Request, body: bytes) -> Request:
    """The same request with another body, or with its own once that has been read."""
    environ = {name: value for name, value in request.environ.items() if not name.startswith("werkzeug.")}
    return Request(environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})


@cache
def _handlers(service: str, region: str) -> list[tuple[re.Pattern[str], Handler]]:
    """The handlers of a service with the URLs that they are for."""
    host = f"https://{service}.{region}.amazonaws.com"
    name = next((name for name, pattern in backend_url_patterns if pattern.match(host)), None)
    if name is None:
        raise not_implemented(service)
    accounts: Any = backends.get_backend(name)  # type: ignore[call-overload]
    regions = accounts[ACCOUNT]
    backend = regions["us-east-1" if "us-east-1" in regions else "aws"]
    return [(re.compile(url), handler) for url, handler in backend.urls.items()]
