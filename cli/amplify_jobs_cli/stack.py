"""A deployed stack as the command line sees it: its outputs, its bucket, the names of its secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import ErrorResponse, required_member
from amplify_jobs.errors import StackNotFoundError
from amplify_jobs.settings import names_in
from amplify_jobs_cli.api import JobsApi
from amplify_jobs_cli.aws_calls import aws_call
from amplify_jobs_cli.push.codecommit_rights import CodeCommitRights
from amplify_jobs_cli.push.lookup import Reach
from amplify_jobs_cli.push.scheduler import Scheduler
from amplify_jobs_cli.push.schedules import ScheduleTarget
from amplify_jobs_cli.recovery.recover import Recovery

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_ssm.client import SSMClient

_CONFIG = client_config(attempts=3, connect_timeout=3, read_timeout=10)
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
    # All that the stack says of itself, by the names of its SSM parameter.
    outputs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls, name: str, *, profile: str | None = None, region: str | None = None) -> Stack:
        """Find a stack by the SSM parameter that holds its outputs. Raises StackNotFoundError, ServiceTrouble.

        `profile` is one of the AWS CLI's; without it and without a Region, the environment decides.
        """
        parameter = f"/{name}/outputs"

        def meaning(error: ErrorResponse) -> StackNotFoundError | None:
            if error.code != "ParameterNotFound":
                return None
            where = f"{ssm.meta.endpoint_url}, Region {ssm.meta.region_name}"
            return StackNotFoundError(f"no stack {name} at {where}; deploy it first, or say which with --stack")

        with aws_call(f"parameter {parameter} can't be read", meaning):
            session = _session(profile, region)
            ssm, s3 = session.client("ssm", config=_CONFIG), session.client("s3", config=_CONFIG)
            value = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
        try:
            outputs = json.loads(value)
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
                    readable_buckets=frozenset(names_in(outputs["readableBuckets"])),
                ),
                schedules=ScheduleTarget(
                    group=outputs["scheduleGroup"],
                    function_arn=outputs["receiveEventFunctionArn"],
                    role_arn=outputs["schedulerRoleArn"],
                    dead_letter_queue_arn=outputs["deadLetterQueueArn"],
                ),
                s3=s3,
                ssm=ssm,
                outputs=outputs,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StackNotFoundError(
                f"parameter {parameter} does not hold a stack's outputs; deploy the stack again"
            ) from None

    def output(self, name: str) -> str:
        """An output that stacks of earlier versions do not have. Raises StackNotFoundError."""
        if name not in self.outputs:
            raise StackNotFoundError(f"the stack {self.name} is of an earlier version; deploy it again")
        return self.outputs[name]

    @property
    def is_local(self) -> bool:
        """Whether the stack is on the local cloud, which leaves out some of what the template makes."""
        return urlsplit(self.ssm.meta.endpoint_url).hostname in _THIS_MACHINE

    @property
    def codecommit_rights(self) -> CodeCommitRights:
        """The repositories of CodeCommit that the stack may use."""
        return CodeCommitRights.of(self.outputs)

    def jobs_api(self) -> JobsApi:
        """The jobs API, called with the user's credentials."""
        return JobsApi.connect(self.api_url, self.session)

    def recovery(self) -> Recovery:
        """What can be processed again."""
        return Recovery(self.session, queue_url=self.dead_letter_queue_url, state_machine_arn=self.state_machine_arn)

    def scheduler(self) -> Scheduler:
        """The schedules in the stack's group."""
        return Scheduler(self.session.client("scheduler", config=_CONFIG), self.schedules.group)

    def stored_routes(self) -> bytes | None:
        """The routes as they were pushed last; None if they never were."""
        try:
            with aws_call(f"s3://{self.bucket}/{self.routes_key} can't be read", _missing_object):
                answer = self.s3.get_object(Bucket=self.bucket, Key=self.routes_key)
                with answer["Body"] as body:
                    return body.read()
        except _NoObjectError:
            return None

    def caller(self) -> str:
        """The ARN of whoever calls; no right is needed to ask for it."""
        with aws_call("STS does not say who calls, and the routes bear who pushed them"):
            return self.session.client("sts", config=_CONFIG).get_caller_identity()["Arn"]

    def store_routes(self, content: bytes) -> str | None:
        """Put the routes and who pushes them into the bucket; the answer is the object's version id, if it has one."""
        pushed_by = self.caller()
        with aws_call(f"s3://{self.bucket}/{self.routes_key} can't be written"):
            answer = self.s3.put_object(
                Bucket=self.bucket,
                Key=self.routes_key,
                Body=content,
                ContentType="application/json",
                Metadata={"pushed-by": pushed_by},
            )
            required_member(answer, "ETag", str)
            return answer.get("VersionId")

    def stored_sources(self) -> dict[str, str]:
        """The copies of the sources beside the secrets, JSON by name: they let deliveries in while the bucket fails."""
        path = f"/{self.name}/sources"
        with aws_call(f"the copies of the sources in SSM under {path} can't be read"):
            pages = self.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
            parameters = [parameter for page in pages for parameter in page["Parameters"]]
            return {parameter["Name"].removeprefix(f"{path}/"): parameter["Value"] for parameter in parameters}

    def change_sources(self, written: Mapping[str, str], removed: Iterable[str]) -> None:
        """Write copies of sources, JSON by name, and remove others."""
        path = f"/{self.name}/sources"
        with aws_call(f"the sources can't all be copied to SSM under {path}; push again"):
            for name, content in written.items():
                answer = self.ssm.put_parameter(Name=f"{path}/{name}", Value=content, Type="String", Overwrite=True)
                required_member(answer, "Version", int)
            for name in removed:
                self.ssm.delete_parameter(Name=f"{path}/{name}")

    def missing_secrets(self, names: Iterable[str]) -> list[str]:
        """Those of the names under which SSM holds nothing; no value is read."""
        unique = list(dict.fromkeys(names))
        missing: list[str] = []
        with aws_call("SSM can't be asked for the secrets' names"):
            for start in range(0, len(unique), _NAMES_AT_ONCE):
                answer = self.ssm.get_parameters(Names=unique[start : start + _NAMES_AT_ONCE])
                missing += answer["InvalidParameters"]
        return sorted(missing)


class _NoObjectError(Exception):
    """There is no such object."""


def _missing_object(error: ErrorResponse) -> _NoObjectError | None:
    return _NoObjectError() if error.code == "NoSuchKey" else None


def _session(profile: str | None, region: str | None) -> boto3.Session:
    """The user's session; the local cloud is in one Region, and takes any credentials if the environment has none."""
    region = region or os.environ.get("AWS_REGION")
    if profile is not None or urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname not in _THIS_MACHINE:
        return boto3.Session(profile_name=profile, region_name=region)
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return boto3.Session(region_name=region or LOCAL_REGION)
    return boto3.Session("local", "local", region_name=region or LOCAL_REGION)
