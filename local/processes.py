"""Runs commands for builds and generators: in a process group of their own, to be ended as a whole at any moment."""

from __future__ import annotations

import math
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# How soon a stop order and a time limit are noticed while a command is silent.
NOTICED_WITHIN_SECONDS = 0.1
CHUNK = 65_536


class StoppedError(Exception):
    """The build was told to stop, and its processes are ended."""


class TimedOutError(Exception):
    """The build reached its time limit, and its processes are ended."""


class Processes:
    """Runs one command after the other for one build.

    `deadline`, a time.monotonic(), may be set once it is known. `stop` may be called by any thread, at any moment, and
    ends what is running.
    """

    def __init__(self, deadline: float = math.inf) -> None:
        self.deadline = deadline
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def check(self) -> None:
        """Raise StoppedError or TimedOutError if the build may not go on."""
        if self._stopped.is_set():
            raise StoppedError
        if time.monotonic() >= self.deadline:
            raise TimedOutError

    def run(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: Callable[[bytes], None]) -> int:
        """Run a command to its end, handing on what it prints, and answer its exit code.

        Whatever it left running in its group ends with it, as a build container's processes do.
        Raises StoppedError and TimedOutError.
        """
        self.check()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            self._follow(process, process.stdout.fileno(), output)
        finally:
            _end_group(process)
            process.stdout.close()
            process.wait()
        # A signal's number as shells say it.
        return process.returncode if process.returncode >= 0 else 128 - process.returncode

    def _follow(self, process: subprocess.Popen[bytes], pipe: int, output: Callable[[bytes], None]) -> None:
        os.set_blocking(pipe, False)
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while process.poll() is None:
                self.check()
                if not selector.get_map():
                    self._stopped.wait(NOTICED_WITHIN_SECONDS)
                elif selector.select(NOTICED_WITHIN_SECONDS):
                    chunk = os.read(pipe, CHUNK)
                    output(chunk)
                    if not chunk:
                        selector.unregister(pipe)
            # A pipe holds no more than one chunk, so this is all; a process that fled its group can't keep us here.
            _end_group(process)
            if selector.get_map() and selector.select(0):
                output(os.read(pipe, CHUNK))


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
