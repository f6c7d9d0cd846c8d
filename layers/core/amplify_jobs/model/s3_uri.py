"""Addresses of objects in S3, as requests name them: s3://bucket/key."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

# Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. Keys: up to 1,024 bytes.
S3Uri = Annotated[str, StringConstraints(max_length=1093, pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$")]


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Take an S3Uri apart."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
