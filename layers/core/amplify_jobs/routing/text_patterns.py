"""Patterns of texts (authors, messages): only `*`, anything at all, and `!` mean something; case does not matter.

Whoever may push chooses the text, so matching takes linear time: a text that is chosen to fit almost must not hold up a
function.
"""

from __future__ import annotations

from collections.abc import Sequence

from amplify_jobs.routing.github_patterns import last_fitting


def validate_text_pattern(pattern: str) -> str:
    """Return a pattern of texts that can be used; raises ValueError saying what is wrong with it."""
    if not pattern.removeprefix("!"):
        raise ValueError("an empty pattern matches nothing; use a text like *[deploy]*")
    return pattern


def last_text_match(patterns: Sequence[str], text: str) -> str | None:
    """The pattern by which a text is in: the last that fits, unless it takes back."""
    return last_fitting(patterns, text, _fits)


def _fits(pattern: str, text: str) -> bool:
    """Find the parts between the `*` from left to right, each at its first place: no other place leaves more behind it.

    The last part must end the text.
    """
    first, *parts = pattern.casefold().split("*")
    text = text.casefold()
    if not parts:
        return text == first
    *parts, last = parts
    end = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last):
        return False
    position = len(first)
    for part in parts:
        place = text.find(part, position, end)
        if place < 0:
            return False
        position = place + len(part)
    return position <= end
