"""The one address that speaks AWS: finds out which service a call is for, and has it answered.

A call's service and Region are in its signature's scope; signatures themselves are not checked. The scope is in the
Authorization header, which a page of another origin can't set. Only for S3 is it taken from the query too: calls
without the header are for S3, whose presigned and public addresses are the only ones that clients open without it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, unquote
from uuid import uuid4

from botocore.exceptions import UnknownServiceError
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from local.permissions.authorization import Authorization
from local.server.callers import BUCKET_HOST, LOCALHOST, SITE_HOST, sent_by_page
from local.server.faults import Fault, Faults
from local.server.http_server import DropConnectionError, client_gone
from local.server.protocol.errors import ServiceError, error_response, unknown_service_response
from local.server.protocol.match import operation_name, raw_path, read_request
from local.server.protocol.models import protocol_of
from local.server.service import Service
from local.services.codecommit.git_http import GIT_PREFIX
from local.services.moto import MotoBackend

log = logging.getLogger(__name__)

SCOPE = re.compile(r"Credential=[^/]*/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


class Pages(Protocol):
    """Answers the addresses that AWS does not have; None where nothing is."""

    def answer(self, request: Request) -> Response | None: ...
    def answer_site(self, request: Request) -> Response | None: ...
    def takes_order(self, request: Request) -> bool: ...


class Endpoint:
    """The application behind the AWS port.

    `services` are those that the local cloud has of its own, by signing name; moto has the others. `pages` answer what
    is below /_local/, and the hosts of deployed sites.
    """

    def __init__(
        self,
        *,
        moto: MotoBackend,
        services: Mapping[str, Service],
        faults: Faults,
        authorization: Authorization,
        pages: Pages,
    ) -> None:
        self._moto = moto
        self._services = services
        self._faults = faults
        self._authorization = authorization
        self._pages = pages
        self._stopped = threading.Event()

    def close(self) -> None:
        """Let go of the calls that hang."""
        self._stopped.set()

    def __call__(self, request: Request) -> Response:
        is_site = SITE_HOST.fullmatch(request.host) is not None
        bucket = None if is_site else BUCKET_HOST.fullmatch(request.host)
        is_local = bucket is None and request.path.startswith("/_local/")
        pages = self._pages.answer_site if is_site else self._pages.answer if is_local else None
        if request.path == "/" and pages is None and bucket is None and _is_opened(request):
            return redirect("/_local/")
        may_write = is_local and not is_site and self._pages.takes_order(request)
        if sent_by_page(request) and (pages is None or not (may_write or request.method in {"GET", "HEAD"})):
            return _refused(
                "a web page sent the request, and pages may only read sites and what is below /_local/, and order what "
                "the console has buttons for: the code of a deployed site can have the same origin as AWS here; use a "
                "program instead"
            )
        if pages is not None:
            return pages(request) or Response(f"nothing is at {request.path}\n", 404, mimetype="text/plain")
        service, region = self._scope(request)
        if bucket is not None:
            if service != "s3":
                return _refused(f"{request.host} is a host of S3, but the call is for {service}; use {LOCALHOST}")
            request = _in_path_style(request, bucket[1])
        elif service == "s3" and raw_path(request).startswith(GIT_PREFIX):
            # git signs in a way of its own, which shows no scope; and no bucket has a name of two characters.
            service = "codecommit"
        response = self._answer(service, region, request)
        # Step Functions' interpreter dies of an error that carries none.
        response.headers.setdefault("x-amzn-RequestId", str(uuid4()))
        return response

    def _scope(self, request: Request) -> tuple[str, str]:
        scope = SCOPE.search(request.headers.get("Authorization", ""))
        if scope is None:
            presigned = SCOPE.search("Credential=" + request.args.get("X-Amz-Credential", ""))
            scope = presigned if presigned and presigned[2] == "s3" else None
        return (scope[2], scope[1]) if scope else ("s3", self._moto.region)

    def _answer(self, service: str, region: str, request: Request) -> Response:
        try:
            operation = operation_name(service, request)
        except UnknownServiceError:
            return unknown_service_response(service, request)
        try:
            return self._authorized(service, operation, region, request)
        except ServiceError as error:
            return error_response(service, error.code, error.message, error.status)
        except DropConnectionError:
            raise
        except Exception:
            log.exception("%s %s failed in the local cloud", service, operation)
            message = f"{service} {operation} failed in the local cloud itself; its output says more"
            return error_response(service, "InternalFailure", message, 500)

    def _authorized(self, service: str, operation: str | None, region: str, request: Request) -> Response:
        session = self._authorization.session(request)
        if session is not None and operation is not None:
            self._authorization.check(session, service, operation, parameters(service, request))
        fault = self._fault(service, operation, request)
        if fault is not None:
            return self._faulty(fault, service, region, request)
        response = self._call(service, region, request)
        if session is not None and response.status_code == 404 and operation in {"GetObject", "HeadObject"}:
            # S3 tells that there is no such object only to those that could list the bucket.
            self._authorization.check(session, service, "ListObjectsV2", {"Bucket": _object(request)[0]})
        return response

    def _call(self, service: str, region: str, request: Request) -> Response:
        own = self._services.get(service)
        return self._moto.handle(service, request, region) if own is None else own.handle(service, request)

    # --- Faults ------------------------------------------------------------------------------------------------------

    def _fault(self, service: str, operation: str | None, request: Request) -> Fault | None:
        if operation is None or not self._faults.has_any(service, operation):
            return None
        return self._faults.take(service, operation, parameters(service, request))

    def _faulty(self, fault: Fault, service: str, region: str, request: Request) -> Response:
        match fault.fault:
            case "throttle" | "quota" | "refuse":
                raise fault.error()
            case "nonsense":
                is_xml = protocol_of(service) in {"query", "rest-xml", "ec2"}
                body = "<Nonsense/>" if is_xml else '{"nonsense":[true]}'
                return Response(body, 200, content_type="text/xml" if is_xml else "application/json")
            case "hang":
                while not self._stopped.wait(0.05) and not client_gone(request):
                    continue
                raise DropConnectionError
            case "lose-answer":
                self._call(service, region, request)
                raise DropConnectionError
        response = self._call(service, region, request)
        self._stopped.wait(fault.seconds)
        return response


def _is_opened(request: Request) -> bool:
    """Whether a person opened the address in a browser, and no client of AWS asked for it."""
    return request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document"


def _refused(message: str) -> Response:
    return Response(json.dumps({"message": message}), 403, content_type="application/json")


def _in_path_style(request: Request, bucket: str) -> Request:
    """A request to a bucket's own host, as one to the host of all buckets."""
    environ = {name: value for name, value in request.environ.items() if not name.startswith("werkzeug.")}
    for name in ("REQUEST_URI", "RAW_URI", "PATH_INFO"):
        environ[name] = f"/{quote(bucket)}{environ[name]}"
    environ["HTTP_HOST"] = f"{LOCALHOST}:{environ['SERVER_PORT']}"
    return Request(environ)


def parameters(service: str, request: Request) -> dict[str, Any]:
    """A call's parameters under AWS's names, as far as its protocol shows them without the service's help."""
    match protocol_of(service):
        case "json":
            try:
                document = json.loads(request.get_data() or b"{}")
            except ValueError:
                return {}
            return document if isinstance(document, dict) else {}
        case "query" | "ec2":
            form = parse_qs(request.get_data().decode("utf-8", "replace"))
            return {name: values[0] for name, values in form.items()} | request.args.to_dict()
        case "rest-xml":
            bucket, key = _object(request)
            source = request.headers.get("x-amz-copy-source")
            copied = {"CopySource": source} if source else {}
            return {"Bucket": bucket, "Key": key} | copied | request.args.to_dict()
    return read_request(service, request)[1]


def _object(request: Request) -> tuple[str, str]:
    """The bucket and key of a call to S3, in path style."""
    bucket, _, key = unquote(raw_path(request)).removeprefix("/").partition("/")
    return bucket, key
