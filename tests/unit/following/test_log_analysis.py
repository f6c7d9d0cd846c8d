"""The analysis of a job's logs: what is fetched, stored without secrets, and told."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from amplify_jobs.diagnosing.bounds import Readable
from amplify_jobs.errors import AmplifyJobsError, NotDownloadableError, RequestRejected, ServiceTrouble
from amplify_jobs.following.log_analysis import Analysis, LogAnalysis, build_timeout_minutes, secret_values
from amplify_jobs.model.job import Job, JobState, State, Step, StepAddress
from amplify_jobs.model.request import Cause, JobRequest

BEGAN = datetime(2026, 11, 27, 12, tzinfo=UTC)
COMMIT = "3f1c9a7be2d04c55a6e0b1c2d3e4f5a6b7c8d9e0"
JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7")
REQUEST = JobRequest(
    request_id="web-1",
    operation="start_job",
    parameters={},
    cause=Cause(source="github", kind="push"),
    received_at=BEGAN,
)
ENDED = JobState(job=JOB, state=State.FAILED)
HEAD = f"2026-11-27T12:00:00.000Z [INFO]: # Cloning repository: git@example.com:acme/web.git\n\
2026-11-27T12:00:01.000Z [INFO]: # Switching to commit: {COMMIT}\n"
LOG = (
    HEAD
    + "2026-11-27T12:00:02.000Z [INFO]: ## Starting Frontend Build\n"
    + "2026-11-27T12:00:03.000Z [INFO]: # Starting phase: build\n"
    + "2026-11-27T12:00:03.100Z [INFO]: # Executing command: npm run build\n"
    + "2026-11-27T12:00:04.000Z [WARNING]: sh: line 1: vite: command not found, s3cr3t-value and hunter-two\n"
    + "2026-11-27T12:00:05.000Z [ERROR]: !!! Build failed\n"
    + "2026-11-27T12:00:05.100Z [ERROR]: !!! Error: Command failed with exit code 127\n"
)


def step(name: str = "BUILD", status: str = "FAILED", reason: str | None = None, minutes: float = 1.0) -> Step:
    return Step(
        name=name, status=status, started_at=BEGAN, finished_at=BEGAN + timedelta(minutes=minutes), reason=reason
    )


@dataclass
class Builds:
    steps: tuple[StepAddress, ...] = (StepAddress(step(), "https://logs/build"),)
    variables: Mapping[str, str] = field(default_factory=dict)
    trouble: AmplifyJobsError | None = None

    def step_addresses(self, job: Job) -> tuple[StepAddress, ...]:
        return self.steps

    def build_variables(self, job: Job) -> Mapping[str, str]:
        if self.trouble:
            raise self.trouble
        return self.variables


@dataclass
class Files:
    logs: Mapping[str, bytes | AmplifyJobsError]

    def get_bounded(self, url: str, *, keep: Callable[[Readable], bytes], until: float) -> bytes:
        result = self.logs[url]
        if isinstance(result, AmplifyJobsError):
            raise result
        return keep(io.BytesIO(result))


@dataclass
class Objects:
    trouble: AmplifyJobsError | None = None
    stored: dict[str, bytes] = field(default_factory=dict)

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        if self.trouble:
            raise self.trouble
        assert content_type == "text/plain; charset=utf-8"
        self.stored[uri] = content


def analyse(builds: Builds, logs: Mapping[str, bytes | AmplifyJobsError], objects: Objects) -> Analysis:
    analysis = LogAnalysis(builds=builds, files=Files(logs), objects=objects, bucket="bucket")
    return analysis.analyse(ENDED, REQUEST, until=0.0)


def test_a_failure_is_told_with_the_copy_of_its_log() -> None:
    objects = Objects()
    analysis = analyse(Builds(), {"https://logs/build": LOG.encode()}, objects)
    assert analysis.failure is not None
    assert (analysis.failure.cause, analysis.failure.phase) == ("command-not-found", "build")
    assert analysis.failure.command == "npm run build"
    assert analysis.failure.log == "s3://bucket/logs/web-1/7-1-build.txt"
    assert analysis.commit_built == COMMIT
    assert (analysis.missing, analysis.try_again) == ((), False)
    assert list(objects.stored) == ["s3://bucket/logs/web-1/7-1-build.txt"]


def test_no_value_of_a_secret_variable_is_stored_or_told() -> None:
    objects = Objects()
    variables = {"API_TOKEN": "s3cr3t-value", "DATABASE_URL": "postgres://web:hunter-two@db.example/web"}
    analysis = analyse(Builds(variables=variables), {"https://logs/build": LOG.encode()}, objects)
    (copy,) = objects.stored.values()
    assert analysis.failure is not None
    for secret in ("s3cr3t-value", "hunter-two"):
        assert secret not in copy.decode()
        assert secret not in analysis.failure.model_dump_json()
    assert "vite: command not found" in copy.decode()


def test_nothing_is_told_while_the_variables_are_not_known() -> None:
    objects = Objects()
    analysis = analyse(
        Builds(trouble=ServiceTrouble("GetApp: no answer")), {"https://logs/build": LOG.encode()}, objects
    )
    assert analysis == Analysis(missing=("GetApp: no answer",), try_again=True)
    refused = analyse(Builds(trouble=RequestRejected("GetApp: no")), {"https://logs/build": LOG.encode()}, objects)
    assert refused == Analysis(missing=("GetApp: no",), try_again=False)
    assert objects.stored == {}


@pytest.mark.parametrize(
    ("error", "try_again"), [(ServiceTrouble("busy"), True), (NotDownloadableError("gone"), False)]
)
def test_without_a_log_the_step_itself_may_tell(error: AmplifyJobsError, try_again: bool) -> None:
    steps = (StepAddress(step(reason="Build container ran out of memory"), "https://logs/build"),)
    analysis = analyse(Builds(steps), {"https://logs/build": error}, Objects())
    assert analysis.failure is not None
    assert (analysis.failure.cause, analysis.failure.log) == ("out-of-memory-container", None)
    assert analysis.missing == (f"the log of step BUILD can't be read: {error}",)
    assert analysis.try_again is try_again


def test_a_log_that_can_not_be_stored_is_judged_all_the_same() -> None:
    analysis = analyse(Builds(), {"https://logs/build": LOG.encode()}, Objects(ServiceTrouble("S3 is busy")))
    assert analysis.failure is not None
    assert (analysis.failure.cause, analysis.failure.log) == ("command-not-found", None)
    assert (analysis.missing, analysis.try_again) == (("S3 is busy",), True)


def test_a_job_that_succeeded_tells_its_commit() -> None:
    steps = (StepAddress(step(status="SUCCEED"), "https://logs/build"), StepAddress(step("DEPLOY", "SUCCEED"), None))
    analysis = analyse(Builds(steps), {"https://logs/build": HEAD.encode()}, Objects())
    assert (analysis.failure, analysis.commit_built) == (None, COMMIT)


def test_the_name_of_a_step_becomes_a_safe_key() -> None:
    objects = Objects()
    analyse(Builds((StepAddress(step("../a b/ü"), "https://logs/build"),)), {"https://logs/build": b"x\n"}, objects)
    assert list(objects.stored) == ["s3://bucket/logs/web-1/7-1-a-b.txt"]


def test_a_build_that_took_its_whole_time_timed_out() -> None:
    steps = (StepAddress(step(minutes=60.5), "https://logs/build"),)
    log = LOG.partition("2026-11-27T12:00:04")[0].encode()
    analysis = analyse(Builds(steps, {"_BUILD_TIMEOUT": "60"}), {"https://logs/build": log}, Objects())
    assert analysis.failure is not None
    assert analysis.failure.cause == "timeout"


@pytest.mark.parametrize(("value", "minutes"), [("60", 60.0), ("", 30.0), ("soon", 30.0), ("1e400", 30.0)])
def test_the_time_of_a_build(value: str, minutes: float) -> None:
    assert build_timeout_minutes({"_BUILD_TIMEOUT": value}) == minutes


def test_which_values_are_secret() -> None:
    variables = {
        "STRIPE_SECRET": "correcthorse",
        "NEXT_PUBLIC_API_KEY": "public-key-1",
        "NODE_ENV": "production",
        "CACHE": "redis://:p4ss@cache.example:6379",
        "SITE": "https://www.example.com/@scope/x",
    }
    assert secret_values(variables) == {"correcthorse", "p4ss"}
