"""Patterns of branch names, written as in GitHub Actions: `*` stops at "/", `**` does not, `!` takes back.

Source: GitHub Docs, "Workflow syntax", filter patterns. Its `?`, `+` and `[]` are left out: users trip over them, and
`+` occurs in branch names. git allows no `?`, `[` or backslash in one, so a pattern with these is refused as a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
_TOKENS = re.compile(r"\*\*/|\*\*|\*|[^*]+")


def checked_pattern(pattern: str) -> str:
    """Return a pattern that can be used; raises ValueError saying what is wrong with it."""
    if not pattern.removeprefix("!"):
        raise ValueError("an empty pattern matches no branch; use a branch's name or a pattern like release/*")
    if re.search(r"[?\[\\]", pattern):
        raise ValueError(f"only * and ** and a leading ! mean something in a pattern, not {pattern!r}; use these")
    if re.search(r"[\s~^:]", pattern):
        raise ValueError(f"no branch can be called {pattern!r}; git allows neither blanks nor ~ ^ : in names")
    return pattern


def matches(patterns: Iterable[str], branch: str) -> bool:
    """Say whether a branch matches: the last pattern that fits it decides, one with `!` against."""
    matched = False
    for pattern in patterns:
        if _expression(pattern.removeprefix("!")).fullmatch(branch):
            matched = not pattern.startswith("!")
    return matched


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    tokens = _TOKENS.findall(pattern)
    return re.compile("".join(_WILDCARDS.get(token, re.escape(token)) for token in tokens), re.DOTALL)
