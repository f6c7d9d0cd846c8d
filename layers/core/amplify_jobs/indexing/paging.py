"""Reads pages of lists: as many items as a page shows, or a fixed multiple of them where a filter leaves some out."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from amplify_jobs.errors import BadQueryError
from amplify_jobs.model.base import GrowingModel

Shown = TypeVar("Shown", bound=GrowingModel)
MOST_READ_PER_ITEM = 10
"""So many items are read at most for each item that a page may show."""


class Lists(Protocol):
    """The lists of the index; aws.index_table.IndexTable. Raises ServiceTrouble."""

    def page(
        self, index: str, partition: str, *, limit: int, before: dict[str, str] | None
    ) -> tuple[list[dict[str, Any]], bool]: ...


@dataclass(frozen=True)
class ListQuery(Generic[Shown]):
    """What is listed: partitions of an index, one after the other, and which of their items are shown."""

    index: str
    partitions: Sequence[str]
    model: type[Shown]
    is_shown: Callable[[Shown], bool]
    is_filtered: bool = True


def read_page(
    lists: Lists, query: ListQuery[Shown], limit: int, token: str | None
) -> tuple[tuple[Shown, ...], str | None]:
    """Read the items of a page, and the token of the next one; None if there is none. Raises BadQueryError."""
    number, before = _position(query, token)
    shown: list[Shown] = []
    budget = limit * (MOST_READ_PER_ITEM if query.is_filtered else 1)
    while number < len(query.partitions) and budget > 0 and len(shown) < limit:
        partition = query.partitions[number]
        items, has_more = lists.page(query.index, partition, limit=min(limit, budget), before=before)
        budget -= max(len(items), 1)
        for position, item in enumerate(items):
            summary = query.model.model_validate_json(item["summary"])
            if query.is_shown(summary):
                shown.append(summary)
            before = {name: item[name] for name in ("pk", "sk", "at")}
            if len(shown) == limit:
                has_more = has_more or position + 1 < len(items)
                break
        if not has_more:
            number, before = number + 1, None
    return tuple(shown), _token(query, number, before)


def _token(query: ListQuery[Shown], number: int, before: dict[str, str] | None) -> str | None:
    if number >= len(query.partitions):
        return None
    content = json.dumps([query.partitions[number], before], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _position(query: ListQuery[Shown], token: str | None) -> tuple[int, dict[str, str] | None]:
    if token is None:
        return 0, None
    try:
        partition, before = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        number = list(query.partitions).index(partition)
        key = None if before is None else {name: str(before[name]) for name in ("pk", "sk", "at")}
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        raise BadQueryError(
            "next is not a token of this list; give `next` of the page before, or leave it out"
        ) from None
    return number, key
