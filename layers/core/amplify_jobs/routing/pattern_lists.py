"""Lists of patterns: a later one overrides those before it, and one that begins with `!` takes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def validate_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return patterns that let something in; raises ValueError where each of them only takes back."""
    if patterns and all(pattern.startswith("!") for pattern in patterns):
        raise ValueError("all patterns begin with !, so nothing can match; use one without ! before them, like '**'")
    return patterns


def last_fitting(patterns: Sequence[str], text: str, fits: Callable[[str, str], bool]) -> str | None:
    """The last pattern that fits a text; None if none fits, or if that one takes back."""
    for pattern in reversed(patterns):
        if fits(pattern.removeprefix("!"), text):
            return None if pattern.startswith("!") else pattern
    return None
