"""Amplify UI Builder's codegen jobs: forms, theme, index and utilities, by AWS's own generator."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock, Semaphore, Thread
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

from local.amplify.addresses import Addresses
from local.amplify.hosting import Hosting
from local.amplify.pagination import page
from local.codegen import Generator, GeneratorError, UiCode
from local.server.protocol.errors import ServiceError
from local.server.protocol.match import raw_path
from local.server.service import Operations, Parameters, Result

log = logging.getLogger(__name__)

# A job takes the generator some 400 MB.
MAX_PARALLEL_JOBS = 2
MANIFEST = "manifest.json"


@dataclass
class CodegenJob:
    """One codegen job; `order` is the codegenJobToCreate that it was started with, `directory` holds its files."""

    serial: int
    app_id: str
    environment: str
    client_token: str | None
    order: dict[str, Any]
    directory: Path
    created: datetime
    modified: datetime
    id: str = field(default_factory=lambda: str(uuid4()))
    key: str = field(default_factory=lambda: uuid4().hex)
    status: str = "in_progress"
    message: str | None = None
    code: UiCode | None = None


class UiBuilder:
    """The codegen jobs of one account and Region; `operations` are those that the local cloud has, by the API's names.

    Environments are not checked, since nothing here has to be made for one before.
    """

    def __init__(
        self, *, lock: RLock, addresses: Addresses, hosting: Hosting, generator: Generator, state_dir: Path
    ) -> None:
        self._lock = lock
        self._addresses = addresses
        self._hosting = hosting
        self._generator = generator
        self._state_dir = state_dir
        self._jobs: dict[str, CodegenJob] = {}
        self._threads: list[Thread] = []
        self._slots = Semaphore(MAX_PARALLEL_JOBS)
        self.operations: Operations = {
            "StartCodegenJob": self.start_codegen_job,
            "GetCodegenJob": self.get_codegen_job,
            "ListCodegenJobs": self.list_codegen_jobs,
        }

    def start_codegen_job(self, params: Parameters) -> Result:
        """Start a job, or answer the one that the same clientToken started."""
        order = params["codegenJobToCreate"]
        if len(order["renderConfig"]) != 1:
            raise ServiceError("InvalidParameterException", "renderConfig must have exactly one member: react")
        with self._lock:
            self._check_app(params["appId"])
            job = self._started_by(params)
            if job is None:
                job = self._start(params, order)
            return {"entity": self._describe(job)}

    def get_codegen_job(self, params: Parameters) -> Result:
        with self._lock:
            job = self._jobs.get(params["id"])
            if job is None or (job.app_id, job.environment) != (params["appId"], params["environmentName"]):
                raise ServiceError("ResourceNotFoundException", f"Codegen job {params['id']} not found.", 404)
            return {"job": self._describe(job)}

    def list_codegen_jobs(self, params: Parameters) -> Result:
        """Newest first."""
        place = (params["appId"], params["environmentName"])
        with self._lock:
            self._check_app(params["appId"])
            matching = [job for job in self._jobs.values() if (job.app_id, job.environment) == place]
            try:
                jobs, token = page(matching, lambda job: -job.serial, params, 100)
            except ServiceError as error:
                raise ServiceError("InvalidParameterException", error.message) from None
        return {"entities": [_summarise(job) for job in jobs], "nextToken": token}

    def answer(self, request: Request) -> Response | None:
        """Answer the addresses of manifests and files, /_local/codegen/…; None for any other."""
        match [unquote(segment) for segment in raw_path(request).split("/")[1:]]:
            case ["_local", "codegen", key, name] if request.method in {"GET", "HEAD"}:
                refused = self._addresses.refusal(f"/_local/codegen/{key}/{name}", request.args, datetime.now(UTC))
                if refused is not None:
                    return Response(refused + "\n", 403, mimetype="text/plain")
                with self._lock:
                    job = next((job for job in self._jobs.values() if job.key == key), None)
                if job is not None and job.code is not None:
                    return self._file(job, job.code, name, request)
        return None

    def close(self) -> None:
        """Wait until all jobs are gone; the generator has been stopped before."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _check_app(self, app_id: str) -> None:
        try:
            self._hosting.app(app_id)
        except ServiceError as error:
            # StartCodegenJob and ListCodegenJobs declare no error for what is not found.
            raise ServiceError("InvalidParameterException", error.message) from None

    def _started_by(self, params: Parameters) -> CodegenJob | None:
        token = params.get("clientToken")
        identity = (params["appId"], params["environmentName"], token)
        jobs = self._jobs.values()
        return next(
            (job for job in jobs if token and (job.app_id, job.environment, job.client_token) == identity), None
        )

    def _start(self, params: Parameters, order: dict[str, Any]) -> CodegenJob:
        now = datetime.now(UTC)
        serial = len(self._jobs) + 1
        directory = self._state_dir / str(uuid4())
        token = params.get("clientToken")
        job = CodegenJob(serial, params["appId"], params["environmentName"], token, order, directory, now, now)
        self._jobs[job.id] = job
        thread = Thread(target=self._run, args=(job,), name=f"codegen-{serial}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return job

    def _run(self, job: CodegenJob) -> None:
        code, message = None, None
        try:
            with self._slots:
                job.directory.mkdir(parents=True)
                code = self._generator.generate_ui(job.order, job.directory)
            if code.errors:
                errors = [{"schemaName": error.schema_name, "error": error.error} for error in code.errors]
                message = json.dumps({"codegenErrors": errors})
        except GeneratorError as error:
            message = str(error)
        except Exception:
            log.exception("the codegen job %s failed in the local cloud", job.id)
            message = "The job failed in the local cloud itself; its output says more"
        with self._lock:
            job.code, job.message = code, message
            job.status = "failed" if code is None else "succeeded"
            job.modified = datetime.now(UTC)

    def _file(self, job: CodegenJob, code: UiCode, name: str, request: Request) -> Response:
        if name == MANIFEST:
            return Response(json.dumps({"Output": self._manifest(job, code)}), mimetype="application/json")
        try:
            # As text, so that a browser shows it.
            return send_from_directory(job.directory, name, request.environ, mimetype="text/plain; charset=utf-8")
        except NotFound:
            return Response(f"the job made no {name}\n", 404, mimetype="text/plain")

    def _manifest(self, job: CodegenJob, code: UiCode) -> list[dict[str, str]]:
        script = job.order["renderConfig"]["react"].get("script", "tsx")
        files = [
            {
                "fileName": file.file_name,
                "schemaName": file.schema_name,
                "downloadUrl": self._addresses.signed(f"/_local/codegen/{job.key}/{file.file_name}"),
            }
            for file in code.files
        ]
        errors = [
            {"fileName": f"{error.schema_name}.{script}", "schemaName": error.schema_name, "error": error.error}
            for error in code.errors
        ]
        return files + errors

    def _describe(self, job: CodegenJob) -> Result:
        url = self._addresses.signed(f"/_local/codegen/{job.key}/{MANIFEST}")
        return {
            **job.order,
            **_summarise(job),
            "status": job.status,
            "statusMessage": job.message,
            "asset": {"downloadUrl": url} if job.code is not None else None,
            "dependencies": list(job.code.dependencies) if job.code is not None else None,
        }


def _summarise(job: CodegenJob) -> Result:
    return {
        "id": job.id,
        "appId": job.app_id,
        "environmentName": job.environment,
        "createdAt": job.created,
        "modifiedAt": job.modified,
    }
