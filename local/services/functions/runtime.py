"""Runs one execution environment of a function: a process under AWS's own runtime client and its Lambda Runtime API.

The API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Each process has a port of its own, so that
what it asks needs no name for who asks.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from werkzeug.wrappers import Request, Response

from local.server.http_server import HttpServer, client_gone
from local.services.functions.processes import ForkServer, Program

API = "/2018-06-01/runtime"
INIT_SECONDS = 30.0
"""How long a process may take until it asks for its first event; AWS allows 10 s of a machine that is all its own."""
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
EXITING = 0x4
"""Linux's flag PF_EXITING of a process."""
RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge"


@dataclass(frozen=True)
class Invocation:
    """One event on its way into a function."""

    request_id: str
    payload: bytes
    function_arn: str
    timeout_seconds: float
    client_context: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation: its result, or an error's JSON with AWS's name for the kind of error."""

    payload: bytes
    function_error: str | None = None


class EventNotTakenError(Exception):
    """The process died before it took the event, which another one may have."""


def failure(error_type: str, message: str, request_id: str) -> Outcome:
    """The outcome of an invocation that its runtime could not report on."""
    document = {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return Outcome(json.dumps(document).encode(), "Unhandled")


class ExecutionEnvironment:
    """One process of a function, which takes one event at a time. Used by one thread at a time."""

    def __init__(self, processes: ForkServer, program: Program) -> None:
        self._changed = threading.Condition()
        self._waiting_event: Invocation | None = None
        self._current: Invocation | None = None
        self._outcome: Outcome | None = None
        self._init_error: bytes | None = None
        self._ready = False
        self._closed = False
        self._exit_code: int | None = None
        self._server = HttpServer("lambda-runtime-api")
        self._server.start(self._answer)
        started = time.monotonic()
        api = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.port}"}
        self._process = processes.start(replace(program, variables={**program.variables, **api}))
        self.pid = self._process.pid
        threading.Thread(target=self._watch, name="lambda-process", daemon=True).start()
        with self._changed:
            self._changed.wait_for(self._is_settled, timeout=INIT_SECONDS)
        self.init_seconds = time.monotonic() - started

    def _is_settled(self) -> bool:
        return self._ready or self._init_error is not None or self._exit_code is not None

    @property
    def alive(self) -> bool:
        return self._exit_code is None and self._process.poll() is None and not self._closed

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one event to its end, its time limit or the process's death; raises EventNotTakenError."""
        if (outcome := self._init_outcome(invocation.request_id)) is not None:
            return outcome
        deadline = time.monotonic() + invocation.timeout_seconds
        with self._changed:
            self._outcome = None
            self._waiting_event = invocation
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._outcome is not None or self._exit_code is not None or self._closed,
                timeout=max(0.0, deadline - time.monotonic()),
            )
            outcome, is_taken = self._outcome, self._waiting_event is None
            self._waiting_event = self._current = None
            exit_code, closed = self._exit_code, self._closed
        if outcome is not None:
            return outcome
        if closed:
            return failure("Runtime.Shutdown", "The local cloud was stopped.", invocation.request_id)
        if exit_code is not None:
            if not is_taken:
                raise EventNotTakenError
            return failure("Runtime.ExitError", _exit_message(exit_code), invocation.request_id)
        self.close()
        seconds = f"{invocation.timeout_seconds:.2f}"
        return failure("Sandbox.Timedout", f"Task timed out after {seconds} seconds", invocation.request_id)

    def _init_outcome(self, request_id: str) -> Outcome | None:
        """How the invocation ends if the process never came to ask for an event."""
        if self._init_error is not None:
            self.close()
            return Outcome(self._init_error, "Unhandled")
        if self._ready:
            return None
        exit_code = self._exit_code
        self.close()
        if exit_code is None:
            return failure("Sandbox.Timedout", f"Task timed out after {INIT_SECONDS:.2f} seconds", request_id)
        return failure("Runtime.ExitError", _exit_message(exit_code), request_id)

    def close(self) -> None:
        """End the process and all that it started; idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._process.kill()
        self._process.wait()
        self._server.close()

    def _watch(self) -> None:
        exit_code = self._process.wait()
        with self._changed:
            self._exit_code = exit_code
            self._changed.notify_all()
        self._server.close()

    # --- The Runtime API, as the process sees it ---------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        path = request.path
        if request.method == "GET" and path == f"{API}/invocation/next":
            return self._next(request)
        if request.method == "POST" and path == f"{API}/init/error":
            with self._changed:
                self._init_error = request.get_data()
                self._changed.notify_all()
            return _accepted()
        prefix, _, ending = path.rpartition("/")
        request_id = prefix.removeprefix(f"{API}/invocation/")
        if request.method == "POST" and ending in {"response", "error"}:
            return self._report(request_id, ending, request.get_data())
        return _refused(404, "InvalidPath", f"the Runtime API has no {request.method} {path}")

    def _next(self, request: Request) -> Response:
        with self._changed:
            self._ready = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting_event is not None or self._exit_code is not None)
            event = self._waiting_event
            if event is None or client_gone(request) or _is_dying(self.pid):
                # Nobody is there to take the event: it stays for another process.
                return _refused(410, "Gone", "this execution environment is gone")
            self._waiting_event, self._current = None, event
        root = f"1-{int(time.time()):x}-{event.request_id.replace('-', '')[:24]}"
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + event.timeout_seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root={root};Sampled=0",
        }
        if event.client_context:
            headers["Lambda-Runtime-Client-Context"] = event.client_context
        return Response(event.payload, 200, headers, content_type="application/json")

    def _report(self, request_id: str, ending: str, body: bytes) -> Response:
        with self._changed:
            if self._current is None or self._current.request_id != request_id:
                return _refused(400, "InvalidRequestID", f"{request_id} is not the event that is being processed")
            if ending == "error":
                self._outcome = Outcome(body, "Unhandled")
            elif len(body) > MAX_RESPONSE_BYTES:
                message = (
                    f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size "
                    f"({MAX_RESPONSE_BYTES} bytes)."
                )
                document = {"errorType": RESPONSE_TOO_LARGE, "errorMessage": message}
                self._outcome = Outcome(json.dumps(document).encode(), "Unhandled")
            else:
                self._outcome = Outcome(body)
            self._changed.notify_all()
        return _accepted()


def _is_dying(pid: int) -> bool:
    """Whether a process was killed and has only not come to its end yet, where the system has /proc to tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        # The second field is the name in brackets, which may hold anything; the ninth are the kernel's flags.
        flags = int(
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[6]
        )
    except OSError:
        # It has ended and was taken leave of; or there is no /proc here to tell.
        return Path("/proc/self").exists()
    pending = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd:", "ShdPnd:"))]
    return bool(flags & EXITING) or any(mask >> (signal.SIGKILL - 1) & 1 for mask in pending)


def _exit_message(exit_code: int) -> str:
    if exit_code < 0:
        names = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault", signal.SIGTERM: "terminated"}
        number = signal.Signals(-exit_code)
        return f"Runtime exited with error: signal: {names.get(number, number.name)}"
    if exit_code > 0:
        return f"Runtime exited with error: exit status {exit_code}"
    return "Runtime exited without providing a reason"


def _accepted() -> Response:
    return Response('{"status":"OK"}', 202, content_type="application/json")


def _refused(status: int, error_type: str, message: str) -> Response:
    document = {"errorType": error_type, "errorMessage": message}
    return Response(json.dumps(document), status, content_type="application/json")
