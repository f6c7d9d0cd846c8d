"""Brings what a job generated into the stack's bucket, as far as it can be had."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from amplify_jobs.errors import AmplifyJobsError, NotDownloadableError, RetryableError
from amplify_jobs.following.manifest import Manifest, Output, read_manifest
from amplify_jobs.model.job import Job
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.results import (
    BackendModels,
    CodegenAsset,
    MissingFile,
    PartialError,
    Results,
    all_errors,
)

MANIFEST_LIMIT = 4 * 1024 * 1024
MAX_PARALLEL_DOWNLOADS = 8
FILE_LIMIT = 5 * 1024 * 1024
MANIFEST = "manifest.json"
# As AWS's own generator calls them.
MODELS = "schema.js"
INTROSPECTION_SCHEMA = "model-introspection.json"


class Manifests(Protocol):
    """What is asked of UI Builder; ui_builder.UiBuilder does it."""

    def asset(self, job: Job) -> CodegenAsset: ...


class Models(Protocol):
    """What is asked of Amplify Backend; backend.Backend does it."""

    def get_models(self, job: Job, resource_name: str) -> BackendModels: ...


class Files(Protocol):
    """What fetches a file; downloads.Downloads does it."""

    def get(self, url: str, *, limit: int, until: float) -> bytes: ...


class Objects(Protocol):
    """What stores a file; objects.Objects does it."""

    def write(self, uri: str, content: bytes, content_type: str) -> None: ...


@dataclass(frozen=True)
class CollectionResult:
    """What is in the bucket now; with `try_again`, more of it may be had later."""

    results: Results
    try_again: bool = False


class Collector:
    """Collects the results of jobs into one bucket, each request's in a folder of its own."""

    def __init__(self, *, ui_builder: Manifests, backend: Models, files: Files, objects: Objects, bucket: str) -> None:
        self._ui_builder = ui_builder
        self._backend = backend
        self._files = files
        self._objects = objects
        self._bucket = bucket

    def collect(self, job: Job, request: JobRequest, until: float) -> CollectionResult:
        """Fetch and store what a job that succeeded has made, before time.monotonic says `until`.

        Raises nothing of ours: what can't be had is in the answer. Done again, it writes the same objects again.
        """
        folder = f"s3://{self._bucket}/results/{request.request_id}/"
        try:
            if job.operation == Operation.START_CODEGEN_JOB:
                return self._code(job, folder, until)
            return self._models(job, folder, str(request.parameters.get("ResourceName")))
        except AmplifyJobsError as error:
            missing = (MissingFile(reason=str(error)),)
            return CollectionResult(Results(folder=folder, missing=missing), isinstance(error, RetryableError))

    def _code(self, job: Job, folder: str, until: float) -> CollectionResult:
        asset = self._ui_builder.asset(job)
        try:
            manifest = read_manifest(self._files.get(asset.manifest_url, limit=MANIFEST_LIMIT, until=until))
        except NotDownloadableError as error:
            raise NotDownloadableError(f"the job's manifest can't be fetched: {error}") from error
        # First, since boto3 makes its clients safely in one thread only.
        stored = [self._stored(folder + MANIFEST, lambda: _described(manifest, asset.errors, folder))]
        with ThreadPoolExecutor(MAX_PARALLEL_DOWNLOADS) as pool:
            stored += pool.map(lambda output: self._file(output, folder, until), manifest.outputs)
        return _collected(folder, stored, all_errors(asset.errors, manifest.errors), manifest.missing)

    def _file(self, output: Output, folder: str, until: float) -> _Stored:
        return self._stored(folder + output.name, lambda: self._files.get(output.url, limit=FILE_LIMIT, until=until))

    def _models(self, job: Job, folder: str, resource_name: str) -> CollectionResult:
        made = self._backend.get_models(job, resource_name)
        contents = {MODELS: made.models, INTROSPECTION_SCHEMA: made.introspection_schema}
        stored = [self._stored(folder + name, content.encode) for name, content in contents.items() if content]
        stale = "GetBackendAPIModels calls them STALE: the API's schema has changed since these models were made"
        errors = (PartialError(schema_name=resource_name, error=stale),) if made.status == "STALE" else ()
        return _collected(folder, stored, errors, ())

    def _stored(self, uri: str, content: Callable[[], bytes]) -> _Stored:
        name = uri.rpartition("/")[2]
        try:
            self._objects.write(uri, content(), _content_type(name))
        except AmplifyJobsError as error:
            return _Stored(
                missing=MissingFile(name=name, reason=str(error)), try_again=isinstance(error, RetryableError)
            )
        return _Stored(uri=uri)


@dataclass(frozen=True)
class _Stored:
    uri: str | None = None
    missing: MissingFile | None = None
    try_again: bool = False


def _collected(
    folder: str, stored: list[_Stored], errors: tuple[PartialError, ...], missing: tuple[MissingFile, ...]
) -> CollectionResult:
    results = Results(
        folder=folder,
        files=tuple(sorted(one.uri for one in stored if one.uri is not None)),
        partial_errors=errors,
        missing=(*(one.missing for one in stored if one.missing is not None), *missing),
    )
    return CollectionResult(results, any(one.try_again for one in stored))


def _described(manifest: Manifest, errors: tuple[PartialError, ...], folder: str) -> bytes:
    """The manifest as it is stored: with the files' places in the bucket instead of addresses that are signed.

    It has all of what an announcement may have to leave out.
    """
    names = {output.name for output in manifest.outputs}
    output = [
        entry | ({"location": folder + entry["fileName"]} if entry.get("fileName") in names else {})
        for entry in manifest.entries
    ]
    told = [error.model_dump(by_alias=True) for error in errors]
    return json.dumps({"Output": output} | ({"codegenErrors": told} if told else {}), indent=2).encode()


def _content_type(name: str) -> str:
    return "application/json" if name.endswith(".json") else "text/plain; charset=utf-8"
