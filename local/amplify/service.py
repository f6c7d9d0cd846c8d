"""Local Amplify as a whole: AWS calls in, answers, pages and events out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

from werkzeug.wrappers import Request, Response

from local.amplify import trail
from local.amplify.addresses import Addresses
from local.amplify.backend import Backend
from local.amplify.deployments import Deployments
from local.amplify.hosting import Hosting
from local.amplify.jobs import SITE_BYTES, Jobs
from local.amplify.sites import Sites
from local.amplify.sources import OpenS3
from local.amplify.ui_builder import UiBuilder
from local.codegen import Generator
from local.server.protocol.errors import ServiceError, error_response, not_implemented
from local.server.protocol.match import read_request
from local.server.protocol.respond import respond
from local.server.protocol.validate import validate

SECONDS_A_MINUTE = 60.0


def utc_now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


class LocalAmplify:
    """Amplify Hosting, UI Builder and Backend on this machine, for one account and Region.

    State is kept in memory, files under `state_dir`. `base_url` is where `handle` and `local` are reached. `emit` takes
    the events that AWS sends to the default bus, `s3` gives a client of the S3 that deployments are read from. `minute`
    is what a minute of a job's time limit lasts, in seconds, `now` tells the time of day, and `site_bytes` is the most
    that a deployed site may have.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        account: str,
        region: str,
        base_url: str,
        emit: Callable[[dict[str, Any]], None],
        s3: OpenS3,
        minute: float = SECONDS_A_MINUTE,
        now: Callable[[], datetime] = utc_now,
        site_bytes: int = SITE_BYTES,
        generator: Generator | None = None,
    ) -> None:
        self._emit = emit
        self._now = now
        self._api_call = partial(trail.api_call, account=account, region=region)
        lock = RLock()
        addresses = Addresses(account=account, region=region, base_url=base_url)
        self._jobs = Jobs(
            lock=lock,
            addresses=addresses,
            state_dir=state_dir,
            emit=emit,
            minute=minute,
            now=now,
            site_bytes=site_bytes,
        )
        hosting = Hosting(lock=lock, addresses=addresses, jobs=self._jobs)
        self._deployments = Deployments(
            lock=lock, addresses=addresses, hosting=hosting, jobs=self._jobs, state_dir=state_dir, s3=s3, now=now
        )
        self._sites = Sites(lock=lock, addresses=addresses, hosting=hosting)
        self._generator = generator or Generator()
        self._ui_builder = UiBuilder(
            lock=lock,
            addresses=addresses,
            hosting=hosting,
            generator=self._generator,
            state_dir=state_dir / "codegen",
        )
        self._backend = Backend(lock=lock, hosting=hosting, generator=self._generator)
        self._operations: Mapping[str, Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
            "amplify": {**hosting.operations, **self._deployments.operations},
            "amplifyuibuilder": self._ui_builder.operations,
            "amplifybackend": self._backend.operations,
        }

    def handle(self, service: str, request: Request) -> Response:
        """Answer a call of amplify, amplifyuibuilder or amplifybackend, errors included."""
        try:
            operation, params = read_request(service, request)
        except ServiceError as error:
            return error_response(service, error.code, error.message, error.status)
        answer = self._operations[service].get(operation.name)
        if answer is None:
            missing = not_implemented(service, operation.name)
            return error_response(service, missing.code, missing.message, missing.status)
        try:
            validate(operation, params)
            result = answer(params)
            if service == "amplify" and operation.name in trail.ENDING_CALLS:
                self._emit(self._api_call(operation.name, params, now=self._now()))
            return respond(operation, result)
        except ServiceError as error:
            declared = {shape.name for shape in operation.error_shapes}
            # ListJobs, ListBranches, ListArtifacts and CreateDeployment declare no NotFoundException.
            if error.code == "NotFoundException" and error.code not in declared:
                return error_response(service, "BadRequestException", error.message, 400)
            return error_response(service, error.code, error.message, error.status)

    def local(self, request: Request) -> Response | None:
        """Answer an address beside the API: a site, a job's page, a file, an upload; None if it is none of these."""
        return self._sites.answer(request) or self._deployments.answer(request) or self._ui_builder.answer(request)

    def close(self) -> None:
        """End all builds and generators with their processes, and wait until they are gone."""
        self._generator.stop()
        self._jobs.close()
        self._ui_builder.close()
        self._backend.close()
