"""What a start of a job is made of, and what starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import SerializeAsAny

from amplify_jobs.model.base import Model
from amplify_jobs.model.job import Job
from amplify_jobs.model.parameters import OperationParameters
from amplify_jobs.model.request import JobRequest
from amplify_jobs.starting.protocols import JobsTable, Objects


class StartCommand(Model):
    """One start of a request's, by its id: the first job of the request, or a later one.

    `warnings` are those that are known before the start.
    """

    start_id: str
    request: JobRequest
    parameters: SerializeAsAny[OperationParameters]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class StartResources:
    """What the starters of all operations share.

    `wake` completes the task of an execution that waits for a job, by its token; `now` is the clock.
    """

    region: str
    jobs: JobsTable
    objects: Objects
    wake: Callable[[str], object]
    now: Callable[[], datetime]


class Starter(Protocol):
    """Starts jobs of an operation; the registry of operations names one for each.

    It is made as `Starter(service, resources)`, with the operation's service.
    """

    def start(self, start_id: str, request: JobRequest, parameters: Any, /) -> Job:
        """Start a job exactly once for each `start_id`, as far as its service shows it. Safe to call again.

        Raises RequestRejected if it can't be started, Superseded if it must not be started; Throttled, BranchBusy,
        StartUnresolved or ServiceTrouble if it is to be called again later.
        """
