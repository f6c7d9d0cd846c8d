"""Starts a job at whichever service runs it: the state machine and the handler know no services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pkgutil import resolve_name
from typing import Annotated, Any

from pydantic import Field

from amplify_jobs.errors import (
    BranchBusy,
    RequestRejected,
    RetryableError,
    StartUnresolved,
    Throttled,
    UnknownResourceError,
)
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.job import Job, JobState, RecordKey
from amplify_jobs.model.large_request import PARAMETERS_LIMIT, join_parameters
from amplify_jobs.model.operations import OPERATIONS, REMOVE_PREVIEW
from amplify_jobs.model.parameters import validated_parameters
from amplify_jobs.model.request import JobRequest
from amplify_jobs.starting.starter import StartCommand, Starter, StartResources
from amplify_jobs.text import sentences

# For so long after its time to start has run out, the job of a start whose answer was lost is searched.
SEARCHED_FOR = timedelta(minutes=10)


class StartRequest(GrowingModel):
    """The state machine's payload for start_job.

    `failed` is the request's job that failed and is to be started again, `attempt` its number, counted from 1.
    """

    request: JobRequest
    failed: JobState | None = None
    failed_attempt: Annotated[int, Field(alias="attempt")] = 1

    @property
    def attempt(self) -> int:
        """The number of the job that is to be started."""
        return self.failed_attempt + 1 if self.failed is not None else 1

    @property
    def start_id(self) -> str:
        """The id of the start: the request's id for the first job, and its number beside it for later ones."""
        return self.request.request_id if self.attempt == 1 else f"{self.request.request_id}#{self.attempt}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is known before the start and told with the job: by the mirror, or by the job that failed."""
        if self.failed is not None:
            return self.failed.job.warnings
        arrival = self.request.mirror.result if self.request.mirror is not None else None
        return arrival.warnings if arrival is not None else ()

    @property
    def start_by(self) -> datetime:
        """When the time to start runs out. A failed job's end begins a new one."""
        since = (self.failed.finished_at or self.failed.started_at) if self.failed is not None else None
        return (since or self.request.received_at) + timedelta(minutes=self.request.start_within_minutes)

    def rejection_if_late(self, error: RetryableError, now: datetime) -> RequestRejected | None:
        """Give the error that ends the request after a failed try; None while its time to start has not run out."""
        # A start that may have been sent is searched for a while longer.
        is_not_sent = isinstance(error, Throttled | BranchBusy)
        if now < self.start_by + (timedelta(0) if is_not_sent else SEARCHED_FOR):
            return None
        minutes = self.request.start_within_minutes
        missed = "Not taken away" if self.request.operation == REMOVE_PREVIEW else "Not started"
        unknown = "It is not known whether a job was started" if isinstance(error, StartUnresolved) else None
        return RequestRejected(
            sentences(f"{missed} within {minutes} minutes (startWithinMinutes)", unknown, f"Last: {error}")
        )


class Start:
    """Starts jobs by the registry of operations, with the services of the operations and what their starters share."""

    def __init__(self, services: Mapping[str, Any], resources: StartResources) -> None:
        self._resources = resources
        self._starters: dict[str, Starter] = {
            operation: resolve_name(spec.starter)(services[operation], resources)
            for operation, spec in OPERATIONS.items()
        }

    def prepare(self, start: StartRequest) -> StartCommand:
        """Add the parameters that were too large for the request, validate them, and adapt them to a retry.

        Raises RequestRejected, or ServiceTrouble.
        """
        request = start.request
        if request.parameters_uri is not None:
            large = self._resources.objects.read_json_object(request.parameters_uri, PARAMETERS_LIMIT)
            request = join_parameters(request, large)
        parameters = validated_parameters(request)
        if start.failed is not None:
            parameters = parameters.for_retry(start.failed.job)
        return StartCommand(
            start_id=start.start_id, request=start.request, parameters=parameters, warnings=start.warnings
        )

    def run(self, command: StartCommand) -> Job:
        """Start the job, exactly once for each start id as far as its service shows it. Raises as Starter.start."""
        request = command.request
        with _naming_the_place(request):
            job = self._starters[request.operation].start(command.start_id, request, command.parameters)
        # A codegen job that is started again has the warnings of its schema once more.
        warnings = tuple(dict.fromkeys((*command.warnings, *job.warnings)))
        return job.model_copy(update={"warnings": warnings})

    def record(self, start: StartRequest, job: Job) -> RecordKey:
        """Record the job, which is followed from now on."""
        now = self._resources.now()
        key = self._resources.jobs.record_start(self._resources.region, start.request, job, now)
        if start.failed is not None:
            self._resources.jobs.link_request_to_job(start.request.request_id, job, now)
        return key


@contextmanager
def _naming_the_place(request: JobRequest) -> Iterator[None]:
    """Reject a request for a resource that its service does not know, with the place where it was written.

    The branch of a preview was there a moment ago.
    """
    try:
        yield
    except UnknownResourceError as error:
        if request.preview is None:
            raise error.rejection(request.route) from error
        number = request.preview.pull_request
        raise RequestRejected(
            f"The preview of pull request {number} was taken away before its job was started: the pull request was "
            f"closed, or somebody deleted the branch {request.branch_name} in Amplify"
        ) from error
