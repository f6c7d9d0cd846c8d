"""Brings what a job generated into the stack's bucket, as far as it can be had."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from amplify_jobs.errors import AmplifyJobsError, NotDownloadableError, RetryableError
from amplify_jobs.following.manifest import Manifest, Output, read_manifest
from amplify_jobs.model.job import Job
from amplify_jobs.model.request import JobRequest
from amplify_jobs.model.results import (
    JobOutput,
    MissingFile,
    PartialError,
    Results,
    merge_errors,
)

MANIFEST_LIMIT = 4 * 1024 * 1024
MAX_PARALLEL_DOWNLOADS = 8
FILE_LIMIT = 5 * 1024 * 1024
MANIFEST = "manifest.json"


class GeneratingService(Protocol):
    """A service of the registry of operations whose jobs generate files."""

    def get_output(self, job: Job, request: JobRequest) -> JobOutput: ...


class Files(Protocol):
    """Downloads of files, as aws.download provides them."""

    def get(self, url: str, *, limit: int, until: float) -> bytes: ...


class Objects(Protocol):
    """The objects of S3, as aws.s3 provides them."""

    def write(self, uri: str, content: bytes, content_type: str) -> None: ...


@dataclass(frozen=True)
class CollectionResult:
    """The results in the bucket; with `try_again`, a later try may store more of them."""

    results: Results
    try_again: bool = False


class Collector:
    """Collects the results of jobs into one bucket, each request's in a folder of its own."""

    def __init__(
        self, services: Mapping[str, GeneratingService], *, files: Files, objects: Objects, bucket: str
    ) -> None:
        self._services = services
        self._files = files
        self._objects = objects
        self._bucket = bucket

    def collect(self, job: Job, request: JobRequest, until: float) -> CollectionResult:
        """Fetch and store the files of a job that succeeded, before time.monotonic says `until`.

        Raises none of our errors: the result names each missing file. A repeat writes the same objects again.
        """
        folder = f"s3://{self._bucket}/results/{request.request_id}/"
        try:
            output = self._services[job.operation].get_output(job, request)
            if output.manifest_url is not None:
                return self._store_listed_files(output.manifest_url, output.errors, folder, until)
            stored = [self._store(folder + name, text.encode) for name, text in output.texts.items()]
            return _result(folder, stored, output.errors, ())
        except AmplifyJobsError as error:
            missing = (MissingFile(reason=str(error)),)
            return CollectionResult(Results(folder=folder, missing=missing), isinstance(error, RetryableError))

    def _store_listed_files(
        self, manifest_url: str, errors: tuple[PartialError, ...], folder: str, until: float
    ) -> CollectionResult:
        try:
            manifest = read_manifest(self._files.get(manifest_url, limit=MANIFEST_LIMIT, until=until))
        except NotDownloadableError as error:
            raise NotDownloadableError(f"the job's manifest can't be fetched: {error}") from error
        # First, since boto3 makes its clients safely in one thread only.
        stored = [self._store(folder + MANIFEST, lambda: _stored_manifest(manifest, errors, folder))]
        with ThreadPoolExecutor(MAX_PARALLEL_DOWNLOADS) as pool:
            stored += pool.map(lambda output: self._store_file(output, folder, until), manifest.outputs)
        return _result(folder, stored, merge_errors(errors, manifest.errors), manifest.missing)

    def _store_file(self, output: Output, folder: str, until: float) -> _StoredFile:
        return self._store(folder + output.name, lambda: self._files.get(output.url, limit=FILE_LIMIT, until=until))

    def _store(self, uri: str, content: Callable[[], bytes]) -> _StoredFile:
        name = uri.rpartition("/")[2]
        try:
            self._objects.write(uri, content(), _content_type(name))
        except AmplifyJobsError as error:
            return _StoredFile(
                missing=MissingFile(name=name, reason=str(error)), try_again=isinstance(error, RetryableError)
            )
        return _StoredFile(uri=uri)


@dataclass(frozen=True)
class _StoredFile:
    uri: str | None = None
    missing: MissingFile | None = None
    try_again: bool = False


def _result(
    folder: str, stored: list[_StoredFile], errors: tuple[PartialError, ...], missing: tuple[MissingFile, ...]
) -> CollectionResult:
    results = Results(
        folder=folder,
        files=tuple(sorted(file.uri for file in stored if file.uri is not None)),
        partial_errors=errors,
        missing=(*(file.missing for file in stored if file.missing is not None), *missing),
    )
    return CollectionResult(results, any(file.try_again for file in stored))


def _stored_manifest(manifest: Manifest, errors: tuple[PartialError, ...], folder: str) -> bytes:
    """Write the manifest for the bucket: with the files' s3:// addresses instead of signed ones.

    It holds everything, also what an announcement may have to leave out.
    """
    names = {output.name for output in manifest.outputs}
    output = [
        entry | ({"location": folder + entry["fileName"]} if entry.get("fileName") in names else {})
        for entry in manifest.entries
    ]
    failures = [error.model_dump(by_alias=True) for error in errors]
    return json.dumps({"Output": output} | ({"codegenErrors": failures} if failures else {}), indent=2).encode()


def _content_type(name: str) -> str:
    return "application/json" if name.endswith(".json") else "text/plain; charset=utf-8"
