"""Local Amplify as a whole: AWS calls in, answers, pages and events out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from werkzeug.wrappers import Request, Response

from local.amplify import trail
from local.amplify.backend import Backend
from local.amplify.context import AmplifyContext, JobLimits
from local.amplify.deployments import Deployments
from local.amplify.hosting import Hosting
from local.amplify.jobs import Jobs
from local.amplify.sites import Sites
from local.amplify.ui_builder import UiBuilder
from local.codegen import Generator
from local.server.protocol.errors import ServiceError
from local.server.protocol.match import operation_name
from local.server.protocol.models import service_model
from local.server.service import Operation, Operations, Parameters, Result, answer


class LocalAmplify:
    """Amplify Hosting, UI Builder and Backend on this machine, for one account and Region.

    State is kept in memory. `context.addresses` says where `handle` and `local` are reached.
    """

    def __init__(
        self, context: AmplifyContext, *, limits: JobLimits | None = None, generator: Generator | None = None
    ) -> None:
        self._context = context
        self._jobs = Jobs(context, limits or JobLimits())
        lock, addresses, state_dir = context.lock, context.addresses, context.state_dir
        hosting = Hosting(lock=lock, addresses=addresses, jobs=self._jobs)
        self._deployments = Deployments(context, hosting, self._jobs)
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
        self._operations: Mapping[str, Operations] = {
            "amplify": {
                name: partial(self._recorded, name, run) if name in trail.ENDING_CALLS else run
                for name, run in {**hosting.operations, **self._deployments.operations}.items()
            },
            "amplifyuibuilder": self._ui_builder.operations,
            "amplifybackend": self._backend.operations,
        }

    def handle(self, service: str, request: Request) -> Response:
        """Answer a call of amplify, amplifyuibuilder or amplifybackend; raises ServiceError."""
        try:
            return answer(service, request, self._operations[service])
        except ServiceError as error:
            # ListJobs, ListBranches, ListArtifacts and CreateDeployment declare no NotFoundException.
            if error.code == "NotFoundException" and not _declares(service, request, error.code):
                raise ServiceError("BadRequestException", error.message) from None
            raise

    def _recorded(self, name: str, run: Operation, parameters: Parameters) -> Result:
        """Run an operation that ends jobs, and send CloudTrail's event of it."""
        result = run(parameters)
        addresses, now = self._context.addresses, self._context.now()
        self._context.emit(
            trail.api_call(name, parameters, account=addresses.account, region=addresses.region, now=now)
        )
        return result

    def local(self, request: Request) -> Response | None:
        """Answer an address beside the API: a site, a job's page, a file, an upload; None if it is none of these."""
        return self._sites.answer(request) or self._deployments.answer(request) or self._ui_builder.answer(request)

    def close(self) -> None:
        """End all builds and generators with their processes, and wait until they are gone."""
        self._generator.stop()
        self._jobs.close()
        self._ui_builder.close()
        self._backend.close()


def _declares(service: str, request: Request, code: str) -> bool:
    name = operation_name(service, request)
    return name is not None and code in {
        shape.name for shape in service_model(service).operation_model(name).error_shapes
    }
