"""A deployed stack as the command line sees it: its outputs, its bucket, the names of its secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from amplify_jobs.errors import ServiceTrouble, StackNotFoundError
from amplify_jobs_cli.push.lookup import Reach
from amplify_jobs_cli.push.scheduler import Scheduler
from amplify_jobs_cli.push.schedules import ScheduleTarget
from amplify_jobs_cli.recovery.recover import Recovery

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_ssm.client import SSMClient

_CLIENT = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=10)
DEFAULT_STACK = "amplify-jobs"
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
# Where the local cloud is unless AWS_REGION says otherwise.
LOCAL_REGION = "eu-west-1"
# SSM answers for at most so many names at once (API: GetParameters).
_NAMES_AT_ONCE = 10


@dataclass(frozen=True)
class Stack:
    """A stack and the clients to reach it; every method raises ServiceTrouble naming what did not work."""

    name: str
    region: str
    api_url: str
    bucket: str
    routes_key: str
    session: boto3.Session
    state_machine_arn: str
    dead_letter_queue_url: str
    reach: Reach
    schedules: ScheduleTarget
    s3: S3Client
    ssm: SSMClient

    @classmethod
    def find(cls, name: str) -> Stack:
        """Find a stack by the SSM parameter that holds its outputs. Raises StackNotFoundError, ServiceTrouble."""
        parameter = f"/{name}/outputs"
        try:
            session = _session()
            ssm, s3 = session.client("ssm", config=_CLIENT), session.client("s3", config=_CLIENT)
            outputs = json.loads(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
            return cls(
                name=name,
                region=ssm.meta.region_name,
                api_url=outputs["apiUrl"],
                bucket=outputs["bucketName"],
                routes_key=outputs["routesKey"],
                session=session,
                state_machine_arn=outputs["stateMachineArn"],
                dead_letter_queue_url=outputs["deadLetterQueueUrl"],
                reach=Reach(
                    region=ssm.meta.region_name,
                    own_bucket=outputs["bucketName"],
                    readable_buckets=frozenset(filter(None, outputs["readableBuckets"].split(","))),
                ),
                schedules=ScheduleTarget(
                    group=outputs["scheduleGroup"],
                    function_arn=outputs["receiveEventFunctionArn"],
                    role_arn=outputs["schedulerRoleArn"],
                    dead_letter_queue_arn=outputs["deadLetterQueueArn"],
                ),
                s3=s3,
                ssm=ssm,
            )
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ParameterNotFound":
                where = f"{ssm.meta.endpoint_url}, Region {ssm.meta.region_name}"
                raise StackNotFoundError(
                    f"no stack {name} at {where}; deploy it first, or say which with --stack"
                ) from None
            _fail(f"parameter {parameter} can't be read", error)
        except (ValueError, KeyError, TypeError):
            raise StackNotFoundError(
                f"parameter {parameter} does not hold a stack's outputs; deploy the stack again"
            ) from None

    def recovery(self) -> Recovery:
        """What can be processed again."""
        return Recovery(self.session, queue_url=self.dead_letter_queue_url, state_machine_arn=self.state_machine_arn)

    def scheduler(self) -> Scheduler:
        """The schedules in the stack's group."""
        return Scheduler(self.session.client("scheduler", config=_CLIENT), self.schedules.group)

    def stored_routes(self) -> bytes | None:
        """The routes as they were pushed last; None if they never were."""
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=self.routes_key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey":
                return None
            _fail(f"s3://{self.bucket}/{self.routes_key} can't be read", error)

    def caller(self) -> str:
        """The ARN of whoever calls; no right is needed to ask for it."""
        try:
            return self.session.client("sts", config=_CLIENT).get_caller_identity()["Arn"]
        except (ClientError, BotoCoreError) as error:
            _fail("STS does not say who calls, and the routes bear who pushed them", error)

    def store_routes(self, content: bytes) -> str | None:
        """Put the routes and who pushes them into the bucket; the answer is the object's version id, if it has one."""
        pushed_by = self.caller()
        try:
            answer = self.s3.put_object(
                Bucket=self.bucket,
                Key=self.routes_key,
                Body=content,
                ContentType="application/json",
                Metadata={"pushed-by": pushed_by},
            )
        except (ClientError, BotoCoreError) as error:
            _fail(f"s3://{self.bucket}/{self.routes_key} can't be written", error)
        return answer.get("VersionId")

    def stored_sources(self) -> dict[str, str]:
        """The copies of the sources beside the secrets, JSON by name: they let deliveries in while the bucket fails."""
        path = f"/{self.name}/sources"
        try:
            pages = self.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
            return {
                parameter["Name"].removeprefix(f"{path}/"): parameter["Value"]
                for page in pages
                for parameter in page["Parameters"]
            }
        except (ClientError, BotoCoreError) as error:
            _fail(f"the copies of the sources in SSM under {path} can't be read", error)

    def change_sources(self, written: Mapping[str, str], removed: Iterable[str]) -> None:
        """Write copies of sources, JSON by name, and remove others."""
        path = f"/{self.name}/sources"
        try:
            for name, content in written.items():
                self.ssm.put_parameter(Name=f"{path}/{name}", Value=content, Type="String", Overwrite=True)
            for name in removed:
                self.ssm.delete_parameter(Name=f"{path}/{name}")
        except (ClientError, BotoCoreError) as error:
            _fail(f"the sources can't all be copied to SSM under {path}; push again", error)

    def missing_secrets(self, names: Iterable[str]) -> list[str]:
        """Those of the names under which SSM holds nothing; no value is read."""
        distinct = list(dict.fromkeys(names))
        missing: list[str] = []
        for start in range(0, len(distinct), _NAMES_AT_ONCE):
            try:
                answer = self.ssm.get_parameters(Names=distinct[start : start + _NAMES_AT_ONCE])
            except (ClientError, BotoCoreError) as error:
                _fail("SSM can't be asked for the secrets' names", error)
            missing += answer["InvalidParameters"]
        return sorted(missing)


def _session() -> boto3.Session:
    """The user's session; the local cloud is in one Region, and takes any credentials if the environment has none."""
    region = os.environ.get("AWS_REGION")
    if urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname not in _THIS_MACHINE:
        return boto3.Session(region_name=region)
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return boto3.Session(region_name=region or LOCAL_REGION)
    return boto3.Session("local", "local", region_name=region or LOCAL_REGION)


def _fail(what: str, error: Exception) -> NoReturn:
    raise ServiceTrouble(f"{what}: {error}") from error
