"""JSON from outside, read strictly: what two parsers could read differently, or no host sends, is refused."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from amplify_jobs.errors import UnreadableDeliveryError

# The deepest recorded payload has 8 levels.
DEEPEST_NESTING = 40


def json_body(body: bytes) -> dict[str, Any]:
    """Parse a body that is a JSON object in UTF-8, as json_object does."""
    try:
        return json_object(body.decode())
    except UnicodeDecodeError:
        raise UnreadableDeliveryError("the body is not UTF-8") from None


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object; raises UnreadableDeliveryError on anything else, duplicate keys, NaN and deep nesting."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_json, parse_float=_finite)
    except RecursionError:
        raise UnreadableDeliveryError(_too_deep()) from None
    except ValueError as error:
        raise UnreadableDeliveryError(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UnreadableDeliveryError("the body is JSON, but not an object")
    _refuse_deep_nesting(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableDeliveryError(f"the body is not usable JSON: an object has the key {twice[:100]!r} twice")
    return value


def _not_json(constant: str) -> NoReturn:
    raise UnreadableDeliveryError(f"the body is not JSON: {constant} is not a JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise UnreadableDeliveryError("the body is not usable JSON: a number is too large")
    return value


def _refuse_deep_nesting(value: dict[str, Any]) -> None:
    level: list[Any] = [value]
    for _ in range(DEEPEST_NESTING):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise UnreadableDeliveryError(_too_deep())


def _too_deep() -> str:
    return f"the body is not usable JSON: it is nested deeper than {DEEPEST_NESTING} levels"
