"""Objects in S3 that requests name, and those that we leave there, behind one boto3 client."""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import ErrorResponse, aws_errors, required_member
from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.s3_uri import bucket_and_key

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectRequestTypeDef

# Amplify runs five jobs at a time: a deployment may wait long before its zip is fetched. The function's own credentials
# end such an address earlier, if they expire earlier.
ADDRESSES_LAST_SECONDS = 12 * 60 * 60


def s3_config() -> Config:
    """The configuration of the S3 client: addresses name the bucket's Region, as all Regions require of signed ones.

    botocore signs for the global host otherwise, which Regions opened since 2019 refuse, and which redirects requests
    for a new bucket (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html). A bucket with a dot in
    its name gets a path at the Region's host, since no certificate covers its virtual host.
    """
    return client_config(
        attempts=3,
        read_timeout=5,
        signature_version="s3v4",
        # An endpoint of one machine has no virtual hosts for names with dots.
        s3={
            "addressing_style": "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual",
            "us_east_1_regional_endpoint": "regional",
        },
        # Files are stored by several threads at once.
        max_pool_connections=16,
    )


class Objects:
    """S3. Its client is made when it is first needed, which most invocations do not."""

    @cached_property
    def _s3(self) -> S3Client:
        return boto3.client("s3", config=s3_config())

    def check_readable(self, uri: str, version: str | None = None) -> None:
        """Raise RequestRejected unless there is such an object, in that version, that we may read (API: HeadObject)."""
        with _reading(f"version {version} of {uri}" if version else uri):
            answer = self._s3.head_object(**_location(uri, version))
            required_member(answer, "ETag", str)

    def signed_address(self, uri: str, version: str | None = None) -> str:
        """Sign an address at which anyone can GET the object for a while. It is a secret as long as it works.

        Without `version` the address means the object that is current when it is fetched.
        """
        return self._s3.generate_presigned_url(
            "get_object", Params=dict(_location(uri, version)), ExpiresIn=ADDRESSES_LAST_SECONDS
        )

    def read_text(self, uri: str, limit: int) -> str:
        """Read an object of at most `limit` bytes of UTF-8. Raises RequestRejected or ServiceTrouble."""
        bucket, key = bucket_and_key(uri)
        with _reading(uri):
            answer = self._s3.get_object(Bucket=bucket, Key=key)
            with answer["Body"] as body:
                required_member(answer, "ETag", str)
                content = body.read(limit + 1)
        if len(content) > limit:
            raise RequestRejected(f"{uri} is larger than the limit of {limit} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise RequestRejected(f"{uri} is not UTF-8: byte {error.start} is invalid") from None

    def read_json_object(self, uri: str, limit: int) -> dict[str, Any]:
        """Read a JSON object; raises as read_text does."""
        try:
            value = json.loads(self.read_text(uri, limit))
        except (ValueError, RecursionError) as error:
            raise RequestRejected(f"{uri} is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise RequestRejected(f"{uri} is JSON, but not an object")
        return value

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        """Write an object (API: PutObject). Raises ServiceTrouble."""
        bucket, key = bucket_and_key(uri)
        with aws_errors(f"{uri} can't be written"):
            answer = self._s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)
            required_member(answer, "ETag", str)


def _location(uri: str, version: str | None) -> HeadObjectRequestTypeDef:
    bucket, key = bucket_and_key(uri)
    if version:
        return {"Bucket": bucket, "Key": key, "VersionId": version}
    return {"Bucket": bucket, "Key": key}


def _reading(subject: str) -> AbstractContextManager[None]:
    return aws_errors(f"{subject} can't be read now", lambda error: _rejection(subject, error))


def _rejection(subject: str, error: ErrorResponse) -> RequestRejected | None:
    match error.status:
        case 404:
            return RequestRejected(f"{subject} does not exist")
        case 403:
            # S3 says so of what is missing, too, to who may not list the bucket.
            return RequestRejected(
                f"{subject} can't be read: it does not exist, its bucket is not one of the stack's ReadableBuckets or "
                "lies in another account, or the bucket's policy or key refuses"
            )
        case 405:
            # What S3 answers for the version that marks an object as deleted.
            return RequestRejected(f"{subject} does not exist: the object was deleted")
        case 301 | 400:
            return RequestRejected(
                f"{subject} can't be read: {error.code} (is the bucket in this Region, and the version one of S3's?)"
            )
        case _:
            return None
