"""What the intake needs of AWS, kept in memory, and what goes wrong when a test says so."""

from __future__ import annotations

from collections.abc import Sequence

from amplify_jobs.errors import RetryableError, ServiceTrouble
from amplify_jobs.intake.record import DeliveryLog, DeliveryRecord
from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.routes import Routes, Source


class FixedRoutes:
    """Routes that need no bucket; `trouble` is raised instead of giving them."""

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.trouble: RetryableError | None = None
        # What is read while the routes are fresh, if that is something else.
        self.newer: Routes | None = None

    def current(self, *, fresh: bool = False) -> Routes:
        if self.trouble is not None:
            raise self.trouble
        return self.newer if fresh and self.newer is not None else self.routes


class FixedSources:
    """Copies of sources; those that are not there raise `trouble`."""

    def __init__(self, sources: dict[str, Source], trouble: RetryableError) -> None:
        self._sources = sources
        self._trouble = trouble

    def source(self, name: str) -> Source:
        if name not in self._sources:
            raise self._trouble
        return self._sources[name]


class FixedSecrets:
    """The values of secrets, and what they are when they are read anew; None if that was done a moment ago."""

    def __init__(self, values: Sequence[str], newer: Sequence[str] | None = None) -> None:
        self._values = values
        self._newer = newer
        self.trouble: RetryableError | None = None

    def values(self, names: tuple[str, ...]) -> Sequence[str]:
        if self.trouble is not None:
            raise self.trouble
        return self._values

    def newer_values(self, names: tuple[str, ...]) -> Sequence[str] | None:
        return self._newer


class KeptExecutions:
    """Executions in a list. After `answers_left` starts, each raises `trouble`."""

    def __init__(self, trouble: Exception | None = None, answers_left: int = 1_000_000) -> None:
        self.requests: list[JobRequest] = []
        self.calls = 0
        self.answers_left = answers_left
        self._trouble = trouble

    def start(self, request: JobRequest) -> bool:
        self.calls += 1
        self.answers_left -= 1
        if self.answers_left < 0 and self._trouble is not None:
            raise self._trouble
        if any(request.request_id == earlier.request_id for earlier in self.requests):
            return False
        self.requests.append(request)
        return True


class KeptQueue:
    """Messages in a list; `trouble` is raised instead of any call."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Sequence[str | None], str]] = []
        self.hidden: list[tuple[str, int]] = []
        self.trouble: RetryableError | None = None
        self.longest_message = 1_000_000

    def put(self, message: str, group: Sequence[str | None], identity: str) -> None:
        if self.trouble is not None and len(message) > self.longest_message:
            raise self.trouble
        self.messages.append((message, group, identity))

    def read(self, body: str) -> str:
        return body

    def hide(self, receipt_handle: str, receive_count: int) -> None:
        self.hidden.append((receipt_handle, receive_count))
        if self.trouble is not None:
            raise self.trouble


class KeptRecords:
    """The queue of the index, in a list; `trouble` is raised instead of any call."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.calls = 0
        self.now = 0.0
        self.trouble: ServiceTrouble | None = None

    def put(self, message: str) -> None:
        self.calls += 1
        if self.trouble is not None:
            raise self.trouble
        self.messages.append(message)

    def log(self) -> DeliveryLog:
        """What writes records of deliveries here."""
        return DeliveryLog(self, clock=lambda: self.now)

    def records(self) -> list[DeliveryRecord]:
        return [DeliveryRecord.model_validate_json(message) for message in self.messages]
