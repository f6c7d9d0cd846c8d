"""The execution environments of one function: how many there are, and which takes the next event."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from local.server.protocol.errors import ServiceError
from local.services.functions.runtime import INIT_SECONDS, ExecutionEnvironment


class CallerGoneError(Exception):
    """The caller of an invocation hung up before it began."""


class EnvironmentPool:
    """The execution environments of one function: idle ones are used again, new ones start up to the limit.

    Waiting callers are served in the order in which they came.
    """

    def __init__(self, start: Callable[[], ExecutionEnvironment], limit: int) -> None:
        self._start = start
        self._free = limit
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._idle: list[ExecutionEnvironment] = []
        self._all: set[ExecutionEnvironment] = set()
        self._starting = 0
        self._started = threading.Condition(self._lock)
        self._closed = False

    def pids(self) -> list[int]:
        with self._lock:
            return [environment.pid for environment in self._all if environment.alive]

    def acquire(self, is_wanted: Callable[[], bool]) -> ExecutionEnvironment:
        """Wait for an environment. Raises CallerGoneError if it is not wanted any more when its turn has come."""
        self._wait_for_turn()
        try:
            environment = (self._idle_one() or self._new_one()) if is_wanted() else None
        except BaseException:
            self._pass_turn()
            raise
        if environment is None:
            self._pass_turn()
            raise CallerGoneError
        return environment

    def release(self, environment: ExecutionEnvironment) -> None:
        if not environment.alive:
            environment.close()
        with self._lock:
            if environment.alive and not self._closed:
                self._idle.append(environment)
            else:
                self._all.discard(environment)
        self._pass_turn()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for turn in self._waiting:
                turn.set()
            # One that is starting would outlive the local cloud, and call what is no longer there.
            self._started.wait_for(lambda: self._starting == 0, timeout=INIT_SECONDS)
            environments = list(self._all)
        for environment in environments:
            environment.close()

    def _wait_for_turn(self) -> None:
        turn = threading.Event()
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            self._waiting.append(turn)
        turn.wait()

    def _pass_turn(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _idle_one(self) -> ExecutionEnvironment | None:
        with self._lock:
            while self._idle and not self._closed:
                environment = self._idle.pop()
                if environment.alive:
                    return environment
                self._all.discard(environment)
                environment.close()
        return None

    def _new_one(self) -> ExecutionEnvironment:
        with self._lock:
            if self._closed:
                raise ServiceError("ServiceException", "The local cloud was stopped.", 500)
            self._starting += 1
        environment = None
        try:
            environment = self._start()
        finally:
            with self._lock:
                self._starting -= 1
                if environment is not None:
                    self._all.add(environment)
                closed = self._closed
                self._started.notify_all()
        if closed:
            environment.close()
        return environment
