"""How messages name a value of the file."""

from __future__ import annotations

from typing import Any


def kind_of(value: Any) -> str:
    """Name the type of a value."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
    return "an object"


def shown(value: Any) -> str:
    """Show a text or a number, and not more of it than tells which it is."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)[:40]
        case str():
            return quoted(value)
    return "this"


def quoted(text: str) -> str:
    """Show a text in quotes."""
    short = " ".join(text.split())
    return f"'{short[:59]}…'" if len(short) > 60 else f"'{short}'"
