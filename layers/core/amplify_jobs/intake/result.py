"""What the intake answers: the requests that it has started, and what it has ignored or deferred."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class IntakeResult:
    """The answer to a delivery, in the members of its JSON."""

    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    ignored: list[dict[str, Any]] = field(default_factory=list)
    deferred: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_accepted(self) -> bool:
        """Whether the delivery starts something, now or later."""
        return bool(self.requests or self.deferred)
