"""The snapshots of repositories in the stack's bucket: a lost one is as good as a first look."""

from __future__ import annotations

from pydantic import ValidationError

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.events.event import digest
from amplify_jobs.reconciling.snapshot import Snapshot


class StoredSnapshots:
    """Snapshots as `reconcile/<digest of the repository>.json`. Every method raises ServiceTrouble when S3 fails."""

    def __init__(self, aws: AwsHttp, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    def snapshot(self, source: str, repository: str) -> Snapshot | None:
        """Read what is known of a repository; None if nobody has looked at it."""
        key = _key(source, repository)
        try:
            stored = self._aws.get_object(self._bucket, key, None)
        except AwsRefusalError as refusal:
            if refusal.code == "HTTP 404":
                return None
            raise ServiceTrouble(str(refusal)) from None
        content = stored[0] if stored else b""
        try:
            return Snapshot.model_validate_json(content)
        except ValidationError:
            raise ServiceTrouble(f"s3://{self._bucket}/{key} is no snapshot; delete it") from None

    def write_snapshot(self, source: str, repository: str, snapshot: Snapshot) -> None:
        """Write what is known of a repository."""
        try:
            self._aws.put_object(
                self._bucket, _key(source, repository), snapshot.model_dump_json(by_alias=True).encode()
            )
        except AwsRefusalError as refusal:
            raise ServiceTrouble(str(refusal)) from None


def _key(source: str, repository: str) -> str:
    return f"reconcile/{digest([source, repository.casefold()])}.json"
