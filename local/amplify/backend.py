"""Amplify Backend: environments, their GraphQL APIs, and the models that AWS's own generator makes of those."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock, Thread
from typing import Any
from uuid import uuid4

from local.amplify.hosting import Hosting
from local.amplify.pagination import page
from local.codegen import GeneratedModels, Generator, GeneratorError
from local.server.protocol.errors import ServiceError
from local.server.service import Operations, Parameters, Result

log = logging.getLogger(__name__)

# The file of the generator's that GetBackendAPIModels answers.
MODELS = "schema.js"
GENERATE = "GenerateBackendAPIModels"


@dataclass
class BackendJob:
    """One job of an environment; statuses are texts that the API does not list."""

    serial: int
    operation: str
    created: datetime
    updated: datetime
    id: str = field(default_factory=lambda: str(uuid4()))
    status: str = "RUNNING"
    error: str | None = None


@dataclass
class Api:
    """A backend API; `models` are those of `models_schema`, the schema that it had when they were made."""

    config: dict[str, Any]
    models: GeneratedModels | None = None
    models_schema: str | None = None

    @property
    def schema(self) -> str | None:
        return self.config.get("TransformSchema")


@dataclass
class Environment:
    """A backend environment of an app."""

    app_id: str
    name: str
    apis: dict[str, Api] = field(default_factory=dict)
    jobs: dict[str, BackendJob] = field(default_factory=dict)


class Backend:
    """The backends of one account and Region; `operations` are those that the local cloud has, by the API's names.

    Only making models takes time here: the jobs of the other operations are complete when they are answered.
    """

    def __init__(self, *, lock: RLock, hosting: Hosting, generator: Generator) -> None:
        self._lock = lock
        self._hosting = hosting
        self._generator = generator
        self._environments: dict[tuple[str, str], Environment] = {}
        self._threads: list[Thread] = []
        self.operations: Operations = {
            "CreateBackend": self.create_backend,
            "CreateBackendAPI": self.create_backend_api,
            "UpdateBackendAPI": self.update_backend_api,
            "GetBackendAPI": self.get_backend_api,
            GENERATE: self.generate_backend_api_models,
            "GetBackendAPIModels": self.get_backend_api_models,
            "GetBackendJob": self.get_backend_job,
            "ListBackendJobs": self.list_backend_jobs,
        }

    # Environments and APIs

    def create_backend(self, params: Parameters) -> Result:
        place = (params["AppId"], params["BackendEnvironmentName"])
        with self._lock:
            self._hosting.app(params["AppId"])
            if place in self._environments:
                raise ServiceError("BadRequestException", f"The app {place[0]} has a backend environment {place[1]}.")
            environment = self._environments[place] = Environment(*place)
            return self._finish(environment, "CreateBackend")

    def create_backend_api(self, params: Parameters) -> Result:
        with self._lock:
            environment = self._environment(params)
            name = params["ResourceName"]
            if name in environment.apis:
                raise ServiceError("BadRequestException", f"{environment.name} has an API called {name}.")
            environment.apis[name] = Api(params["ResourceConfig"])
            return self._finish(environment, "CreateBackendAPI")

    def update_backend_api(self, params: Parameters) -> Result:
        with self._lock:
            environment, api = self._api(params)
            api.config = {**api.config, **params.get("ResourceConfig", {})}
            return self._finish(environment, "UpdateBackendAPI")

    def get_backend_api(self, params: Parameters) -> Result:
        with self._lock:
            environment, api = self._api(params)
            return {
                "AppId": environment.app_id,
                "BackendEnvironmentName": environment.name,
                "ResourceName": params["ResourceName"],
                "ResourceConfig": api.config,
            }

    # Models

    def generate_backend_api_models(self, params: Parameters) -> Result:
        """Start a job that makes the models of an API; an environment has one at a time."""
        with self._lock:
            environment, api = self._api(params)
            if any(job.status == "RUNNING" for job in environment.jobs.values()):
                raise ServiceError(
                    "BadRequestException",
                    f"There is already a pending job for the requested appId: {environment.app_id} and "
                    f"backendEnvironmentName: {environment.name}, "
                    "wait for it to complete before creating a new job.",
                )
            job = self._new_job(environment, GENERATE)
            thread = Thread(target=self._generate, args=(job, api), name=f"models-{job.id}", daemon=True)
            self._threads.append(thread)
            thread.start()
            return _answer(environment, job)

    def get_backend_api_models(self, params: Parameters) -> Result:
        with self._lock:
            _, api = self._api(params)
            if api.models is None:
                message = f"{params['ResourceName']} has no models yet: call {GENERATE}, and wait for its job."
                raise ServiceError("NotFoundException", message, 404)
            return {
                "Models": api.models.files[MODELS],
                "ModelIntrospectionSchema": api.models.introspection_schema,
                "Status": "LATEST" if api.models_schema == api.schema else "STALE",
            }

    # Jobs

    def get_backend_job(self, params: Parameters) -> Result:
        with self._lock:
            environment = self._environment(params)
            job = environment.jobs.get(params["JobId"])
            if job is None:
                raise ServiceError("NotFoundException", f"Job {params['JobId']} not found.", 404)
            return _describe(environment, job)

    def list_backend_jobs(self, params: Parameters) -> Result:
        """Newest first; JobId, Operation and Status select."""
        with self._lock:
            environment = self._environment(params)
            described = [(job.serial, _describe(environment, job)) for job in environment.jobs.values()]
            filters = {name: params[name] for name in ("JobId", "Operation", "Status") if params.get(name)}
            matching = [
                item for item in described if all(item[1].get(name) == value for name, value in filters.items())
            ]
            limits = {"maxResults": params.get("MaxResults"), "nextToken": params.get("NextToken")}
            jobs, token = page(matching, lambda item: -item[0], limits, 25)
            return {"Jobs": [job for _, job in jobs], "NextToken": token}

    def close(self) -> None:
        """Wait until all jobs are gone; the generator has been stopped before."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    # Inner parts; the lock is held, except while models are made

    def _generate(self, job: BackendJob, api: Api) -> None:
        schema = api.schema
        models, error = None, None
        try:
            if schema is None:
                error = "The API has no TransformSchema to make models of"
            else:
                models = self._generator.generate_models(schema)
        except GeneratorError as failure:
            error = str(failure)
        except Exception:
            log.exception("the job %s failed in the local cloud", job.id)
            error = "The job failed in the local cloud itself; its output says more"
        with self._lock:
            if models is not None:
                api.models, api.models_schema = models, schema
            job.error = error
            job.status = "COMPLETED" if error is None else "FAILED"
            job.updated = datetime.now(UTC)

    def _environment(self, params: Parameters) -> Environment:
        app = self._hosting.app(params["AppId"])
        name = params["BackendEnvironmentName"]
        environment = self._environments.get((app.id, name))
        if environment is None:
            raise ServiceError("NotFoundException", f"Backend environment {name} not found.", 404)
        return environment

    def _api(self, params: Parameters) -> tuple[Environment, Api]:
        environment = self._environment(params)
        api = environment.apis.get(params["ResourceName"])
        if api is None:
            raise ServiceError("NotFoundException", f"API {params['ResourceName']} not found.", 404)
        return environment, api

    def _new_job(self, environment: Environment, operation: str) -> BackendJob:
        now = datetime.now(UTC)
        job = BackendJob(len(environment.jobs) + 1, operation, now, now)
        environment.jobs[job.id] = job
        return job

    def _finish(self, environment: Environment, operation: str) -> Result:
        job = self._new_job(environment, operation)
        job.status = "COMPLETED"
        return _answer(environment, job)


def _answer(environment: Environment, job: BackendJob) -> Result:
    return {
        "AppId": environment.app_id,
        "BackendEnvironmentName": environment.name,
        "JobId": job.id,
        "Operation": job.operation,
        "Status": job.status,
        "Error": job.error,
    }


def _describe(environment: Environment, job: BackendJob) -> Result:
    # Here alone times are texts.
    times = {"CreateTime": job.created.isoformat(), "UpdateTime": job.updated.isoformat()}
    return _answer(environment, job) | times
