"""The table of the index, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.indexing.indexer import Change
from amplify_jobs.indexing.items import LISTS, Item


class KeptIndex:
    """Items by their keys. `trouble` is raised instead of any call."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.writes = 0
        self.newest: tuple[datetime, int] | None = None
        self.trouble: ServiceTrouble | None = None

    def change(self, key: tuple[str, str], change: Change) -> None:
        if self.trouble is not None:
            raise self.trouble
        before = self.items.get(key)
        item = change(before.record if before else None)
        if item != before:
            self.items[key] = item
            self.writes += 1

    def write_health(self, as_of: datetime, lag_seconds: int) -> None:
        self.newest = as_of, lag_seconds

    def health(self) -> tuple[datetime, int] | None:
        return self.newest

    def record(self, key: tuple[str, str]) -> str | None:
        item = self.items.get(key)
        return item.record if item else None

    def page(
        self, index: str, partition: str, *, limit: int, before: dict[str, str] | None
    ) -> tuple[list[dict[str, Any]], bool]:
        entries = [
            {"pk": key[0], "sk": key[1], "at": item.lists["at"], "summary": item.summary}
            for key, item in self.items.items()
            if item.lists.get(LISTS[index]) == partition
        ]
        entries.sort(key=lambda item: (item["at"] or "", item["pk"]), reverse=True)
        if before is not None:
            entries = [item for item in entries if (item["at"] or "", item["pk"]) < (before["at"], before["pk"])]
        return entries[:limit], len(entries) > limit

    def items_of(self, partition: str, *, limit: int, after: str | None = None) -> tuple[list[dict[str, Any]], bool]:
        result: Sequence[dict[str, Any]] = sorted(
            (
                {"pk": key[0], "sk": key[1], "record": item.record}
                for key, item in self.items.items()
                if key[0] == partition and (after is None or key[1] > after)
            ),
            key=lambda item: str(item["sk"]),
        )
        return list(result[:limit]), len(result) > limit
