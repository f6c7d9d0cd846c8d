"""A stack as the command line meets it: moto behind one port."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.support.aws_stand_in import AwsStandIn, serving_aws

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_ssm.client import SSMClient

OUTPUTS = {
    "apiUrl": "https://api.example.com",
    "bucketName": "bucket",
    "routesKey": "routes.json",
    "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:jobs",
    "deadLetterQueueUrl": "https://sqs.example.com/dead-letters",
    "deadLetterQueueArn": "arn:aws:sqs:eu-west-1:123456789012:dead-letters",
    "receiveEventFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:receive-event",
    "schedulerRoleArn": "arn:aws:iam::123456789012:role/scheduler",
    "scheduleGroup": "amplify-jobs",
    "readableBuckets": "builds,artifacts",
    "mirrorRepositories": "docs",
    "commentRepositories": "docs",
    "reconcileRepositories": "docs",
    "reconcileMinutes": "10",
}


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandIn]:
    with serving_aws() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def ssm(aws: AwsStandIn) -> SSMClient:
    return boto3.Session("AKIATEST", "test", region_name="eu-west-1").client("ssm", endpoint_url=aws.url)


@pytest.fixture(scope="module")
def s3(aws: AwsStandIn) -> S3Client:
    return boto3.Session("AKIATEST", "test", region_name="eu-west-1").client("s3", endpoint_url=aws.url)


@pytest.fixture(autouse=True)
def _environment(aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    aws.reset()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    environment = {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def scheduler(aws: AwsStandIn) -> Any:
    session = boto3.Session("AKIATEST", "test", region_name="eu-west-1")
    return session.client("scheduler", endpoint_url=aws.url)


@pytest.fixture
def _stack(ssm: SSMClient, s3: S3Client, scheduler: Any) -> None:
    scheduler.create_schedule_group(Name="amplify-jobs")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    ssm.put_parameter(Name="/amplify-jobs/outputs", Type="String", Value=json.dumps(OUTPUTS))
