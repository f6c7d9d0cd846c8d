"""The inputs of Amplify Hosting's and Amplify Backend's operations.

Sources: Amplify and Amplify Backend API references, and botocore's models of them, which are newer. The input of a
codegen job has a module of its own, since it takes long to load.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_pascal

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.base import Model
from amplify_jobs.model.identifiers import AppId, BranchName, JobId
from amplify_jobs.model.operations import OPERATIONS, Operation
from amplify_jobs.model.request import (
    COMMIT_MESSAGE_LIMIT,
    JOB_REASON_LIMIT,
    REQUEST_ID_PATTERN,
    JobRequest,
    unsupported_members,
)
from amplify_jobs.model.s3_uri import S3Uri
from amplify_jobs.model.validation import faults
from amplify_jobs.text import without_queries

if TYPE_CHECKING:
    from amplify_jobs.model.job import Job

SOURCE_URL_LIMIT = 3000
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
S3_VERSION_LIMIT = 1024
SourceUrl = Annotated[str, StringConstraints(max_length=SOURCE_URL_LIMIT, pattern=r"^(s3|https|http)://.*$")]


class OperationParameters(Model):
    """The input of an operation, as its API page states it."""

    def for_retry(self, _failed: Job, /) -> Self:
        """Give the parameters that start a failed job again. Raises RequestRejected where no parameters do."""
        return self


@dataclass(frozen=True)
class JobTraits:
    """What ListJobs shows of the job that a start becomes.

    `source_url` is what a deployment is made of, without what signs it; `deployment_id` is the job that
    CreateDeployment has made already, and that only has to be started.
    """

    job_type: str
    commit_message: str | None = None
    source_url: str | None = None
    deployment_id: str | None = None


class HostingParameters(OperationParameters):
    """The input of an operation of Amplify Hosting."""

    app_id: AppId
    branch_name: BranchName

    @abstractmethod
    def traits(self) -> JobTraits:
        """Say by what the started job is recognised in a list of jobs."""


class JobType(StrEnum):
    """Amplify's JobType (StartJob)."""

    RELEASE = "RELEASE"
    RETRY = "RETRY"
    MANUAL = "MANUAL"
    WEB_HOOK = "WEB_HOOK"


class StartJobParameters(HostingParameters):
    """The input of Amplify's StartJob, with its lengths and patterns.

    Source: Amplify API reference, StartJob, and botocore's model of it. jobId is required for RETRY.
    """

    job_type: JobType = Field(description="The kind of job. RELEASE builds the branch, RETRY runs jobId again.")
    job_id: JobId | None = Field(
        default=None, description="The number of the job that RETRY runs again.", examples=["12"]
    )
    job_reason: Annotated[str, StringConstraints(max_length=JOB_REASON_LIMIT)] | None = Field(
        default=None,
        description=f"The reason for the job, at most {JOB_REASON_LIMIT} characters.",
        examples=["{message}"],
    )
    commit_id: Annotated[str, StringConstraints(max_length=255)] | None = Field(
        default=None, description="The commit's id, at most 255 characters.", examples=["{commit}"]
    )
    commit_message: Annotated[str, StringConstraints(max_length=COMMIT_MESSAGE_LIMIT)] | None = Field(
        default=None,
        description=f"The commit's message, at most {COMMIT_MESSAGE_LIMIT} characters.",
        examples=["{message}"],
    )
    commit_time: datetime | None = Field(
        default=None, description="The commit's time in ISO 8601.", examples=["2026-01-31T12:00:00Z"]
    )

    @model_validator(mode="after")
    def _retry_names_its_job(self) -> StartJobParameters:
        if self.job_type is JobType.RETRY and self.job_id is None:
            raise ValueError("jobId is required when jobType is RETRY: name the job to run again")
        return self

    def for_retry(self, failed: Job, /) -> Self:
        """The commit is the failed job's own."""
        return type(self)(
            app_id=failed.app_id,
            branch_name=failed.require_branch(),
            job_type=JobType.RETRY,
            job_id=failed.job_id,
            job_reason=self.job_reason,
        )

    def traits(self) -> JobTraits:
        return JobTraits(self.job_type, self.commit_message)


class SourceUrlType(StrEnum):
    """Amplify's SourceUrlType: one zip, or all objects whose keys begin alike."""

    ZIP = "ZIP"
    BUCKET_PREFIX = "BUCKET_PREFIX"


class StartDeploymentParameters(HostingParameters):
    """The input of Amplify's StartDeployment: exactly one of jobId, sourceUrl and artifact says what is deployed.

    `artifact` is a zip in S3 that needs no bucket policy: Amplify gets an address signed anew for each attempt.
    `artifactVersion` is its S3 version id; without one, or with an empty one, the current object is deployed.
    """

    CONVENIENCES: ClassVar[frozenset[str]] = frozenset({"artifact", "artifactVersion"})

    job_id: JobId | None = Field(
        default=None, description="The number of the job that CreateDeployment made.", examples=["12"]
    )
    source_url: SourceUrl | None = Field(
        default=None,
        description="An address that begins with s3://, https:// or http://.",
        examples=["https://example.com/web.zip"],
    )
    source_url_type: SourceUrlType | None = Field(
        default=None, description="What sourceUrl is. ZIP is one zip, BUCKET_PREFIX all objects whose keys begin alike."
    )
    artifact: S3Uri | None = Field(
        default=None, description="The address of a zip in S3.", examples=["s3://{bucket}/{key}"]
    )
    artifact_version: Annotated[str, StringConstraints(max_length=S3_VERSION_LIMIT)] | None = Field(
        default=None, description="The S3 version of artifact. Default: the current one.", examples=["{version}"]
    )

    @model_validator(mode="after")
    def _one_source(self) -> StartDeploymentParameters:
        count = sum(source is not None for source in (self.job_id, self.source_url, self.artifact))
        if count != 1:
            raise ValueError(f"exactly one of these is required, not {count}: jobId, sourceUrl, artifact")
        if self.source_url_type is not None and self.source_url is None:
            raise ValueError("sourceUrlType describes sourceUrl, and can't be used without it")
        if self.source_url_type is SourceUrlType.BUCKET_PREFIX and not str(self.source_url).startswith("s3://"):
            raise ValueError("with sourceUrlType BUCKET_PREFIX, sourceUrl must begin with s3://")
        if self.artifact_version and self.artifact is None:
            raise ValueError("artifactVersion is the version of artifact, and can't be used without it")
        return self

    def for_retry(self, _failed: Job, /) -> Self:
        """An uploaded deployment can be started only once."""
        if self.job_id is not None:
            raise RequestRejected("An uploaded deployment can't be started again: call CreateDeployment again.")
        return self

    def traits(self) -> JobTraits:
        source = self.artifact or without_queries(self.source_url)
        return JobTraits(JobType.MANUAL, source_url=source, deployment_id=self.job_id)


class GenerateBackendAPIModelsParameters(OperationParameters):
    """The input of Amplify Backend's GenerateBackendAPIModels: an app, its backend environment, and its API's name."""

    # Amplify Backend alone begins names with capitals.
    model_config = ConfigDict(alias_generator=to_pascal)

    app_id: str = Field(description="The app's id as Amplify shows it.", examples=["d1a2b3c4d5e6"])
    backend_environment_name: str = Field(description="The name of a backend environment.", examples=["staging"])
    resource_name: str = Field(description="The name of the environment's API.", examples=["shop"])


class FollowJobParameters(OperationParameters):
    """What names a job that somebody else started.

    `predecessor` is the request that had a job of the same id before, on a branch of the same name that was deleted.
    """

    app_id: AppId
    branch_name: BranchName
    job_id: JobId
    predecessor: Annotated[str, StringConstraints(pattern=REQUEST_ID_PATTERN)] | None = None

    def for_retry(self, _failed: Job, /) -> Self:
        """Who started the job starts it again."""
        raise RequestRejected("A job that somebody else started is not started again.")


def validated_parameters(request: JobRequest) -> OperationParameters:
    """Validate a request's parameters as its operation's API page states them.

    Raises RequestRejected, which names every fault with its path.
    """
    if request.fault is not None:
        raise RequestRejected(request.fault)
    spec = OPERATIONS.get(request.operation)
    if spec is None:
        names = ", ".join(Operation)
        raise RequestRejected(f"operation: {request.operation!r} is not known; use one of {names}")
    texts = [
        f"{member}: {text}"
        for member, text in unsupported_members(
            request.operation, request.supersede, request.on_timeout, request.retry_when
        )
    ]
    try:
        parameters = spec.parameters_model().model_validate(request.parameters)
    except ValidationError as error:
        raise RequestRejected("; ".join(faults(error, "parameters") + texts)) from None
    if texts:
        raise RequestRejected("; ".join(texts))
    return parameters
