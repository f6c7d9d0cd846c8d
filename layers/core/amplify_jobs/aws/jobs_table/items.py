"""What all items of the jobs table have in common: every one expires, and times are written in ISO 8601, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from amplify_jobs.aws.dynamodb import Table

RECORDS_LAST = timedelta(days=400)
LEASES_LAST = timedelta(days=7)


class Items:
    """Items of one kind. Every method raises ServiceTrouble when DynamoDB fails or does not answer."""

    def __init__(self, table: Table) -> None:
        self._table = table


def iso(time: datetime) -> str:
    """Write a time."""
    return time.astimezone(UTC).isoformat()


def read_time(text: object) -> datetime:
    """Read a time that `iso` wrote."""
    return datetime.fromisoformat(str(text))


def expiry(now: datetime, lifetime: timedelta) -> int:
    """When an item that is written now expires, in seconds since 1970, as DynamoDB wants it."""
    return int((now + lifetime).timestamp())
