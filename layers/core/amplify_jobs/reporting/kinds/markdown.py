"""Foreign text in Markdown: it formats nothing, links nothing and mentions nobody.

`escaped` and what rests on it are for chats, which know CommonMark. `inert` is for git hosts: some know fewer escapes,
and most look for names, numbers of issues and addresses in what the Markdown has become.
"""

from __future__ import annotations

import re
from urllib.parse import quote

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:])")
# A zero-width joiner would do, and nobody could copy the name.
_MENTION = re.compile(r"@(?=\w)")
# All that an address may have but parentheses, apostrophes and @; percent signs are there already.
_SAFE_IN_ADDRESSES = ":/?#[]!$&*+,;=%"

_WORD_JOINER = "\u2060"
# What begins a reference to a person, an issue, a label or the like, and what makes an address a link.
_REFERENCE = re.compile(r"[@#!$%&~^](?=\S)|:(?=//)|\bwww(?=\.)", re.IGNORECASE)
_ESCAPE = re.compile(r"[\\`*_{}\[\]()#+\-.!]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "~": "&#126;"})


def inert(text: str) -> str:
    """A text on one line that shows as it is at each git host, and does nothing there."""
    joined = _REFERENCE.sub(rf"\g<0>{_WORD_JOINER}", " ".join(text.split()))
    return _ESCAPE.sub(r"\\\g<0>", joined).translate(_ENTITIES)


def inert_link(label: str, address: str) -> str:
    """A link at a git host; its address can't end early, and mentions nobody."""
    return f"[{inert(label)}]({quote(address, safe=_SAFE_IN_ADDRESSES)})"


def code(text: str) -> str:
    """Lines of code: what is indented has no end that the text could write, as a fence has."""
    return "\n".join(f"    {line}" for line in text.replace("@", f"@{_WORD_JOINER}").splitlines())


def escaped(text: str) -> str:
    """A text that shows as it is; an @ is followed by an invisible character, so that it mentions nobody."""
    return _MENTION.sub("@\u2060", _SPECIAL.sub(r"\\\1", text))


def bold(text: str) -> str:
    """A text that shows as it is, in bold."""
    return f"**{escaped(text)}**"


def link(label: str, address: str) -> str:
    """A link; its address can't end early, and mentions nobody."""
    return f"[{escaped(label)}]({quote(address, safe=_SAFE_IN_ADDRESSES)})"
