"""Amplify Hosting's API as this service uses it: boto3 in, our models and our errors out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from amplify_jobs.errors import (
    AmplifyJobsError,
    BranchBusy,
    RequestRejected,
    ServiceTrouble,
    StartUnresolved,
    Throttled,
)
from amplify_jobs.jobs import Job, JobState, hosting_job_state
from amplify_jobs.requests import StartJobParameters
from amplify_jobs.starting import ListedJob

if TYPE_CHECKING:
    from mypy_boto3_amplify.client import AmplifyClient

# One attempt and no more: a hidden retry of a call without a token would start a second job. The answer is waited for
# well below the function's own time-out, so that a lost one is noticed while there is time to say so.
_SENDING = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=15)
_ASKING = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5)

_THROTTLED = {
    "LimitExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
# What botocore raises for bodies that are no JSON and members of another shape than the service model's.
_NONSENSE = (ResponseParserError, ValueError, TypeError, AttributeError)
_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "UnauthorizedException"}
# The service gives these two nothing but a BadRequestException and a text: aws-amplify/amplify-hosting issue 3748 and
# aws-amplify/amplify-backend issue 2137.
_THROTTLED_TEXT = "rate exceeded"
_BUSY_TEXT = "was not finished"


class NotFound(AmplifyJobsError):
    """Amplify knows no such app, branch or job."""


def error_of(error: ClientError | BotoCoreError, doing: str) -> AmplifyJobsError:
    """Translate an error of a call that changes nothing, by its code; `doing` opens the message."""
    if isinstance(error, ParamValidationError):
        return RequestRejected(f"{doing}: {error}")
    if not isinstance(error, ClientError):
        return ServiceTrouble(f"{doing}: no answer ({type(error).__name__})")
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = f"{doing}: {code}: {message}"
    if code in _THROTTLED or status == 429 or _THROTTLED_TEXT in message.lower():
        return Throttled(said)
    if code == "BadRequestException" and _BUSY_TEXT in message:
        return BranchBusy(said)
    if code == "NotFoundException":
        return NotFound(said)
    if code in _NOT_ALLOWED:
        return RequestRejected(f"{said} (is the app in this account and Region, and the function's policy right?)")
    if code in ("BadRequestException", "ValidationException"):
        return RequestRejected(said)
    return ServiceTrouble(said)


class Amplify:
    """Amplify Hosting behind one boto3 client for asking and one that sends without retries."""

    def __init__(self, sending: AmplifyClient, asking: AmplifyClient) -> None:
        self._sending = sending
        self._asking = asking

    @classmethod
    def connect(cls) -> Amplify:
        """Build it with boto3 clients that go where the environment says."""
        return cls(boto3.client("amplify", config=_SENDING), boto3.client("amplify", config=_ASKING))

    def start_job(self, parameters: StartJobParameters) -> ListedJob:
        """Call StartJob once.

        Raises RequestRejected, Throttled or BranchBusy where Amplify said that it started nothing, and StartUnresolved
        where that is not known (no answer, an answer that is no job, or an internal failure).
        """
        arguments: dict[str, Any] = parameters.model_dump(by_alias=True, exclude_none=True)
        try:
            answer = self._sending.start_job(**arguments)
        except ClientError as error:
            refused = error_of(error, "StartJob")
            if isinstance(refused, ServiceTrouble):
                raise StartUnresolved(str(refused)) from error
            raise _rejected_if_unknown(refused) from error
        except ParamValidationError as error:
            raise error_of(error, "StartJob") from error
        except (BotoCoreError, *_NONSENSE) as error:
            raise StartUnresolved(f"StartJob: no usable answer ({type(error).__name__})") from error
        job = _listed(answer.get("jobSummary"))
        if job is None:
            raise StartUnresolved("StartJob: answered without a job id")
        return job

    def list_jobs(self, app_id: str, branch_name: str) -> list[ListedJob]:
        """List the newest jobs of a branch (API: ListJobs, one page of 50), newest first.

        Raises RequestRejected for an app or branch that Amplify does not know, Throttled or ServiceTrouble.
        """
        try:
            with _asked("ListJobs"):
                answer = self._asking.list_jobs(appId=app_id, branchName=branch_name, maxResults=50)
        except NotFound as error:
            raise _rejected_if_unknown(error) from error
        listed = [_listed(summary) for summary in answer.get("jobSummaries") or ()]
        return [job for job in listed if job is not None]

    def get_job(self, job: Job) -> JobState:
        """Ask for a job's state (API: GetJob). Raises NotFound, RequestRejected, Throttled or ServiceTrouble."""
        with _asked("GetJob"):
            answer = self._asking.get_job(appId=job.app_id, branchName=job.branch_name, jobId=job.job_id)
            return hosting_job_state(job, answer)

    def stop_job(self, job: Job) -> None:
        """Have a job stopped (API: StopJob), unless Amplify no longer knows it.

        Raises RequestRejected where Amplify refuses, as for a job that has ended, Throttled or ServiceTrouble.
        """
        try:
            with _asked("StopJob"):
                self._asking.stop_job(appId=job.app_id, branchName=job.branch_name, jobId=job.job_id)
        except NotFound:
            return

    def app_name_and_domain(self, app_id: str) -> tuple[str | None, str | None]:
        """Give an app's name and default domain (API: GetApp). Raises NotFound, Throttled or ServiceTrouble."""
        with _asked("GetApp"):
            app = self._asking.get_app(appId=app_id).get("app", {})
            return _text(app.get("name")), _text(app.get("defaultDomain"))

    def branch_display_name(self, app_id: str, branch_name: str) -> str | None:
        """Give the name a branch has in its site's address (API: GetBranch, displayName). Raises as above."""
        with _asked("GetBranch"):
            branch = self._asking.get_branch(appId=app_id, branchName=branch_name).get("branch", {})
            return _text(branch.get("displayName"))


@contextmanager
def _asked(operation: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise error_of(error, operation) from error
    except _NONSENSE as error:
        raise ServiceTrouble(f"{operation}: answered nonsense ({type(error).__name__})") from error


def _rejected_if_unknown(error: AmplifyJobsError) -> AmplifyJobsError:
    if isinstance(error, NotFound):
        return RequestRejected(f"{error} (check appId and branchName in routes.yaml)")
    return error


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _listed(summary: Mapping[str, Any] | None) -> ListedJob | None:
    job_id = summary.get("jobId") if isinstance(summary, Mapping) else None
    if summary is None or not isinstance(job_id, str) or not job_id.isdecimal():
        return None
    job_type, message, status = (_text(summary.get(name)) for name in ("jobType", "commitMessage", "status"))
    return ListedJob(job_id, job_type, message, status)
