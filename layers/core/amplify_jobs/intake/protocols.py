"""What the stages of the intake need of AWS; the modules of amplify_jobs.aws named below provide it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from amplify_jobs.model.request import JobRequest
from amplify_jobs.routing.routes import Source


class SourceCopies(Protocol):
    """Sources that are read without the routes; aws.stored_routes.StoredSources."""

    def source(self, name: str) -> Source: ...


class Secrets(Protocol):
    """The values of secrets; aws.secrets.Secrets."""

    def values(self, names: tuple[str, ...]) -> Sequence[str]: ...

    def newer_values(self, names: tuple[str, ...]) -> Sequence[str] | None: ...


class Executions(Protocol):
    """Starts the execution of a request; aws.executions.Executions."""

    def start(self, request: JobRequest) -> bool: ...


class Queue(Protocol):
    """The intake queue; aws.intake_queue.IntakeQueue."""

    def put(self, message: str, group: Sequence[str | None], identity: str) -> None: ...

    def read(self, body: str) -> str: ...

    def hide(self, receipt_handle: str, receive_count: int) -> None: ...
