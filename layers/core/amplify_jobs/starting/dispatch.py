"""Starting a job at whichever service runs it. One function does it all, so the state machine knows no services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from amplify_jobs.errors import UnknownResourceError
from amplify_jobs.model.job import Job
from amplify_jobs.model.large_request import PARAMETERS_LIMIT, joined
from amplify_jobs.model.parameters import (
    GenerateBackendAPIModelsParameters,
    HostingParameters,
    OperationParameters,
)
from amplify_jobs.model.request import JobRequest
from amplify_jobs.starting.codegen import Texts, UiBuilder, start_codegen_job
from amplify_jobs.starting.latest import Places, Stops, SupersedeScope, start_latest
from amplify_jobs.starting.models import Attempts, Backend, start_models_job
from amplify_jobs.starting.once import Leases, Starts, start_once
from amplify_jobs.starting.superseding import SupersedingRequest

if TYPE_CHECKING:
    from amplify_jobs.model.codegen_parameters import StartCodegenJobParameters


class Store(Leases, Attempts, Places, Protocol):
    """What is asked of the jobs table; aws.jobs_table does it."""


class Hosting(Starts, Stops, Protocol):
    """What is asked of Amplify Hosting; aws.amplify.Amplify does it."""


class Objects(Texts, Protocol):
    """What reads objects of S3; aws.s3.Objects does it."""

    def read_json_object(self, uri: str, limit: int) -> dict[str, Any]: ...


@dataclass(frozen=True)
class JobStarts:
    """Amplify Hosting, UI Builder and Backend, and the objects that requests name."""

    hosting: Hosting
    ui_builder: UiBuilder
    backend: Backend
    objects: Objects

    def complete(self, request: JobRequest) -> JobRequest:
        """Add the parameters that were too large for the request itself. Raises RequestRejected or ServiceTrouble."""
        if request.parameters_uri is None:
            return request
        return joined(request, self.objects.read_json_object(request.parameters_uri, PARAMETERS_LIMIT))

    def start(
        self,
        start_id: str,
        request: JobRequest,
        parameters: OperationParameters,
        *,
        region: str,
        store: Store,
        wake: Callable[[str], object],
        now: Callable[[], datetime],
    ) -> Job:
        """Start the job that a request asks for, exactly once for each `start_id` as far as its service shows it.

        Safe to call again. `wake` completes the task of an execution whose job was stopped for this one. Raises
        RequestRejected if it can't be started, Superseded if it is not to be; Throttled, BranchBusy, StartUnresolved or
        ServiceTrouble if it is to be called again later.
        """
        with _naming_the_place(request):
            if isinstance(parameters, GenerateBackendAPIModelsParameters):
                return start_models_job(start_id, parameters, backend=self.backend, store=store, now=now)
            if not isinstance(parameters, HostingParameters):
                codegen = cast("StartCodegenJobParameters", parameters)
                return start_codegen_job(start_id, codegen, ui_builder=self.ui_builder, objects=self.objects)

            def once(superseded_by: str | None = None) -> Job:
                return start_once(
                    start_id,
                    parameters,
                    operation=request.operation,
                    region=region,
                    amplify=self.hosting,
                    store=store,
                    now=now,
                    superseded_by=superseded_by,
                )

            if not request.supersede:
                return once()
            return start_latest(
                SupersedingRequest(request.request_id, request.event_time or request.received_at, request.received_at),
                SupersedeScope(
                    region, request.operation, parameters.app_id, parameters.branch_name, request.cause.kind
                ),
                once,
                amplify=self.hosting,
                store=store,
                wake=wake,
                now=now,
            )


@contextmanager
def _naming_the_place(request: JobRequest) -> Iterator[None]:
    """Reject a request for what its service does not know, with the place where it was written."""
    try:
        yield
    except UnknownResourceError as error:
        raise error.rejection(request.route) from error
