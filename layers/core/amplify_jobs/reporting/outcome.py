"""What became of a report, for the index: nothing of a report waits for it, or fails with it."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal, Protocol

from pydantic import AwareDatetime

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.base import GrowingModel


class ReportOutcome(GrowingModel):
    """What became of a report: `state` is one of sending.Result, or waiting; `text` is what was told, or why not."""

    version: Literal["1"] = "1"
    record: Literal["report"] = "report"
    request_id: str
    target: str
    kind: str
    subject: str
    state: str
    at: AwareDatetime
    text: str | None = None


class Queue(Protocol):
    """The queue of the index; aws.index_queue.IndexQueue."""

    def put(self, message: str) -> None: ...


def write_outcome(queue: Queue, outcome: ReportOutcome) -> None:
    """Write it down, if that can be done now."""
    with suppress(ServiceTrouble):
        queue.put(outcome.model_dump_json(by_alias=True, exclude_none=True))
