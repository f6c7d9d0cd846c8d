"""How AWS limits calls: a bucket of tokens that fills at a rate and holds a burst."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Throttle:
    """The most requests at once and per second in the long run; None: no limit."""

    burst: float | None = None
    rate: float | None = None


class TokenBucket:
    """Lets through what a throttle allows; `now` is a clock in seconds."""

    def __init__(self, throttle: Throttle, now: Callable[[], float] = time.monotonic) -> None:
        self._burst = throttle.burst if throttle.burst is not None else throttle.rate or 0.0
        self._rate = throttle.rate if throttle.rate is not None else self._burst
        self._limited = throttle != Throttle()
        self._now = now
        self._tokens = self._burst
        self._filled = now()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether one more request may pass now."""
        if not self._limited:
            return True
        with self._lock:
            now = self._now()
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
