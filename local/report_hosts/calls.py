"""Calls of a host's API, their answers, and how a stand-in finds the rule for a call."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

MADE_UP_COMMIT = "0" * 40
MISSING_PULL_REQUEST = "404"


@dataclass(frozen=True)
class HostCall:
    """A call; `address` is that of the stand-in, `path` begins behind it, names of headers are in small letters."""

    method: str
    address: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: Any

    @property
    def caller(self) -> str | None:
        """Who calls, by a digest of the token; None without one. Tokens of an App's installation are of one bot."""
        token = self.headers.get("authorization") or self.headers.get("private-token")
        if token and token.startswith("Bearer ghs_"):
            return "bot"
        return hashlib.sha256(token.encode()).hexdigest() if token else None

    def text(self, *names: str) -> str:
        """A text in the content; empty where there is none."""
        value = self.content
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    def number(self, name: str, otherwise: int) -> int:
        """A number in the query."""
        value = self.query.get(name, "")
        return int(value) if value.isdecimal() else otherwise

    def page(self, items: Sequence[T], size_name: str, otherwise: int) -> tuple[Sequence[T], int | None]:
        """The page of items that `page` in the query asks for, and the number of the next one; None after the last.

        `size_name` is the host's word for how many items a page has, `otherwise` how many without it; at most 100.
        """
        size, number = min(self.number(size_name, otherwise), 100), self.number("page", 1)
        is_last = len(items) <= number * size
        return items[(number - 1) * size : number * size], None if is_last else number + 1


@dataclass(frozen=True)
class HostAnswer:
    """An answer; without content it has no body."""

    status: int
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class HostApi(Protocol):
    """What each stand-in has."""

    def answer(self, call: HostCall) -> HostAnswer: ...


Rule = tuple[str, re.Pattern[str], Callable[..., HostAnswer]]
"""A method, the paths, and what answers; the groups of the path are given to it."""


def rules(*rows: tuple[str, str, Callable[..., HostAnswer]]) -> Sequence[Rule]:
    """Make rules of rows: method, pattern of the path, and what answers."""
    return [(method, re.compile(path), function) for method, path, function in rows]


def apply(rules: Sequence[Rule], call: HostCall, otherwise: HostAnswer) -> HostAnswer:
    """Answer by the first rule that fits."""
    for method, path, function in rules:
        if method == call.method and (match := path.fullmatch(call.path)):
            return function(call, *match.groups())
    return otherwise


@dataclass
class Note:
    """A comment."""

    identity: int
    place: str
    author: str | None
    text: str
    version: int = 0


class Notes:
    """The comments of a host, oldest first."""

    def __init__(self) -> None:
        self._notes: dict[int, Note] = {}
        self._last = 1_000

    def add(self, place: str, author: str | None, text: str) -> Note:
        self._last += 1
        self._notes[self._last] = Note(self._last, place, author, text)
        return self._notes[self._last]

    def of(self, place: str) -> list[Note]:
        return [note for note in self._notes.values() if note.place == place]

    def find(self, identity: str, place: str) -> Note | None:
        note = self._notes.get(int(identity))
        return note if note is not None and note.place == place else None

    def find_in_repository(self, identity: str, repository: str) -> Note | None:
        """Find a comment by its number alone, where a host's path does not name the pull request."""
        note = self._notes.get(int(identity))
        return note if note is not None and note.place.rpartition("#")[0] == repository else None

    def change(self, note: Note, text: str) -> Note:
        note.text, note.version = text, note.version + 1
        return note

    def delete(self, note: Note) -> None:
        del self._notes[note.identity]
