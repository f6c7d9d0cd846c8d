"""A local cloud that runs the small stack beside these tests, one for each test module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.cloud import CloudSettings, LocalCloud

HERE = Path(__file__).parent
STACK = HERE / "stack"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    local_cloud = LocalCloud(
        STACK / "template.yaml", CloudSettings(aws_port=0, http_port=0, stack_name="small", retry_seconds=(0.05, 0.1))
    )
    with local_cloud:
        yield local_cloud


@pytest.fixture(scope="module")
def client(cloud: LocalCloud) -> Iterator[Callable[..., Any]]:
    """Makes boto3 clients of the cloud's endpoint, without retries unless `retries` says how many attempts."""
    session = boto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name=cloud.region)
    items: list[Any] = []

    def make(service: str, *, attempts: int = 1, read_timeout: float = 60) -> Any:
        config = Config(retries={"total_max_attempts": attempts}, read_timeout=read_timeout, max_pool_connections=250)
        # Which client it is only the caller knows.
        boto3_client: Any = session.client
        items.append(boto3_client(service, endpoint_url=cloud.endpoint_url, config=config))
        return items[-1]

    yield make
    for one in items:
        one.close()
