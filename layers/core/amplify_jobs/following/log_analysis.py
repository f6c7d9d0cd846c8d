"""Why a hosting job failed and which commit it built, by the logs of its steps, of which it keeps copies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from amplify_jobs.errors import AmplifyJobsError, RetryableError
from amplify_jobs.model.failure import Failure
from amplify_jobs.model.job import Job, JobState, Step, StepAddress
from amplify_jobs.model.request import JobRequest

if TYPE_CHECKING:
    from amplify_jobs.diagnosing.bounds import Readable
    from amplify_jobs.diagnosing.diagnosis import StepLog

BUILD_TIMEOUT_VARIABLE = "_BUILD_TIMEOUT"
DEFAULT_BUILD_TIMEOUT_MINUTES = 30.0
CONTENT_TYPE = "text/plain; charset=utf-8"
# What frameworks put into the pages of a site is public.
_PUBLIC_NAME = re.compile(r"^(?:NEXT_PUBLIC|NUXT_PUBLIC|VITE|REACT_APP|VUE_APP|GATSBY|PUBLIC|EXPO_PUBLIC)_")
_SECRET_NAME = re.compile(
    r"(?i)secret|token|passw|passphrase|pwd|key|credential|auth|private|signature|dsn|webhook|cert"
)
_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
_UNSAFE_IN_KEYS = re.compile(r"[^A-Za-z0-9_.-]+")


class Builds(Protocol):
    """What is asked of Amplify Hosting; aws.amplify.Amplify does it."""

    def step_addresses(self, job: Job) -> tuple[StepAddress, ...]: ...

    def build_variables(self, job: Job) -> Mapping[str, str]: ...


class LogFiles(Protocol):
    """What fetches a log; aws.download.Downloads does it."""

    def get_bounded(self, url: str, *, keep: Callable[[Readable], bytes], until: float) -> bytes: ...


class Objects(Protocol):
    """What stores a log; aws.s3.Objects does it."""

    def write(self, uri: str, content: bytes, content_type: str) -> None: ...


@dataclass(frozen=True)
class Analysis:
    """What the logs tell. `missing` says why a log could not be read or stored; with `try_again` it may be later."""

    failure: Failure | None = None
    commit_built: str | None = None
    missing: tuple[str, ...] = ()
    try_again: bool = False


@dataclass
class _Reading:
    """The logs of a job as far as they could be read, and what its variables say must not be told."""

    job: Job
    request: JobRequest
    secrets: frozenset[str]
    build_timeout_minutes: float
    logs: list[tuple[Step, bytes]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    try_again: bool = False

    def note(self, reason: str, error: AmplifyJobsError) -> None:
        """Note why something is missing."""
        self.missing.append(reason)
        self.try_again = self.try_again or isinstance(error, RetryableError)


class LogAnalysis:
    """Reads the logs of hosting jobs, and keeps copies without secrets in one bucket, each request's in a folder."""

    def __init__(self, *, builds: Builds, files: LogFiles, objects: Objects, bucket: str) -> None:
        self._builds = builds
        self._files = files
        self._objects = objects
        self._bucket = bucket

    def analyse(self, state: JobState, request: JobRequest, until: float) -> Analysis:
        """Judge the logs of a job that ended, before time.monotonic says `until`.

        Raises nothing of ours: what can't be had is in the answer. Done again, it writes the same objects again. Of a
        job whose variables can't be read nothing is told, since they say what must not be published.
        """
        try:
            steps = self._builds.step_addresses(state.job)
            variables = self._builds.build_variables(state.job)
        except AmplifyJobsError as error:
            return Analysis(missing=(str(error),), try_again=isinstance(error, RetryableError))
        reading = _Reading(state.job, request, secret_values(variables), build_timeout_minutes(variables))
        for address in steps:
            reading.logs.append((address.step, self._content(address, reading, until)))
        return self._judge(reading)

    def _content(self, address: StepAddress, reading: _Reading, until: float) -> bytes:
        # Dozens of regular expressions come with it, which no other poll needs.
        from amplify_jobs.diagnosing.bounds import bounded  # noqa: PLC0415

        if address.log_url is None:
            return b""
        try:
            return self._files.get_bounded(address.log_url, keep=bounded, until=until)
        except AmplifyJobsError as error:
            reading.note(f"the log of step {address.step.name} can't be read: {error}", error)
            return b""

    def _judge(self, reading: _Reading) -> Analysis:
        from amplify_jobs.diagnosing.diagnose import diagnose  # noqa: PLC0415

        steps = [
            _step_log(step, content, self._copy(number, step, content, reading))
            for number, (step, content) in enumerate(reading.logs, start=1)
        ]
        diagnosis = diagnose(steps, reading.secrets, reading.build_timeout_minutes)
        return Analysis(diagnosis.failure, diagnosis.commit_built, tuple(reading.missing), reading.try_again)

    def _copy(self, number: int, step: Step, content: bytes, reading: _Reading) -> str | None:
        """Keep a copy of a log without secrets, and say where."""
        from amplify_jobs.diagnosing.redaction import redacted  # noqa: PLC0415

        if not content:
            return None
        name = _UNSAFE_IN_KEYS.sub("-", step.name).strip("-.").lower() or "step"
        uri = f"s3://{self._bucket}/logs/{reading.request.request_id}/{reading.job.job_id}-{number}-{name}.txt"
        try:
            self._objects.write(uri, redacted(content, reading.secrets).encode(), CONTENT_TYPE)
        except AmplifyJobsError as error:
            reading.note(str(error), error)
            return None
        return uri


def _step_log(step: Step, content: bytes, uri: str | None) -> StepLog:
    from amplify_jobs.diagnosing.diagnosis import StepLog  # noqa: PLC0415

    duration = step.finished_at - step.started_at if step.finished_at and step.started_at else None
    return StepLog(
        name=step.name,
        text=content,
        status=step.status,
        status_reason=step.reason,
        duration_seconds=duration.total_seconds() if duration else None,
        log=uri,
    )


def secret_values(variables: Mapping[str, str]) -> frozenset[str]:
    """The values of variables that may be secrets, by their names, and the passwords in addresses.

    A variable that a framework puts into the pages of a site is public.
    """
    private = {name: value for name, value in variables.items() if not _PUBLIC_NAME.match(name)}
    named = {value for name, value in private.items() if _SECRET_NAME.search(name)}
    return frozenset(named | {match[1] for value in private.values() if (match := _PASSWORD.search(value))})


def build_timeout_minutes(variables: Mapping[str, str]) -> float:
    """How long a build may take: the app's or the branch's _BUILD_TIMEOUT (Amplify user guide: build timeout)."""
    try:
        return float(int(variables.get(BUILD_TIMEOUT_VARIABLE, "")))
    except ValueError:
        return DEFAULT_BUILD_TIMEOUT_MINUTES
