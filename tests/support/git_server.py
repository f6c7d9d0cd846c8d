"""A real git server on this machine: git's own http-backend behind a small HTTP server that can fail on purpose."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import SplitResult, unquote

import urllib3

BLOCK = 64 * 1024
API = "/api/v3"


@dataclass
class Fault:
    """How the next matching request fails: a status, or a connection that is cut after so many bytes.

    `path` is the end of the path. `before` is called before git sees the request.
    """

    path: str
    status: int | None = None
    cut_answer: int | None = None
    cut_request: int | None = None
    drop_answer: bool = False
    location: str | None = None
    before: Callable[[], None] | None = None
    times: int = 1


@dataclass
class GitServer:
    """Serves the bare repositories of a folder; `token` is the password that it wants, if any.

    What is below /api/v3, as the API of a GitHub Enterprise Server is, is answered by whatever is at the address `api`.
    """

    root: Path
    token: str | None = None
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    port: int = 0
    api: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}.git"

    def repository(self, name: str, *settings: str) -> Path:
        """Make an empty repository; `settings` are git's, as `name=value`."""
        path = self.root / f"{name}.git"
        git(self.root, "init", "--quiet", "--bare", "--initial-branch=main", str(path))
        for setting in ("http.receivepack=true", "receive.autogc=false", *settings):
            git(path, "config", *setting.split("=", 1))
        return path

    def take_fault(self, path: str) -> Fault | None:
        with self.lock:
            fault = next((fault for fault in self.faults if path.endswith(fault.path)), None)
            if fault is not None:
                fault.times -= 1
                if fault.times == 0:
                    self.faults.remove(fault)
            return fault


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Run git and give what it printed."""
    run = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment(), input=stdin, capture_output=True, check=False
    )
    assert run.returncode == 0, (arguments, run.stderr.decode(errors="replace"))
    return run.stdout.decode(errors="replace").strip()


def environment() -> dict[str, str]:
    """git without the settings of this machine, and with one author."""
    person = {"NAME": "A", "EMAIL": "a@example.com", "DATE": "2026-11-01T00:00:00Z"}
    return {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in person.items()},
    }


class LoopbackConnections:
    """Connects to servers of this machine, which no function does."""

    def pool(self, parts: SplitResult) -> urllib3.HTTPConnectionPool:
        return urllib3.HTTPConnectionPool(parts.hostname or "", parts.port)


@contextmanager
def running_git_server(root: Path, token: str | None = None) -> Iterator[GitServer]:
    """Serve a folder."""
    state = GitServer(root, token)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            path, _, query = self.path.partition("?")
            with state.lock:
                state.requests.append(f"{self.command} {self.path}")
            fault = state.take_fault(self.path) or Fault("")
            with tempfile.TemporaryFile() as body, suppress(BrokenPipeError, ConnectionError):
                if not self._receive(body, fault):
                    self._cut()
                    return
                if fault.before is not None:
                    fault.before()
                if fault.location is not None:
                    self._answer(302, {"Location": fault.location})
                elif fault.status is not None:
                    self._answer(fault.status, {})
                elif state.api is not None and self.path.startswith(API):
                    self._forward(state.api + self.path.removeprefix(API), body)
                elif not self._allowed():
                    self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'})
                else:
                    self._run(unquote(path), query, body, fault)

        def _receive(self, body: IO[bytes], fault: Fault) -> bool:
            if self.headers.get("Transfer-Encoding") == "chunked":
                return self._receive_chunks(body)
            length = int(self.headers.get("Content-Length") or 0)
            if fault.cut_request is not None:
                self.rfile.read(min(length, fault.cut_request))
                return False
            while length > 0 and (block := self.rfile.read(min(length, BLOCK))):
                body.write(block)
                length -= len(block)
            body.seek(0)
            return length == 0

        def _receive_chunks(self, body: IO[bytes]) -> bool:
            while size := int(self.rfile.readline(), 16):
                body.write(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body.seek(0)
            return True

        def _allowed(self) -> bool:
            if state.token is None:
                return True
            kind, _, value = self.headers.get("Authorization", "").partition(" ")
            return kind == "Basic" and base64.b64decode(value).decode().partition(":")[2] == state.token

        def _forward(self, url: str, body: IO[bytes]) -> None:
            names = ("Authorization", "User-Agent", "Content-Type")
            headers = {name: self.headers[name] for name in names if name in self.headers}
            try:
                answer = urllib3.request(self.command, url, body=body.read(), headers=headers, retries=False)
            except urllib3.exceptions.HTTPError:
                self._cut()
                return
            more = {"Link": answer.headers["Link"]} if "Link" in answer.headers else {}
            self._answer(answer.status, {"Content-Type": "application/json", **more}, io.BytesIO(answer.data))

        def _run(self, path: str, query: str, body: IO[bytes], fault: Fault) -> None:
            run = subprocess.Popen(
                ["git", "http-backend"],
                stdin=body,
                stdout=subprocess.PIPE,
                env={
                    **environment(),
                    "GIT_PROJECT_ROOT": str(state.root),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "REMOTE_USER": "ci",
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                },
            )
            assert run.stdout is not None
            with run, run.stdout as output:
                headers: dict[str, str] = {}
                while line := output.readline().strip():
                    name, _, value = line.decode().partition(": ")
                    headers[name] = value
                status = int(headers.pop("Status", "200").split()[0])
                if fault.drop_answer:
                    output.read()
                    self._cut()
                    return
                self._answer(status, headers, output, fault.cut_answer)

        def _answer(
            self, status: int, headers: dict[str, str], output: IO[bytes] | None = None, cut: int | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while output is not None and (block := output.read1(BLOCK)):  # type: ignore[attr-defined]
                if cut is not None and len(block) >= cut:
                    self.wfile.write(b"%x\r\n" % len(block) + block[:cut])
                    self._cut()
                    return
                cut = None if cut is None else cut - len(block)
                self.wfile.write(b"%x\r\n" % len(block) + block + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        def _cut(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(2)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
