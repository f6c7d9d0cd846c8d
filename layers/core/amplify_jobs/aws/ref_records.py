"""The records of refs in the jobs table, read and written without boto3: receive_webhook can't afford to load it.

pk `ref#<source>#<repository>#<ref>`, sk `ref`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from amplify_jobs.aws.signed_http import AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.intake.claims import RefName
from amplify_jobs.intake.ref_record import RefRecord

# A delivery that comes later than this is processed like any other.
RECORDS_LAST = timedelta(days=30)
_GET_ITEM = JsonOperation("dynamodb", "DynamoDB_20120810.GetItem", "1.0", proof="ConsumedCapacity")
_PUT_ITEM = JsonOperation("dynamodb", "DynamoDB_20120810.PutItem", "1.0", proof="ConsumedCapacity")


class StoredRefRecords:
    """Records in the jobs table. Every method raises ServiceTrouble when DynamoDB fails or does not answer."""

    def __init__(self, aws: AwsHttp, table: str) -> None:
        self._aws = aws
        self._table = table

    def ref_record(self, name: RefName) -> RefRecord:
        """Read the record as it is now; an empty one where nothing is known."""
        try:
            answer = self._call(_GET_ITEM, {"Key": _key(name), "ConsistentRead": True})
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"DynamoDB refused GetItem: {refusal}") from None
        item = answer.get("Item")
        if item is None:
            return RefRecord()
        try:
            return RefRecord.model_validate_json(item["record"]["S"])
        except (ValidationError, KeyError, TypeError):
            raise ServiceTrouble(f"the jobs table has no record of {name.ref} that can be read") from None

    def write_ref_record(self, name: RefName, record: RefRecord, now: datetime) -> bool:
        """Write it as the version after the one that was read; False if that version was written meanwhile."""
        item = {
            **_key(name),
            "record": {"S": record.model_dump_json(by_alias=True)},
            "version": {"N": str(record.version)},
            "expiresAt": {"N": str(int((now + RECORDS_LAST).timestamp()))},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if record.version > 1:
            values = {":before": {"N": str(record.version - 1)}}
            condition = {"ConditionExpression": "version = :before", "ExpressionAttributeValues": values}
        try:
            self._call(_PUT_ITEM, {"Item": item, **condition})
        except AwsRefusalError as refusal:
            if refusal.code == "ConditionalCheckFailedException":
                return False
            raise ServiceTrouble(f"DynamoDB refused PutItem: {refusal}") from None
        return True

    def _call(self, operation: JsonOperation, parameters: dict[str, Any]) -> dict[str, Any]:
        # What the answer must have: PutItem would answer nothing else.
        return self._aws.call(operation, {"TableName": self._table, "ReturnConsumedCapacity": "TOTAL", **parameters})


def _key(name: RefName) -> dict[str, Any]:
    return {"pk": {"S": f"ref#{name.source}#{name.repository}#{name.ref}"}, "sk": {"S": "ref"}}
