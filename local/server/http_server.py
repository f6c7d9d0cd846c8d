"""Serves HTTP/1.1 with kept-alive connections, one thread each, on a loopback port and, if told so, elsewhere.

werkzeug's own server closes every connection after one answer; clients of the local cloud make thousands of calls.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import logging
import re
import select
import socket
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from itertools import zip_longest
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.wrappers import Request, Response

from local.server.callers import Callers

log = logging.getLogger(__name__)

Application = Callable[[Request], Response]

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- only where who starts the local cloud says so

CONNECTION = "local.connection"
"""The environ key of the connection's socket, for `client_gone`."""


class DropConnectionError(Exception):
    """Raised by an application that wants the connection closed without an answer."""


class PortOccupiedError(OSError):
    """Another process listens on the port that was asked for."""


@dataclass(frozen=True)
class Listen:
    """Where a server listens, and by which names.

    Port 0 is a free one. `also_at` is an IPv4 address of this machine to listen at besides 127.0.0.1. `names` and
    `subdomains` say by which host names the server is called (callers.py); other requests are answered 403.
    """

    port: int = 0
    also_at: str = LOOPBACK
    names: Collection[str] = ()
    subdomains: bool = False


class HttpServer:
    """One listening port, which an application answers once it is started.

    `max_body` is the most bytes that a request's body may have (None: any number); a larger one is answered 413.
    The port is bound when the object is made. Raises PortOccupiedError, and ValueError for an address that is not this
    machine's.
    """

    def __init__(self, name: str, listen: Listen | None = None, *, max_body: int | None = None) -> None:
        listen = listen or Listen()
        self.name = name
        self.max_body = max_body
        first = EVERYWHERE if listen.also_at == EVERYWHERE else LOOPBACK
        with contextlib.ExitStack() as opened:
            self._listeners = [opened.enter_context(_listener(first, listen.port))]
            self.port: int = self._listeners[0].getsockname()[1]
            if listen.also_at not in {LOOPBACK, EVERYWHERE}:
                self._listeners.append(opened.enter_context(_listener(listen.also_at, self.port)))
            opened.pop_all()
        self.callers = Callers(self.port, names=listen.names, subdomains=listen.subdomains)
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._closed = False
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self, application: Application) -> None:
        """Begin to answer, each connection in a thread of its own."""
        for listener in self._listeners:
            thread = threading.Thread(
                target=self._accept, args=(listener, application), name=f"{self.name}-accept", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Stop listening and cut every connection; idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            connections = list(self._connections)
        for listener, thread in zip_longest(self._listeners, self._threads):
            if thread is not None:
                # accept() can't be interrupted portably, but one more connection wakes it.
                with contextlib.suppress(OSError):
                    socket.create_connection(listener.getsockname(), timeout=1).close()
                thread.join()
            listener.close()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket, application: Application) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                # Out of descriptors or the like: the next connection may do better.
                log.exception("%s could not accept a connection", self.name)
                continue
            with self._lock:
                if self._closed:
                    connection.close()
                    return
                self._connections.add(connection)
            threading.Thread(
                target=self._serve, args=(connection, address, application), name=self.name, daemon=True
            ).start()

    def _serve(self, connection: socket.socket, address: tuple[str, int], application: Application) -> None:
        try:
            # A client that resets its connection is its own business.
            with contextlib.suppress(ConnectionError):
                _Connection(connection, address, self, application)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()


def _listener(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise ValueError(f"can't listen at {address}: it is no IPv4 address of this machine") from error
        raise PortOccupiedError(f"port {port} can't be used: {error.strerror}") from error
    listener.listen(1024)
    return listener


class _Connection(BaseHTTPRequestHandler):
    """All requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer  # type: ignore[assignment]

    def __init__(
        self, connection: socket.socket, address: tuple[str, int], server: HttpServer, application: Application
    ) -> None:
        # The base class answers all requests while it is made.
        self._application = application
        # The base class only keeps the server for its subclass's use.
        super().__init__(connection, address, server)  # type: ignore[arg-type]

    def _answer(self) -> None:
        try:
            body = self._read_body()
        except ValueError:
            # Where this request ends and the next begins is anybody's guess.
            self.close_connection = True
            self._send(_message(400, "Bad Request"), {})
            return
        if body is None:
            self._send(_message(413, "Request Entity Too Large"), {})
            return
        refusal = self.server.callers.refusal(self.headers, self.path, self.connection.getsockname()[0])
        if refusal is not None:
            log.warning("%s refused %s %s: %s", self.server.name, self.command, self.path.partition("?")[0], refusal)
            self._send(_message(403, refusal), {})
            return
        environ = self._environ(body)
        try:
            response = self._application(Request(environ))
        except DropConnectionError:
            self.close_connection = True
            return
        except Exception:
            log.exception("%s failed on %s %s", self.server.name, self.command, self.path)
            response = _message(500, "Internal Server Error")
        self._send(response, environ)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _read_body(self) -> bytes | None:
        """The whole body, which clients expect to have been read before the answer; None if it is too long."""
        limit = self.server.max_body
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = self._read_chunks()
        else:
            length = int(self.headers.get("Content-Length") or 0)
            if length < 0:
                raise ValueError(length)
            if limit is not None and length > limit:
                while length > 0 and (part := self.rfile.read(min(length, 1 << 20))):
                    length -= len(part)
                return None
            body = self.rfile.read(length)
            if len(body) < length:
                raise ValueError(len(body))
        return None if limit is not None and len(body) > limit else body

    def _read_chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0].strip(), 16):
            parts.append(self.rfile.read(size))
            if self.rfile.readline().strip() or len(parts[-1]) < size:
                raise ValueError(size)
        while self.rfile.readline().strip():
            continue  # trailers
        return b"".join(parts)

    def _environ(self, body: bytes) -> dict[str, Any]:
        # An absolute target's host is Host's: `callers` saw to that.
        target = "/" + re.sub(r"^http://[^/?#]*", "", self.path, flags=re.IGNORECASE).removeprefix("/")
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            # WSGI's convention: decoded bytes, each as the character of that number.
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": target,
            "RAW_URI": target,
            "SERVER_NAME": LOOPBACK,
            "SERVER_PORT": str(self.server.port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            CONNECTION: self.connection,
        }
        for name, value in self.headers.items():
            # X_Foo and X-Foo would be one name here, so that the first could pose as the second.
            if "_" in name or name.lower() in {"content-length", "transfer-encoding"}:
                continue
            key = name.upper().replace("-", "_")
            key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
            separator = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
        return environ

    def _send(self, response: Response, environ: dict[str, Any]) -> None:
        parts, status, headers = response.get_wsgi_response(environ or {"REQUEST_METHOD": self.command})
        body = b"".join(parts)
        response.close()
        code = int(status.split(" ", 1)[0])
        lines = [f"HTTP/1.1 {code} {status.partition(' ')[2] or HTTPStatus(code).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers]
        names = {name.lower() for name, _ in headers}
        if "content-length" not in names and code >= 200 and code not in {204, 304}:
            lines.append(f"Content-Length: {len(body)}")
        if "date" not in names:
            lines.append(f"Date: {self.date_time_string()}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        log.debug("%s %s", self.server.name, format % args)


def _message(status: int, text: str) -> Response:
    return Response(json.dumps({"message": text}), status, content_type="application/json")


def client_gone(request: Request) -> bool:
    """Whether the client of a request that is being answered has closed its connection."""
    connection: socket.socket = request.environ[CONNECTION]
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
