"""AWS for one test module: moto on a port of its own, with services that can be made to fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.wrappers import Request, Response

from local.http_server import HttpServer
from local.moto_backend import MotoBackend


class AwsStandIn:
    """The application behind the port: moto, but for the services that are out of order."""

    def __init__(self) -> None:
        self._moto = MotoBackend()
        self.url = ""
        # Service (of the SigV4 scope) -> how many calls it still answers.
        self.answers_left: dict[str, int] = {}
        # The service of every call, in order.
        self.calls: list[str] = []
        # The target of every call that names one, and what it was sent.
        self.bodies: list[tuple[str, bytes]] = []

    def reset(self) -> None:
        """Begin with an empty account in good order."""
        self._moto.reset()
        self.answers_left.clear()
        self.calls.clear()
        self.bodies.clear()

    def __call__(self, request: Request) -> Response:
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", request.headers.get("Authorization", ""))
        if scope is None:
            return Response("unsigned", status=403)
        region, service = scope.groups()
        self.calls.append(service)
        if "X-Amz-Target" in request.headers:
            self.bodies.append((request.headers["X-Amz-Target"], request.get_data()))
        if service in self.answers_left:
            self.answers_left[service] -= 1
            if self.answers_left[service] < 0:
                return Response("out of order", status=500)
        return self._moto.handle(service, region, request)


@contextmanager
def serving_aws() -> Iterator[AwsStandIn]:
    """Serve on a free port."""
    stand_in = AwsStandIn()
    server = HttpServer(stand_in, name="aws-stand-in")
    stand_in.url = server.url
    server.start()
    try:
        yield stand_in
    finally:
        server.close()
