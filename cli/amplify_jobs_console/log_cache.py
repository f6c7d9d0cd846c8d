"""Keeps the logs that somebody looks at, so that a page that refreshes reads only what is new."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from amplify_jobs_console.answers import LogPart

_MOST_LOGS = 8
_MOST_PARTS = 20
_MOST_CHARACTERS = 8_000_000


@dataclass
class LogCache:
    """The last few logs, each as far as it was read."""

    _logs: OrderedDict[str, LogPart] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def read(self, key: str, read_part: Callable[[int], LogPart]) -> LogPart:
        """Read on where the last reader of this log stopped; the answer is the log from its beginning."""
        with self._lock:
            log = self._logs.get(key)
        if log is None or not log.complete:
            log = _read_on(log, read_part)
        with self._lock:
            self._logs[key] = log
            self._logs.move_to_end(key)
            while len(self._logs) > _MOST_LOGS:
                self._logs.popitem(last=False)
        return log


def _read_on(log: LogPart | None, read_part: Callable[[int], LogPart]) -> LogPart:
    for _ in range(_MOST_PARTS):
        part = read_part(log.offset if log else 0)
        if log is not None and part.step != log.step:
            # The job is at its next step, which has a log of its own.
            log = None
            continue
        text = (log.text if log else "") + part.text
        is_news = bool(part.text)
        log = part.model_copy(update={"text": text[:_MOST_CHARACTERS]})
        if log.complete or not is_news or len(text) > _MOST_CHARACTERS:
            break
    return log or LogPart(complete=False)
