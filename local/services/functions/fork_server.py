"""The parent of the functions' processes, a program of its own: it loads packages once and forks each process.

`python fork_server.py [MODULE …]` loads the modules and reads orders from the socket at its standard input, as JSON
lines. `{"start": id, "handler": …, "folder": …, "variables": {…}, "log": …, "fork": true}` starts a process, or with
false a new Python, and is answered with `{"id": id, "pid": …}`. `{"kill": id}` kills a process and what it started.
`{"id": id, "exit": code}` tells the end of a process, with subprocess's code. When the socket closes, all are killed.

The program has one thread, and nobody else reaps or kills the processes. So no signal reaches a process that got the
number of one that had ended. It imports nothing of the project: each function begins with what is loaded here.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

Order = Mapping[str, Any]
CHUNK_BYTES = 65_536


def main(modules: list[str]) -> None:
    """Load the modules and serve; in each process of a function, run the function."""
    # Functions must not find the modules of this folder.
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    # The garbage collector of a forked process would write to each loaded object, and so copy its memory.
    gc.freeze()
    order = Server(_socket_at_standard_input()).serve()
    if order is not None:
        run(order)


def _socket_at_standard_input() -> socket.socket:
    """The socket under another number; the standard input is empty from now on, as a function's is."""
    channel = socket.socket(fileno=os.dup(0))
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return channel


class Server:
    """The processes that are not reaped, by their ids, and the socket to the local cloud."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._pids: dict[int, int] = {}
        self._ended_children, self._alarm = socket.socketpair()
        self._alarm.setblocking(False)
        signal.set_wakeup_fd(self._alarm.fileno(), warn_on_full_buffer=False)
        # Without a handler, the signal wakes nobody up.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> Order | None:
        """Work until the socket closes. In a process that was forked, return its order at once."""
        received = b""
        while True:
            readable, _, _ = select.select([self._channel, self._ended_children], [], [])
            if self._ended_children in readable:
                self._ended_children.recv(CHUNK_BYTES)
                self._reap()
            if self._channel in readable:
                chunk = self._receive()
                if not chunk:
                    self._end_all()
                    return None
                *lines, received = (received + chunk).split(b"\n")
                for line in lines:
                    order: Order = json.loads(line)
                    if "start" in order and self._fork(order["start"]):
                        return order
                    if "kill" in order and order["kill"] in self._pids:
                        kill_group(self._pids[order["kill"]])

    def _receive(self) -> bytes:
        # A local cloud that was killed may have left answers unread, which is an error here.
        with suppress(ConnectionError):
            return self._channel.recv(CHUNK_BYTES)
        return b""

    def _send(self, answer: Mapping[str, int]) -> None:
        with suppress(ConnectionError):
            self._channel.sendall(json.dumps(answer).encode() + b"\n")

    def _fork(self, number: int) -> bool:
        """Fork; whether this is the new process."""
        if pid := os.fork():
            self._pids[number] = pid
            self._send({"id": number, "pid": pid})
            return False
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._channel, self._ended_children, self._alarm):
            end.close()
        return True

    def _end_all(self) -> None:
        for pid in self._pids.values():
            kill_group(pid)
            os.waitpid(pid, 0)

    def _reap(self) -> None:
        for number, pid in list(self._pids.items()):
            if (exit_code := reap(pid)) is not None:
                del self._pids[number]
                self._send({"id": number, "exit": exit_code})


def reap(pid: int) -> int | None:
    """Take the exit code of a process that has ended, and kill what it started; None if it still runs."""
    # macOS has this call since Python 3.13.
    if hasattr(os, "waitid"):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        # No other group can have its number yet.
        kill_group(pid)
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def kill_group(pid: int) -> None:
    """Kill a process that is not reaped, and what it started."""
    os.kill(pid, signal.SIGKILL)
    # A process that was forked a moment ago has no group yet, and has started nothing.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def run(order: Order) -> None:
    """Become the process of a function, under AWS's own runtime client."""
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(order["folder"])
    handler, variables = order["handler"], order["variables"]
    # `python -m` looks for modules in the working directory first.
    folders = [order["folder"], *filter(None, variables.get("PYTHONPATH", "").split(os.pathsep))]
    if not order["fork"] or replaces_loaded_module(folders):
        os.execve(sys.executable, [sys.executable, "-m", "awslambdaric", handler], variables)  # noqa: S606
    # Python sets it at its start if the machine does not know the locale.
    locale = {name: value for name, value in os.environ.items() if name == "LC_CTYPE"}
    os.environ.clear()
    os.environ.update({**locale, **variables})
    sys.path[:0] = folders
    sys.argv[1:] = [handler]
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


def replaces_loaded_module(folders: Iterable[str]) -> bool:
    """Whether a folder holds a module with the name of a loaded one, such as a layer with packages of its own."""
    loaded = {name.partition(".")[0] for name in sys.modules}
    for folder in folders:
        with suppress(FileNotFoundError, NotADirectoryError):
            if not loaded.isdisjoint(entry.partition(".")[0] for entry in os.listdir(folder)):
                return True
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
