"""What a page consists of, before it is HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FAST_SECONDS = 3
SLOW_SECONDS = 30


@dataclass(frozen=True)
class Content:
    """A template with its values. `refresh_seconds` is how often the page looks for news."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    section: str = ""
    status: int = 200
    refresh_seconds: int = SLOW_SECONDS


@dataclass(frozen=True)
class Action:
    """A button: the page that it posts to, its fields, and what it does. `subject` names what it is about."""

    label: str
    hint: str
    path: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()
    subject: str = ""
