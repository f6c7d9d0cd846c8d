"""Starts the processes of functions, through a parent that has loaded their packages (fork_server.py)."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

PACKAGES = (
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.idempotency.serialization.pydantic",
    "aws_lambda_powertools.utilities.parser",
    "aws_lambda_powertools.utilities.typing",
    "boto3.dynamodb.conditions",
    "boto3.session",
    "pydantic.alias_generators",
    "pydantic.functional_serializers",
)
"""What functions need most of their start for: Powertools, pydantic and the AWS SDK."""
READ_AT_START = (
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "HOME",
    "LANG",
    "LC_",
    "LD_",
    "OPENSSL_",
    "POWERTOOLS_DEBUG",
    "POWERTOOLS_TRACE_MIDDLEWARES",
    "PYTHON",
    "TZ",
)
"""How the variables begin that Python, the system's libraries and PACKAGES read when they are loaded."""
SEARCH_PATH = "PYTHONPATH"
"""The one of these variables that counts after a fork, too."""
SERVER = Path(__file__).with_name("fork_server.py")
SERVER_KILLED = "the parent of the functions' processes was killed"


@dataclass(frozen=True)
class Program:
    """What a process runs: a handler under AWS's runtime client, its folder, its variables and its log file."""

    handler: str
    folder: Path
    variables: Mapping[str, str]
    log_file: Path


class Process:
    """A process of a function. `pid` is 0 until it has started."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self.kill = kill
        self.pid = 0
        self._exit_code: int | None = None
        self._settled, self._ended = threading.Event(), threading.Event()

    def wait_for_start(self) -> bool:
        """Wait until the process has started; False if it never will."""
        self._settled.wait()
        return self.pid != 0

    def poll(self) -> int | None:
        """The exit code as subprocess has it, None while the process runs."""
        return self._exit_code

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        self._ended.wait()
        assert self._exit_code is not None
        return self._exit_code

    def set_pid(self, pid: int) -> None:
        self.pid = pid
        self._settled.set()

    def set_exit_code(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self._settled.set()
        self._ended.set()


class ForkServer:
    """The processes of functions and their parent, which starts with the first of them at the latest.

    The parent loads `packages`, and each process begins with them. Without packages each process starts Python anew.
    Used by many threads.
    """

    def __init__(self, packages: Sequence[str] = PACKAGES) -> None:
        # macOS's own libraries fail in a process that was forked and goes on without a new program.
        self._packages = () if sys.platform == "darwin" else packages
        self._lock = threading.Lock()
        self._connection: _Connection | None = None

    def load_packages(self, variables: Mapping[str, str]) -> None:
        """Start the parent, for processes with such variables, and do not wait for it."""
        self._connect(variables)

    def start(self, program: Program) -> Process:
        """Start a process. Raises ChildProcessError if the parent was killed meanwhile; the next start has another."""
        return self._connect(program.variables).start(program)

    def _connect(self, variables: Mapping[str, str]) -> _Connection:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = _Connection(self._packages, variables)
            return self._connection

    def close(self) -> None:
        """Kill all processes and end their parent; idempotent."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()


class _Connection:
    """One run of the parent, and the processes that it has started and not reaped."""

    def __init__(self, packages: Sequence[str], variables: Mapping[str, str]) -> None:
        self._variables = _read_at_start(variables)
        self._can_fork = bool(packages)
        self._channel, other_end = socket.socketpair()
        with other_end:
            self._server = subprocess.Popen(
                [sys.executable, str(SERVER), *packages],
                stdin=other_end.fileno(),
                env={"PATH": variables["PATH"], **self._variables},
                # Ctrl-C is for the local cloud alone.
                start_new_session=True,
            )
        self._numbers = itertools.count(1)
        self._sending, self._lock = threading.Lock(), threading.Lock()
        self._processes: dict[int, Process] = {}
        self.closed = False
        self._listener = threading.Thread(target=self._listen, name="lambda-processes", daemon=True)
        self._listener.start()

    def start(self, program: Program) -> Process:
        number = next(self._numbers)
        process = Process(partial(self._send, {"kill": number}))
        with self._lock:
            if self.closed:
                raise ChildProcessError(SERVER_KILLED)
            self._processes[number] = process
        self._send(
            {
                "start": number,
                "handler": program.handler,
                "folder": str(program.folder),
                "variables": dict(program.variables),
                "log": str(program.log_file),
                "fork": self._can_fork and _read_at_start(program.variables) == self._variables,
            }
        )
        if not process.wait_for_start():
            raise ChildProcessError(SERVER_KILLED)
        return process

    def close(self) -> None:
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._listener.join()

    def _send(self, order: Mapping[str, Any]) -> None:
        # The listener sees it if the parent has ended.
        with self._sending, suppress(OSError):
            self._channel.sendall(json.dumps(order).encode() + b"\n")

    def _listen(self) -> None:
        with suppress(ConnectionError), self._channel.makefile("rb") as lines:
            for line in lines:
                self._read(json.loads(line))
        self._server.wait()
        with self._lock:
            self.closed = True
            processes = list(self._processes.values())
        for process in processes:
            process.set_exit_code(-signal.SIGKILL)
        self._channel.close()

    def _read(self, answer: Mapping[str, int]) -> None:
        with self._lock:
            process = self._processes[answer["id"]]
            if "exit" in answer:
                del self._processes[answer["id"]]
        if "exit" in answer:
            process.set_exit_code(answer["exit"])
        else:
            process.set_pid(answer["pid"])


def _read_at_start(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that come too late for a process that is forked."""
    return {name: value for name, value in variables.items() if name.startswith(READ_AT_START) and name != SEARCH_PATH}
