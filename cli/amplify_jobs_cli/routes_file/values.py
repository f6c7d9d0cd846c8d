"""Looking into a routes file's plain values, which may be of any type anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def member(value: Any, key: str) -> Any:
    """A member of an object; None where there is none."""
    return value.get(key) if isinstance(value, dict) else None


def members(value: Any, key: str) -> list[tuple[str, Any]]:
    """The members of an object that is itself a member."""
    inner = member(value, key)
    return list(inner.items()) if isinstance(inner, dict) else []


def items(value: Any) -> list[tuple[tuple[int, ...], str]]:
    """The texts of a list, each with its place in it; one text alone stands for a list of one."""
    if isinstance(value, str):
        return [((), value)]
    if not isinstance(value, list):
        return []
    return [((index,), item) for index, item in enumerate(value) if isinstance(item, str)]


def at(value: Any, path: Iterable[int | str]) -> Any:
    """What is at a path; None where there is nothing. One text is the only item of itself, as in `items`."""
    for part in path:
        if isinstance(value, str) and part == 0:
            continue
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value
