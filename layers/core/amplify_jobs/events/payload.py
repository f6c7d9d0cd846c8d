"""A decoded payload, read leniently: every member may be missing or of another type until it is needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from amplify_jobs.errors import UnreadableDeliveryError

LONGEST_NAME = 1024
LONGEST_AUTHOR = 256

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def text_of(value: object) -> str | None:
    """A text, or None for another value; half a character, which no UTF-8 can carry, becomes U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Payload:
    """A value of JSON's types from outside. Each method reads a member of it by its path, a list of keys."""

    value: Any

    def member(self, *path: str) -> Any:
        """The raw value at a path; None where the path does not lead anywhere."""
        value = self.value
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def at(self, *path: str) -> Payload:
        """The payload at a path."""
        return Payload(self.member(*path))

    @property
    def is_object(self) -> bool:
        """Whether there is an object, with members of its own."""
        return isinstance(self.value, dict)

    def has_list(self, *path: str) -> bool:
        """Whether there is a list at a path, even if it is empty."""
        return isinstance(self.member(*path), list)

    def elements(self, *path: str) -> list[Payload]:
        """The elements of the list at a path; none where there is no list."""
        value = self.member(*path)
        return [Payload(element) for element in value] if isinstance(value, list) else []

    def text(self, *path: str) -> str | None:
        """The text at a path, or None, as text_of reads it."""
        return text_of(self.member(*path))

    def name(self, *path: str) -> str | None:
        """The text at a path, if it can be a name: not empty, and of at most 1,024 characters.

        Raises UnreadableDeliveryError for a longer one.
        """
        text = self.text(*path)
        if text is not None and len(text) > LONGEST_NAME:
            raise UnreadableDeliveryError(f"{'.'.join(path) or 'a name'} has more than {LONGEST_NAME} characters")
        return text or None

    def ref(self, *path: str) -> str | None:
        """The name of a branch or tag at a path, in full or short, if it is not empty: refs.ref_name judges it."""
        return self.text(*path) or None

    def sha(self, *path: str) -> str | None:
        """The object name at a path; the all-zero one (40 digits of SHA-1 or 64 of SHA-256) stands for none."""
        name = self.name(*path)
        return None if name is None or not name.strip("0") else name

    def author(self, *path: str) -> str | None:
        """The person's name at a path, cut to 256 characters."""
        return (self.text(*path) or "")[:LONGEST_AUTHOR] or None

    def host(self, *path: str) -> str | None:
        """The host in the address at a path."""
        try:
            return urlsplit(self.text(*path) or "").hostname
        except ValueError:
            return None

    def number(self, *path: str) -> int | None:
        """The positive whole number at a path, or None."""
        value = self.member(*path)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

    def flag(self, *path: str) -> bool | None:
        """The boolean at a path, or None."""
        value = self.member(*path)
        return value if isinstance(value, bool) else None

    def time(self, *path: str) -> datetime | None:
        """The ISO 8601 time at a path, or None where it is none or does not say its offset from UTC."""
        try:
            time = datetime.fromisoformat(self.text(*path) or "")
        except ValueError:
            return None
        return time if time.utcoffset() is not None else None
