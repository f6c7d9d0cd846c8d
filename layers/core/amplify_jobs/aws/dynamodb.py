"""A DynamoDB table behind boto3's client, with Python's values in place of DynamoDB's.

boto3's resource for tables does the same; making one takes a tenth of a cold start (benchmarks/cold_start.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError

from amplify_jobs.aws.clients import client_config
from amplify_jobs.aws.errors import ErrorResponse, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# Three attempts fit into a function's life, so that trouble with DynamoDB is told and not a function killed.
_CONFIG = client_config(attempts=3, read_timeout=4)
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def dynamodb_client() -> DynamoDBClient:
    """Make a client, also for Powertools' own table.

    Powertools would open a session of its own for it (see clients.py).
    """
    client = boto3.client("dynamodb", config=_CONFIG)
    client.meta.events.register(
        "provide-client-params.dynamodb",
        _request_proof,  # type: ignore[arg-type]  # this event sends what its handler gives
    )
    client.meta.events.register("after-call.dynamodb", _check_proof)
    return client


class NoAnswerError(BotoCoreError):
    """DynamoDB answered 200 with something that is no answer to the operation."""

    fmt = "{operation} was answered without ConsumedCapacity"


def _request_proof(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    # It costs nothing, and every answer then has something that no other answer has: PutItem and GetItem of an item
    # that is not there would else answer nothing at all.
    return {**params, "ReturnConsumedCapacity": "TOTAL"}


def _check_proof(http_response: Any, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
    if http_response.status_code == 200 and "ConsumedCapacity" not in parsed:
        raise NoAnswerError(operation=model.name)


class ConditionNotMetError(Exception):
    """The item is not as the condition of a write says."""


@dataclass(frozen=True)
class PageQuery:
    """A page of at most `limit` items with this partition key, of the table or an index, after the item `start`."""

    key: str
    partition: str
    limit: int
    index: str | None = None
    start: Mapping[str, str] | None = None
    backwards: bool = False


class Table:
    """One table. Every method raises ServiceTrouble when DynamoDB fails or does not answer."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """Read an item as it is now (API: GetItem)."""
        with _call("GetItem"):
            answer = self._client.get_item(TableName=self._name, Key=_serialized(key), ConsistentRead=True)
            return _deserialized(answer["Item"]) if "Item" in answer else None

    def put(
        self, item: Mapping[str, Any], condition: str | None = None, values: Mapping[str, Any] | None = None
    ) -> None:
        """Write an item in place of what there is (API: PutItem). Raises ConditionNotMetError."""
        arguments: dict[str, Any] = {"ExpressionAttributeValues": _serialized(values)} if values else {}
        if condition is not None:
            arguments["ConditionExpression"] = condition
        with _call("PutItem"):
            self._client.put_item(TableName=self._name, Item=_serialized(item), **arguments)

    def put_version(self, item: Mapping[str, Any]) -> bool:
        """Write an item as the `version` that it says, in place of the one before it; False if that is not there.

        The first version takes the place of nothing.
        """
        version = item["version"]
        try:
            if version == 1:
                self.put(item, "attribute_not_exists(pk)")
            else:
                self.put(item, "version = :before", {":before": version - 1})
        except ConditionNotMetError:
            return False
        return True

    def update(
        self,
        key: Mapping[str, Any],
        expression: str,
        values: Mapping[str, Any],
        *,
        names: Mapping[str, str] | None = None,
        condition: str | None = None,
    ) -> dict[str, Any]:
        """Change an item, or make it, and give what it is then (API: UpdateItem). Raises ConditionNotMetError."""
        arguments: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        if condition is not None:
            arguments["ConditionExpression"] = condition
        with _call("UpdateItem"):
            answer = self._client.update_item(
                TableName=self._name,
                Key=_serialized(key),
                UpdateExpression=expression,
                ExpressionAttributeValues=_serialized(values),
                ReturnValues="ALL_NEW",
                **arguments,
            )
            return _deserialized(answer["Attributes"])

    def query_backwards(
        self,
        condition: str,
        values: Mapping[str, Any],
        *,
        limit: int,
        projection: str,
        names: Mapping[str, str],
    ) -> list[dict[str, Any]]:
        """Read one page of at most `limit` items, the greatest sort key first (API: Query)."""
        with _call("Query"):
            answer = self._client.query(
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=_serialized(values),
                ScanIndexForward=False,
                Limit=limit,
                ProjectionExpression=projection,
                ExpressionAttributeNames=names,
            )
            return [_deserialized(item) for item in answer["Items"]]

    def query_index(
        self, index: str, condition: str, values: Mapping[str, Any], *, projection: str
    ) -> list[dict[str, Any]]:
        """Read all items of a partition of an index, which may be a moment behind (API: Query)."""
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            with _call("Query"):
                answer = self._client.query(
                    TableName=self._name,
                    IndexName=index,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=_serialized(values),
                    ProjectionExpression=projection,
                    **start,
                )
                items += [_deserialized(item) for item in answer["Items"]]
            if not answer.get("LastEvaluatedKey"):
                return items
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def query_page(self, query: PageQuery) -> tuple[list[dict[str, Any]], bool]:
        """Read one page of a partition, and say whether more may follow (API: Query)."""
        arguments: dict[str, Any] = {"IndexName": query.index} if query.index else {}
        if query.start is not None:
            arguments["ExclusiveStartKey"] = _serialized(query.start)
        with _call("Query"):
            answer = self._client.query(
                TableName=self._name,
                KeyConditionExpression="#key = :key",
                ExpressionAttributeNames={"#key": query.key},
                ExpressionAttributeValues=_serialized({":key": query.partition}),
                ScanIndexForward=not query.backwards,
                Limit=query.limit,
                **arguments,
            )
            return [_deserialized(item) for item in answer["Items"]], bool(answer.get("LastEvaluatedKey"))


def _call(operation: str) -> AbstractContextManager[None]:
    return aws_errors(f"DynamoDB {operation}", _condition_not_met)


def _condition_not_met(error: ErrorResponse) -> ConditionNotMetError | None:
    return ConditionNotMetError() if error.code == "ConditionalCheckFailedException" else None


def _serialized(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in values.items()}


def _deserialized(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}
