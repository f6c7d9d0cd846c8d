"""Changes of what a stack holds, for people in lines and for programs in JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What happens to a route, a source, a target or a schedule."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


_SIGNS = {Kind.ADDED: "+", Kind.CHANGED: "~", Kind.REMOVED: "-"}


@dataclass(frozen=True)
class Member:
    """A member that changes: its path, and its value before and after, None where it has none."""

    path: str
    before: Any
    after: Any

    def line(self) -> str:
        """The change of the member for people."""
        if self.before is None:
            return f"{self.path}: {_shown(self.after)} (added)"
        if self.after is None:
            return f"{self.path}: {_shown(self.before)} (removed)"
        return f"{self.path}: {_shown(self.before)} -> {_shown(self.after)}"


@dataclass(frozen=True)
class Change:
    """One thing that changes: `what` it is (route, source, target, schedule, source copy), its name, a note."""

    kind: Kind
    what: str
    name: str
    note: str = ""
    members: tuple[Member, ...] = ()

    def lines(self) -> list[str]:
        """The change for people, its members indented below it."""
        note = f": {self.note}" if self.note else ""
        return [
            f"{_SIGNS[self.kind]} {self.what} {self.name}{note}",
            *(f"    {member.line()}" for member in self.members),
        ]

    def json(self) -> dict[str, Any]:
        """The change for programs."""
        members = [{"path": member.path, "before": member.before, "after": member.after} for member in self.members]
        return {"change": self.kind, "what": self.what, "name": self.name, "members": members}


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
