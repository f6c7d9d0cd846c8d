"""A git host of one's own, such as Amplify can't reach: smart HTTP with a token, and a webhook for each push."""

from __future__ import annotations

import base64
import hmac
import re
from pathlib import Path
from types import TracebackType

from werkzeug.wrappers import Request, Response

from local.server.git_backend import REQUESTS, serve, service_of
from local.server.http_server import HttpServer
from local.server.protocol.match import raw_path

_PATH = re.compile(rf"/(?P<name>[\w.-]+/[\w.-]+)\.git/{REQUESTS}")


class GitHost:
    """Serves the bare repositories of a folder to whoever has the token; a context manager."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder = folder
        self.token = token
        self._server = HttpServer("git-host")

    @property
    def name(self) -> str:
        """Its host and port."""
        return self._server.url.partition("://")[2]

    def address(self, full_name: str) -> str:
        return f"{self._server.url}/{full_name}.git"

    def path(self, full_name: str) -> Path:
        return self.folder / f"{full_name}.git"

    def __enter__(self) -> GitHost:
        self._server.start(self._answer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()

    def _answer(self, request: Request) -> Response:
        match = _PATH.fullmatch(raw_path(request))
        if match is None or service_of(match["request"], request) is None or not self.path(match["name"]).is_dir():
            return Response("no repository is here\n", 404, mimetype="text/plain")
        if not hmac.compare_digest(_password(request).encode(), self.token.encode()):
            return Response("", 401, {"WWW-Authenticate": 'Basic realm="git"'})
        return serve(self.path(match["name"]), match["request"], request)


def _password(request: Request) -> str:
    try:
        login = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic "), validate=True)
    except ValueError:
        return ""
    return login.decode("utf-8", "replace").partition(":")[2]
