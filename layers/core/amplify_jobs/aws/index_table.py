"""The table of the index: items change by version, so that no write is lost; lists are read page by page.

indexing/items.py says which items there are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from amplify_jobs.aws.dynamodb import PageQuery, Table
from amplify_jobs.aws.jobs_table.items import expiry, iso, read_time
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.indexing.items import HEALTH_KEY, LISTS

if TYPE_CHECKING:
    # It imports Powertools' batches, which who only reads the index need not wait for.
    from amplify_jobs.indexing.indexer import Change

# So many writers rarely meet at one request.
_MOST_TRIES = 10


class IndexTable:
    """Reads and writes the index. Every method raises ServiceTrouble when DynamoDB fails or does not answer."""

    def __init__(self, table: Table, now: Callable[[], datetime]) -> None:
        self._table = table
        self._now = now

    def change(self, key: tuple[str, str], change: Change) -> None:
        """Change an item by the version that was read.

        One that would stay as it is is not written, unless more than half of its time has passed: it is in use.
        """
        for _ in range(_MOST_TRIES):
            before = self._table.get(_key(key)) or {}
            item = change(before.get("record"))
            content = {"record": item.record, **item.lists} | ({"summary": item.summary} if item.summary else {})
            expires_at = expiry(self._now(), item.lifetime)
            age = expires_at - int(before.get("expiresAt", 0))
            is_young = age <= item.lifetime.total_seconds() / 2
            if is_young and all(before.get(name) == value for name, value in content.items()):
                return
            version = int(before.get("version", 0))
            if self._table.put_version({**_key(key), **content, "version": version + 1, "expiresAt": expires_at}):
                return
        raise ServiceTrouble(f"an item of the index changed {_MOST_TRIES} times while it was read")

    def write_health(self, as_of: datetime, lag_seconds: int) -> None:
        """Write how current the index is."""
        self._table.put({**_key(HEALTH_KEY), "asOf": iso(as_of), "lagSeconds": lag_seconds})

    def health(self) -> tuple[datetime, int] | None:
        """Read when the index was written last, and how old the news was then, in seconds; None if it never was."""
        item = self._table.get(_key(HEALTH_KEY))
        return (read_time(item["asOf"]), int(item["lagSeconds"])) if item else None

    def record(self, key: tuple[str, str]) -> str | None:
        """Read the record of an item, in JSON; None if there is none."""
        item = self._table.get(_key(key))
        return item["record"] if item else None

    def page(
        self, index: str, partition: str, *, limit: int, before: dict[str, str] | None
    ) -> tuple[list[dict[str, Any]], bool]:
        """Read at most `limit` items of a list, the newest first, and say whether there may be more.

        `before` has the attributes pk, sk and at of the item before the first one.
        """
        name = LISTS[index]
        start = {**before, name: partition} if before else None
        return self._table.query_page(PageQuery(name, partition, limit, index, start, backwards=True))

    def items_of(self, partition: str, *, limit: int, after: str | None = None) -> tuple[list[dict[str, Any]], bool]:
        """Read at most `limit` items of a partition in the order of their sort keys; say whether more may follow."""
        return self._table.query_page(
            PageQuery("pk", partition, limit, start={"pk": partition, "sk": after} if after else None)
        )


def _key(key: tuple[str, str]) -> dict[str, str]:
    return {"pk": key[0], "sk": key[1]}
