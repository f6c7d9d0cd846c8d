"""Reads what routes name of an account: Amplify and S3 behind boto3. What can't be read is a line, never a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from amplify_jobs_cli.push.lookup import Account, Use

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_amplify.client import AmplifyClient
    from mypy_boto3_s3.client import S3Client

Answer = TypeVar("Answer")

# A push waits for the answers: a service that gives none costs seconds, once.
_CLIENT = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5)
# HeadBucket has no body: its errors are known by their status.
_NOT_ALLOWED = {"403", "AccessDenied", "AccessDeniedException", "UnauthorizedException"}
_NOT_FOUND = {"404", "NoSuchBucket", "NotFoundException"}


class _NotThereError(Exception):
    """The service knows no such thing."""


class _NotAllowedError(Exception):
    """The credentials may not look; `troubles` says so."""


class _NoAnswerError(Exception):
    """The service gives no usable answer, and is not asked again."""


class AccountReader:
    """Apps, branches and buckets; `troubles` says, once each, what could not be read and what would help."""

    def __init__(self, amplify: AmplifyClient, s3: S3Client) -> None:
        self.troubles: list[str] = []
        self._amplify = amplify
        self._s3 = s3

    @classmethod
    def connect(cls, session: boto3.Session) -> AccountReader:
        """Build it with clients of the session."""
        return cls(session.client("amplify", config=_CLIENT), session.client("s3", config=_CLIENT))

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
        except _NoAnswerError as error:
            self._add(f"apps and branches were not looked up: Amplify gives no answer ({error})")
        try:
            for name in event_names:
                self._read_event_bucket(name, event_buckets, missing)
            for name in artifact_names:
                self._read_bucket(name, missing)
        except _NoAnswerError as error:
            self._add(f"buckets were not looked up: S3 gives no answer ({error})")
        return Account(apps, event_buckets, frozenset(missing))

    def _read_app(self, app_id: str, apps: dict[str, Mapping[str, bool] | None], *, with_branches: bool) -> None:
        try:
            self._ask("amplify:GetApp", f"the app {app_id}", lambda: self._amplify.get_app(appId=app_id))
            apps[app_id] = self._branches(app_id) if with_branches else {}
        except _NotThereError:
            apps[app_id] = None
        except _NotAllowedError:
            return

    def _branches(self, app_id: str) -> dict[str, bool]:
        pages = self._amplify.get_paginator("list_branches").paginate(appId=app_id)
        found = self._ask("amplify:ListBranches", f"the list of branches of {app_id}", lambda: [*pages])
        return {
            branch["branchName"]: branch["enableAutoBuild"] for page in found for branch in page.get("branches", ())
        }

    def _read_event_bucket(self, name: str, event_buckets: dict[str, bool], missing: set[str]) -> None:
        try:
            found = self._ask(
                "s3:GetBucketNotification",
                f"the bucket {name}",
                lambda: self._s3.get_bucket_notification_configuration(Bucket=name),
            )
            event_buckets[name] = "EventBridgeConfiguration" in found
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

    def _ask(self, action: str, what: str, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _NOT_FOUND:
                raise _NotThereError from error
            if code in _NOT_ALLOWED:
                self._add(
                    f"{what} was not looked up: the IAM action {action} is not allowed; allow it or use --no-lookup"
                )
                raise _NotAllowedError from error
            raise _NoAnswerError(code) from error
        except BotoCoreError as error:
            raise _NoAnswerError(type(error).__name__) from error

    def _add(self, trouble: str) -> None:
        if trouble not in self.troubles:
            self.troubles.append(trouble)
