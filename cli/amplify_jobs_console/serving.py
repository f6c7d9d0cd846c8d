"""Serves a console on 127.0.0.1, to the person who has its address."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from amplify_jobs_console.console import Console
from amplify_jobs_console.guard import LOOPBACK, Door
from amplify_jobs_console.web import MOST_FORM_BYTES, Request, Response

_TIMEOUT_SECONDS = 30


class ConsoleServer(ThreadingHTTPServer):
    """A console at a port of this machine; 0 is any free one. Raises OSError for a port in use."""

    daemon_threads = True

    def __init__(self, console: Console, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.console = console
        self.door = Door(int(self.server_address[1]))

    @property
    def address(self) -> str:
        """The address to open, with its token."""
        return self.door.address


class _Handler(BaseHTTPRequestHandler):
    server: ConsoleServer
    server_version = "amplify-jobs"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_SECONDS

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > MOST_FORM_BYTES:
            self.close_connection = True
            self._send(Response(413, b"the body is too large\n", "text/plain; charset=utf-8"))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )
        self._send(self.server.door.answer(request, self.server.console.answer))

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 304:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status != 304:
            self.wfile.write(response.body)

    do_GET = do_HEAD = do_POST = _answer  # noqa: N815 (names of http.server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of http.server)
        """Say nothing: addresses have the token."""
