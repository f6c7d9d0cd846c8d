"""Pages of one item each: tokens that stay right while items come and go."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from local.server.protocol.errors import ServiceError

Item = TypeVar("Item")
Place = int | str


def page(
    items: Iterable[Item], place: Callable[[Item], Place], params: dict[str, Any], largest: int
) -> tuple[list[Item], str | None]:
    """One page of items in the order of their places, and the token of the next page if there is one.

    `params` are the operation's: maxResults (0 and none mean as many as allowed) and nextToken, which names the place
    where the last page ended. Raises BadRequestException for a token that is none of ours.
    """
    ordered = sorted(items, key=place)
    if params.get("nextToken"):
        after = _place(params["nextToken"], type(place(ordered[0])) if ordered else None)
        ordered = [item for item in ordered if place(item) > after]
    limit = params.get("maxResults") or largest
    more = len(ordered) > limit
    return ordered[:limit], _token(place(ordered[limit - 1])) if more else None


def _token(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(token: str, kind: type | None) -> Any:
    try:
        place = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    if not isinstance(place, int | str) or (kind is not None and not isinstance(place, kind)):
        raise ServiceError("BadRequestException", "nextToken: is no token of this operation; use the one it answered")
    return place
