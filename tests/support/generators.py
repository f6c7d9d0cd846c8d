"""UI Builder and Amplify Backend on the wire, as far as the functions call them; a test says what became of a job."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import ServiceError
from local.server.protocol.match import read_request
from local.server.protocol.respond import respond
from local.server.protocol.validate import validate

FILES = "/_local/files/"


@dataclass
class _Service(ABC):
    """What is called, one call at a time."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, service: str, request: Request) -> Response:
        operation, parameters = read_request(service, request)
        validate(operation, parameters)
        with self._lock:
            self.calls.append((operation.name, parameters))
            return respond(operation, self._answer(operation.name, parameters))

    @abstractmethod
    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Give the output of a call; raises ServiceError."""


@dataclass
class UiBuilder(_Service):
    """Codegen jobs by id, and the files that their addresses lead to."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    # Path below FILES -> what is answered there: bytes, or an HTTP status.
    files: dict[str, bytes | int] = field(default_factory=dict)
    asked_for: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Response | None:
        if not request.path.startswith(FILES):
            return None
        path = request.path.removeprefix(FILES)
        with self._lock:
            self.asked_for.append(path)
            content = self.files.get(path, 404)
        return Response(status=content) if isinstance(content, int) else Response(content)

    def answer_site(self, request: Request) -> Response | None:
        return None

    def takes_order(self, request: Request) -> bool:
        return False

    def succeed(self, job_id: str, url: str, files: dict[str, bytes], **more: Any) -> None:
        """Let a job succeed with these files, and further entries of its manifest."""
        output = [
            {"fileName": name, "schemaName": name.partition(".")[0], "downloadUrl": f"{url}{FILES}{job_id}/{name}?s=x"}
            for name in files
        ]
        self.files |= {f"{job_id}/{name}": content for name, content in files.items()}
        self.files[f"{job_id}/manifest"] = json.dumps({"Output": [*output, *more.pop("entries", [])]}).encode()
        asset = {"downloadUrl": f"{url}{FILES}{job_id}/manifest?s=x"}
        self.jobs[job_id] |= {"status": "succeeded", "asset": asset, "modifiedAt": datetime.now(UTC), **more}

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if operation == "StartCodegenJob":
            token = parameters.get("clientToken", "")
            if token not in self.tokens:
                job_id = f"job-{len(self.jobs) + 1}"
                self.tokens[token] = job_id
                now = datetime.now(UTC)
                ids = {"id": job_id, "appId": parameters["appId"], "environmentName": parameters["environmentName"]}
                order = {name: value for name, value in parameters["codegenJobToCreate"].items() if name != "tags"}
                self.jobs[job_id] = {**order, **ids, "status": "in_progress", "createdAt": now, "modifiedAt": now}
            return {"entity": self.jobs[self.tokens[token]]}
        if parameters["id"] not in self.jobs:
            raise ServiceError("ResourceNotFoundException", f"Job {parameters['id']} not found", 404)
        return {"job": self.jobs[parameters["id"]]}


@dataclass
class Backend(_Service):
    """An environment's jobs by id, and the models that the last of them made."""

    environments: set[str] = field(default_factory=lambda: {"dev"})
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if parameters["BackendEnvironmentName"] not in self.environments:
            raise ServiceError("NotFoundException", "Backend environment not found.", 404)
        match operation:
            case "GenerateBackendAPIModels":
                return self._generate(parameters)
            case "ListBackendJobs":
                return {"Jobs": list(reversed(self.jobs.values()))}
            case "GetBackendAPIModels":
                return self.models
        if parameters["JobId"] not in self.jobs:
            raise ServiceError("NotFoundException", f"Job {parameters['JobId']} not found.", 404)
        return self.jobs[parameters["JobId"]]

    def _generate(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if any(job["Status"] == "RUNNING" for job in self.jobs.values()):
            message = (
                f"There is already a pending job for the requested appId: {parameters['AppId']} and "
                f"backendEnvironmentName: {parameters['BackendEnvironmentName']}, "
                "wait for it to complete before creating a new job."
            )
            raise ServiceError("BadRequestException", message)
        job_id = f"models-{len(self.jobs) + 1}"
        place = {"AppId": parameters["AppId"], "BackendEnvironmentName": parameters["BackendEnvironmentName"]}
        job = {**place, "JobId": job_id, "Operation": "GenerateBackendAPIModels", "Status": "RUNNING"}
        self.jobs[job_id] = {**job, "CreateTime": datetime.now(UTC).isoformat()}
        return job
