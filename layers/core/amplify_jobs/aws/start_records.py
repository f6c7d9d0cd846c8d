"""Records of the starts that are known to have worked, by Powertools' idempotency: they answer repeats of a start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
)

from amplify_jobs.errors import ServiceTrouble, StartUnresolved

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# Longer than the state machine tries one start, so that none of its repeats counts as a new one.
_RECORD_LIFETIME = timedelta(days=3)


def idempotency_of_starts() -> IdempotencyConfig:
    """Give the rules of the records: one for each id of a start."""
    return IdempotencyConfig(event_key_jmespath="start_id", expires_after_seconds=int(_RECORD_LIFETIME.total_seconds()))


def start_records(table: str, client: DynamoDBClient) -> DynamoDBPersistenceLayer:
    """Give the table of the records, behind a client that exists already."""
    return DynamoDBPersistenceLayer(table_name=table, boto3_client=client)


@contextmanager
def start_record_errors() -> Iterator[None]:
    """Raise StartUnresolved while another invocation has the start, and ServiceTrouble if the table fails."""
    try:
        yield
    except IdempotencyAlreadyInProgressError as error:
        raise StartUnresolved("An earlier invocation for this request is still running, or was interrupted.") from error
    except IdempotencyPersistenceLayerError as error:
        raise ServiceTrouble("DynamoDB did not answer for the idempotency table.") from error
