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

    def __init__(
        self, services: Mapping[str, GeneratingService], *, files: Files, objects: Objects, bucket: str
    ) -> None:
        self._services = services
        self._files = files
        self._objects = objects
        self._bucket = bucket

    def collect(self, job: Job, request: JobRequest, until: float) -> CollectionResult:
        """Fetch and store what a job that succeeded has made, before time.monotonic says `until`.

        Raises nothing of ours: what can't be had is in the answer. Done again, it writes the same objects again.
        """
        folder = f"s3://{self._bucket}/results/{request.request_id}/"
        try:
            output = self._services[job.operation].get_output(job, request)
            if output.manifest_url is not None:
                return self._listed_files(output.manifest_url, output.errors, folder, until)
            stored = [self._stored(folder + name, text.encode) for name, text in output.texts.items()]
            return _collected(folder, stored, output.errors, ())
        except AmplifyJobsError as error:
            missing = (MissingFile(reason=str(error)),)
            return CollectionResult(Results(folder=folder, missing=missing), isinstance(error, RetryableError))

    def _listed_files(
        self, manifest_url: str, errors: tuple[PartialError, ...], folder: str, until: float
    ) -> CollectionResult:
        try:
            manifest = read_manifest(self._files.get(manifest_url, limit=MANIFEST_LIMIT, until=until))
        except NotDownloadableError as error:
            raise NotDownloadableError(f"the job's manifest can't be fetched: {error}") from error
        # First, since boto3 makes its clients safely in one thread only.
        stored = [self._stored(folder + MANIFEST, lambda: _described(manifest, errors, folder))]
        with ThreadPoolExecutor(MAX_PARALLEL_DOWNLOADS) as pool:
            stored += pool.map(lambda output: self._file(output, folder, until), manifest.outputs)
        return _collected(folder, stored, merge_errors(errors, manifest.errors), manifest.missing)

    def _file(self, output: Output, folder: str, until: float) -> _Stored:
        return self._stored(folder + output.name, lambda: self._files.get(output.url, limit=FILE_LIMIT, until=until))

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
