"""Foreign text in Markdown: it formats nothing, links nothing and mentions nobody."""

from __future__ import annotations

import re
from urllib.parse import quote

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:])")
# A zero-width joiner would do, and nobody could copy the name.
_MENTION = re.compile(r"@(?=\w)")
# All that an address may have but parentheses, apostrophes and @; percent signs are there already.
_SAFE_IN_ADDRESSES = ":/?#[]!$&*+,;=%"


def escaped(text: str) -> str:
    """A text that shows as it is; an @ is followed by an invisible character, so that it mentions nobody."""
    return _MENTION.sub("@\u2060", _SPECIAL.sub(r"\\\1", text))


def bold(text: str) -> str:
    """A text that shows as it is, in bold."""
    return f"**{escaped(text)}**"


def link(label: str, address: str) -> str:
    """A link; its address can't end early, and mentions nobody."""
    return f"[{escaped(label)}]({quote(address, safe=_SAFE_IN_ADDRESSES)})"
