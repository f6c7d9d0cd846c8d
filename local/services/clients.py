"""boto3 clients of our own endpoint, each made when it is first used: making one takes longer than most calls."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from local.permissions.roles import Credentials

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

ACCESS_KEY = "local"
"""Both parts of the credentials of everything within the local cloud that acts in no role of the template."""


class Clients:
    """The clients that the local cloud calls itself with, at an endpoint that already listens."""

    def __init__(self, endpoint_url: str, region: str, credentials: Credentials | None = None) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._session = boto3.Session(
            aws_access_key_id=credentials.access_key_id if credentials else ACCESS_KEY,
            aws_secret_access_key=credentials.secret_access_key if credentials else ACCESS_KEY,
            aws_session_token=credentials.session_token if credentials else None,
            region_name=region,
        )
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._of_roles: dict[str, Clients] = {}

    def signed_by(self, credentials: Credentials | None) -> Clients:
        """The same clients with other credentials; these ones if there are none."""
        if credentials is None:
            return self
        with self._lock:
            key = credentials.access_key_id
            if key not in self._of_roles:
                self._of_roles[key] = Clients(self._endpoint_url, self._region, credentials)
            return self._of_roles[key]

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                config = Config(max_pool_connections=50, retries={"total_max_attempts": 1}, read_timeout=60)
                # Every client is of another type, which only the properties below can say.
                client: Any = self._session.client(service, endpoint_url=self._endpoint_url, config=config)  # type: ignore[call-overload]
                self._clients[service] = client
            return self._clients[service]

    def close(self) -> None:
        for clients in self._of_roles.values():
            clients.close()
        for client in self._clients.values():
            client.close()

    @property
    def dynamodb(self) -> DynamoDBClient:
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @property
    def logs(self) -> CloudWatchLogsClient:
        client: CloudWatchLogsClient = self._client("logs")
        return client

    @property
    def s3(self) -> S3Client:
        client: S3Client = self._client("s3")
        return client

    @property
    def sns(self) -> SNSClient:
        client: SNSClient = self._client("sns")
        return client

    @property
    def sqs(self) -> SQSClient:
        client: SQSClient = self._client("sqs")
        return client

    @property
    def ssm(self) -> SSMClient:
        client: SSMClient = self._client("ssm")
        return client

    @property
    def stepfunctions(self) -> SFNClient:
        client: SFNClient = self._client("stepfunctions")
        return client
