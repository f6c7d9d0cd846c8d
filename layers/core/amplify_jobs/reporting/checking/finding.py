"""What a check of a target found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Result(StrEnum):
    """How a check ended: UNKNOWN is what nobody can tell without a report, DOUBT what works but is hardly meant."""

    OK = "ok"
    DOUBT = "doubt"
    UNKNOWN = "unknown"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked; `parameter` is the name in SSM that it is about, `remedy` what to do."""

    check: str
    result: Result
    message: str
    parameter: str | None = None
    remedy: str | None = None

    def text(self) -> str:
        """One line for people, without the target's name."""
        place = f"{self.parameter}: " if self.parameter else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.result:7}  {self.check}: {place}{self.message}{remedy}"

    def as_json(self) -> dict[str, Any]:
        """The members of a check in `reports check --json`."""
        return {
            "check": self.check,
            "result": self.result.value,
            "message": self.message,
            "parameter": self.parameter,
            "remedy": self.remedy,
        }
