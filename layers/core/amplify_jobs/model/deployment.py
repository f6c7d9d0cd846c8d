"""The input of Amplify's StartDeployment, and what we take in place of an uploaded zip.

Source: Amplify API reference, StartDeployment, and botocore's model of it, which is newer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints, model_validator

from amplify_jobs.model.base import Model
from amplify_jobs.model.request import AppId, BranchName, JobId
from amplify_jobs.model.s3_uri import S3Uri

SOURCE_URL_LIMIT = 3000
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
S3_VERSION_LIMIT = 1024
SourceUrl = Annotated[str, StringConstraints(max_length=SOURCE_URL_LIMIT, pattern=r"^(s3|https|http)://.*$")]


class SourceUrlType(StrEnum):
    """Amplify's SourceUrlType: one zip, or all objects whose keys begin alike."""

    ZIP = "ZIP"
    BUCKET_PREFIX = "BUCKET_PREFIX"


class StartDeploymentParameters(Model):
    """The input of Amplify's StartDeployment: exactly one of jobId, sourceUrl and artifact says what is deployed.

    `artifact` is a zip in S3 that needs no bucket policy: Amplify gets an address signed anew for each attempt.
    `artifactVersion` is its S3 version id; without one, or with an empty one, the current object is deployed.
    """

    CONVENIENCES: ClassVar[frozenset[str]] = frozenset({"artifact", "artifactVersion"})

    app_id: AppId
    branch_name: BranchName
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
        given = [source for source in (self.job_id, self.source_url, self.artifact) if source is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of these must be given, not {len(given)}: jobId, sourceUrl, artifact")
        if self.source_url_type is not None and self.source_url is None:
            raise ValueError("sourceUrlType says what sourceUrl is, and can't be given without it")
        if self.source_url_type is SourceUrlType.BUCKET_PREFIX and not str(self.source_url).startswith("s3://"):
            raise ValueError("with sourceUrlType BUCKET_PREFIX, sourceUrl must begin with s3://")
        if self.artifact_version and self.artifact is None:
            raise ValueError("artifactVersion is the version of artifact, and can't be given without it")
        return self
