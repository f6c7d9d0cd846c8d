"""Passes events about local Amplify on; loses, delays, doubles or reorders those that a fault was ordered for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from local.amplify import trail
from local.server.faults import API_CALL_EVENT, STATUS_EVENT, Faults


class StatusEvents:
    """The way from local Amplify to the default bus."""

    def __init__(self, faults: Faults, emit: Callable[[Mapping[str, Any]], object]) -> None:
        self._faults = faults
        self._emit = emit
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []
        self._timers: list[threading.Timer] = []

    def emit(self, event: dict[str, Any]) -> None:
        if event["detail-type"] == trail.DETAIL_TYPE:
            called = {"eventName": event["detail"]["eventName"], **event["detail"]["requestParameters"]}
            fault = self._faults.take("amplify", API_CALL_EVENT, called)
        else:
            fault = self._faults.take("amplify", STATUS_EVENT, event["detail"])
        match fault.fault if fault else None:
            case "lose":
                return
            case "delay":
                self._later(fault.seconds if fault else 0.0, lambda: self._emit(event))
                return
            case "reorder":
                with self._lock:
                    self._waiting.append(event)
                # Should no event follow, it must still arrive.
                self._later(fault.seconds if fault else 0.0, self._release)
                return
            case "duplicate":
                self._emit(event)
        self._emit(event)
        self._release()

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def _later(self, seconds: float, action: Callable[[], object]) -> None:
        timer = threading.Timer(seconds, action)
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _release(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._emit(event)
