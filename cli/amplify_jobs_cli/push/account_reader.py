"""Reads what routes name of an account: Amplify and S3 behind boto3. What can't be read is a line, never a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from amplify_jobs.aws.clients import READ_CONFIG
from amplify_jobs.aws.errors import ErrorResponse, aws_errors, required_member
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs_cli.push.lookup import Account, Use

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_amplify.client import AmplifyClient
    from mypy_boto3_s3.client import S3Client

Answer = TypeVar("Answer")

# HeadBucket has no body: its errors are known by their status.
_NOT_ALLOWED = {"403", "AccessDenied", "AccessDeniedException", "UnauthorizedException"}
_NOT_FOUND = {"404", "NoSuchBucket", "NotFoundException"}


class _NotThereError(Exception):
    """The service knows no such thing."""


class _NotAllowedError(Exception):
    """The credentials may not look; `troubles` says so."""


class AccountReader:
    """Apps, branches and buckets; `troubles` says, once each, what could not be read and what would help."""

    def __init__(self, amplify: AmplifyClient, s3: S3Client) -> None:
        self.troubles: list[str] = []
        self._amplify = amplify
        self._s3 = s3

    @classmethod
    def connect(cls, session: boto3.Session) -> AccountReader:
        """Build it with clients of the session. A push waits for the answers: a service without any costs seconds."""
        return cls(session.client("amplify", config=READ_CONFIG), session.client("s3", config=READ_CONFIG))

    def read(self, uses: Iterable[Use]) -> Account:
        """Read what the routes name."""
        used = list(uses)
        apps: dict[str, Mapping[str, bool] | None] = {}
        event_buckets: dict[str, bool] = {}
        missing: set[str] = set()
        with_branches = {use.app_id for use in used if use.branches}
        event_names = dict.fromkeys(use.event_bucket for use in used if use.event_bucket)
        artifact_names = dict.fromkeys(use.artifact_bucket for use in used if use.artifact_bucket)
        try:
            for app_id in dict.fromkeys(use.app_id for use in used if use.app_id):
                self._read_app(app_id, apps, with_branches=app_id in with_branches)
        except ServiceTrouble as trouble:
            self._add(f"apps and branches were not looked up: {trouble}")
        try:
            for name in event_names:
                self._read_event_bucket(name, event_buckets, missing)
            for name in artifact_names:
                self._read_bucket(name, missing)
        except ServiceTrouble as trouble:
            self._add(f"buckets were not looked up: {trouble}")
        return Account(apps, event_buckets, frozenset(missing))

    def _read_app(self, app_id: str, apps: dict[str, Mapping[str, bool] | None], *, with_branches: bool) -> None:
        try:
            self._ask(
                "amplify:GetApp",
                f"the app {app_id}",
                lambda: required_member(self._amplify.get_app(appId=app_id), "app", dict),
            )
            apps[app_id] = self._branches(app_id) if with_branches else {}
        except _NotThereError:
            apps[app_id] = None
        except _NotAllowedError:
            return

    def _branches(self, app_id: str) -> dict[str, bool]:
        pages = self._amplify.get_paginator("list_branches").paginate(appId=app_id)
        return self._ask(
            "amplify:ListBranches",
            f"the list of branches of {app_id}",
            lambda: {branch["branchName"]: branch["enableAutoBuild"] for page in pages for branch in page["branches"]},
        )

    def _read_event_bucket(self, name: str, event_buckets: dict[str, bool], missing: set[str]) -> None:
        try:
            configuration = self._ask(
                "s3:GetBucketNotification",
                f"the bucket {name}",
                lambda: self._s3.get_bucket_notification_configuration(Bucket=name),
            )
            event_buckets[name] = "EventBridgeConfiguration" in configuration
        except _NotThereError:
            missing.add(name)
        except _NotAllowedError:
            return

    def _read_bucket(self, name: str, missing: set[str]) -> None:
        try:
            self._ask("s3:ListBucket", f"the bucket {name}", lambda: self._s3.head_bucket(Bucket=name))
        except _NotThereError:
            missing.add(name)
        except _NotAllowedError:
            return

    def _ask(self, action: str, subject: str, call: Callable[[], Answer]) -> Answer:
        try:
            with aws_errors(subject, _meaning):
                return call()
        except _NotAllowedError:
            self._add(
                f"{subject} was not looked up: the IAM action {action} is not allowed; allow it or use --no-lookup"
            )
            raise

    def _add(self, trouble: str) -> None:
        if trouble not in self.troubles:
            self.troubles.append(trouble)


def _meaning(error: ErrorResponse) -> Exception | None:
    if error.code in _NOT_FOUND:
        return _NotThereError()
    return _NotAllowedError() if error.code in _NOT_ALLOWED else None
