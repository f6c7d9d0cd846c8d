"""Reading a payload's members: every one may be missing or of another type until it is needed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from amplify_jobs.errors import UnreadableDeliveryError, UnusableRefError

LONGEST_NAME = 1024
LONGEST_AUTHOR = 256

# git's own rules for a ref's name (git check-ref-format).
_BAD_REF = re.compile(r"^$|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|\.$|^/")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def member(value: object, *path: str) -> Any:
    """Follow a path of keys; None where it does not lead anywhere."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: object, *path: str) -> str | None:
    """The text at a path, or None; half a character, which no UTF-8 can carry, becomes U+FFFD."""
    found = member(value, *path)
    return _LONE_SURROGATE.sub("\ufffd", found) if isinstance(found, str) else None


def name(value: object, *path: str) -> str | None:
    """The text at a path, if it can be a name: not empty, and of at most 1,024 characters.

    Raises UnreadableDeliveryError for a longer one.
    """
    found = text(value, *path)
    if found is not None and len(found) > LONGEST_NAME:
        raise UnreadableDeliveryError(f"{'.'.join(path)} has more than {LONGEST_NAME} characters")
    return found or None


def ref(value: object, *path: str) -> str | None:
    """The name of a branch or tag at a path, in full or short, if it is not empty: ref_name judges it."""
    return text(value, *path) or None


def number(value: object, *path: str) -> int | None:
    """The positive whole number at a path, or None."""
    found = member(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None


def items(value: object, *path: str) -> list[Any]:
    """The list at a path; empty where there is none."""
    found = member(value, *path)
    return found if isinstance(found, list) else []


def author(value: object, *path: str) -> str | None:
    """The person's name at a path, cut to 256 characters."""
    return (text(value, *path) or "")[:LONGEST_AUTHOR] or None


def host(value: object, *path: str) -> str | None:
    """The host in the address at a path."""
    try:
        return urlsplit(text(value, *path) or "").hostname
    except ValueError:
        return None


def flag(value: object, *path: str) -> bool | None:
    """The boolean at a path, or None."""
    found = member(value, *path)
    return found if isinstance(found, bool) else None


def time(value: object, *path: str) -> datetime | None:
    """The ISO 8601 time at a path, or None where it is none or does not say its offset from UTC."""
    try:
        found = datetime.fromisoformat(text(value, *path) or "")
    except ValueError:
        return None
    return found if found.utcoffset() is not None else None


def sha(value: object, *path: str) -> str | None:
    """The object name at a path; the all-zero one (40 digits of SHA-1 or 64 of SHA-256) stands for none."""
    found = name(value, *path)
    return None if found is None or not found.strip("0") else found


def ref_name(ref: str, prefix: str) -> str:
    """A branch's or tag's name: the ref without its prefix, and only without that, since names contain "/".

    Raises UnusableRefError for a name that git does not allow, that opens with "-", or of more than 1,024 characters.
    """
    found = ref.removeprefix(prefix)
    if len(ref) > LONGEST_NAME:
        raise UnusableRefError(f"ref {ref[:100]!r} is refused: it has more than {LONGEST_NAME} characters")
    if _BAD_REF.search(found):
        raise UnusableRefError(f"ref {ref[:100]!r} is refused: git allows no such name")
    if found.startswith("-"):
        reason = "a command may take a name that opens with '-' for an option; give it another name"
        raise UnusableRefError(f"ref {ref[:100]!r} is refused: {reason}")
    return found
