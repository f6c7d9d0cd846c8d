"""Foreign text in Markdown: it formats nothing, links nothing and mentions nobody."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:])")
# A zero-width joiner would do, and nobody could copy the name.
_MENTION = re.compile(r"@(?=\w)")


def escaped(text: str) -> str:
    """A text that shows as it is; an @ is followed by an invisible character, so that it mentions nobody."""
    return _MENTION.sub("@\u2060", _SPECIAL.sub(r"\\\1", text))


def bold(text: str) -> str:
    """A text that shows as it is, in bold."""
    return f"**{escaped(text)}**"


def link(label: str, address: str) -> str:
    """A link; its address can't end early."""
    return f"[{escaped(label)}]({address.replace('(', '%28').replace(')', '%29').replace(' ', '%20')})"
