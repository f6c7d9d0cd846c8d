"""AWS for one test module: moto on a port of its own, with services that can be made to fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.wrappers import Request, Response

from local.server.http_server import HttpServer
from local.server.service import Service
from local.services.moto import MotoBackend
from tests.support.services import call

REGION = "eu-west-1"


class AwsStandIn:
    """The application behind the port: moto, but for the services that are out of order."""

    def __init__(self) -> None:
        self.moto = MotoBackend(REGION)
        self.url = ""
        # What answers the calls of a service instead of moto.
        self.services: dict[str, Service] = {}
        # Part of a call's service and path, such as "amplify /apps" -> the error code that is its answer.
        self.refusals: dict[str, str] = {}
        # Service (of the SigV4 scope) -> how many calls it still answers.
        self.answers_left: dict[str, int] = {}
        # The service of every call, in order.
        self.calls: list[str] = []
        # The service of every call that writes.
        self.writes: list[str] = []
        # The target of every call that names one, and what it was sent.
        self.bodies: list[tuple[str, bytes]] = []

    def reset(self) -> None:
        """Begin with an empty account in good order."""
        self.moto.reset()
        self.answers_left.clear()
        self.refusals.clear()
        self.writes.clear()
        self.calls.clear()
        self.bodies.clear()

    def __call__(self, request: Request) -> Response:
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", request.headers.get("Authorization", ""))
        if scope is None:
            return Response("unsigned", status=403)
        region, service = scope.groups()
        self.calls.append(service)
        target = request.headers.get("X-Amz-Target", "")
        reads = service == "sts" or request.method in ("GET", "HEAD")
        if re.search(r"\.(Put|Delete)", target) or not (target or reads):
            self.writes.append(service)
        if "X-Amz-Target" in request.headers:
            self.bodies.append((request.headers["X-Amz-Target"], request.get_data()))
        if service in self.answers_left:
            self.answers_left[service] -= 1
            if self.answers_left[service] < 0:
                return Response("out of order", status=500)
        called = f"{service} {request.full_path}"
        refusal = next((code for part, code in self.refusals.items() if part in called), None)
        if refusal:
            return _refused(service, refusal)
        if service in self.services:
            return call(self.services[service], service, request)
        return self.moto.handle(service, request, region)


def _refused(service: str, code: str) -> Response:
    if service == "s3":
        return Response(f"<Error><Code>{code}</Code><Message>no</Message></Error>", status=403, mimetype="text/xml")
    return Response("{}", status=403, headers={"x-amzn-ErrorType": code}, mimetype="application/json")


@contextmanager
def serving_aws() -> Iterator[AwsStandIn]:
    """Serve on a free port."""
    stand_in = AwsStandIn()
    server = HttpServer("aws-stand-in")
    stand_in.url = server.url
    server.start(stand_in)
    try:
        yield stand_in
    finally:
        server.close()
