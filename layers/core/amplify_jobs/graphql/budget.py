"""A budget of time and steps, for work on foreign input that must end before its function does.

Time is what a function has; steps bound the memory that small input can ask for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# What a field of a key that relations copy costs: few letters of a schema can ask for many.
STEPS_PER_KEY_FIELD = 10


class BudgetExceededError(Exception):
    """The work took more than its budget."""


class Budget:
    """A number of seconds from now on, by a clock that counts seconds, and of steps."""

    def __init__(self, seconds: float, steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._steps_left = steps
        self._clock = clock
        self._end = clock() + seconds

    def spend(self, steps: int = 1) -> None:
        """Count steps of the work.

        Raises BudgetExceededError if there are no more, or if the time is up.
        """
        self._steps_left -= steps
        if self._steps_left < 0 or self._clock() > self._end:
            raise BudgetExceededError
