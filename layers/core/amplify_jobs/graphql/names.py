"""Names: how AWS's generators split them into words and put them together, and how a sentence lists them."""

from __future__ import annotations

import re
from collections.abc import Sequence

# How many names one error or warning lists.
MOST_NAMES = 5
# Where npm change-case splits a name into words, in this order.
_LOWER_UPPER = re.compile(r"([a-z0-9])([A-Z])")
_UPPER_WORD = re.compile(r"([A-Z])([A-Z][a-z])")
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def upper_first(text: str) -> str:
    """A text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """A text with its first letter in lower case."""
    return text[:1].lower() + text[1:]


def camel(first: str, *rest: str) -> str:
    """Several names as one, of which all but the first begin with a capital."""
    return lower_first(first) + "".join(map(upper_first, rest))


def words(name: str) -> list[str]:
    """The words of a name, as npm change-case splits it."""
    apart = _UPPER_WORD.sub("\\1\0\\2", _LOWER_UPPER.sub("\\1\0\\2", name))
    return _BETWEEN.sub("\0", apart).strip("\0").split("\0")


def camel_case(name: str) -> str:
    """A name as npm change-case writes it in camelCase."""
    first, *rest = words(name)
    return first.lower() + "".join(f"_{word.lower()}" if word[0].isdigit() else word.capitalize() for word in rest)
