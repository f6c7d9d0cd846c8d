"""Which failed executions are redriven: those that Step Functions still redrives, and that a person means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# Step Functions redrives an execution for so long after its end (developer guide, "Redrive eligibility").
REDRIVE_PERIOD = timedelta(days=14)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class FailedExecution:
    """An execution that did not succeed; `status` is FAILED, TIMED_OUT or ABORTED."""

    arn: str
    status: str
    started_at: datetime
    ended_at: datetime

    @property
    def request_id(self) -> str:
        """The execution's name."""
        return self.arn.rpartition(":")[2]


@dataclass(frozen=True)
class RedriveResult:
    """What a redrive did: `reason` says why Step Functions refused it, and nothing was sent in a dry run."""

    execution: FailedExecution
    dry_run: bool = False
    reason: str | None = None

    def line(self) -> str:
        """Show it to a person."""
        text = f"{'Would redrive' if self.dry_run else 'Redriven'}: {self.execution.request_id}"
        return f"{self.execution.ended_at:%Y-%m-%d %H:%M:%S}  {self.execution.status:9}  {self.reason or text}"

    def as_json(self) -> dict[str, Any]:
        """Show it to a program."""
        return {
            "requestId": self.execution.request_id,
            "status": self.execution.status,
            "startedAt": self.execution.started_at.isoformat(),
            "endedAt": self.execution.ended_at.isoformat(),
            "redriven": self.reason is None and not self.dry_run,
            "reason": self.reason,
        }


def parse_duration(text: str) -> timedelta:
    """Read a duration like 30m, 2h or 3d. Raises ValueError."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration; use a number of minutes, hours or days, like 30m, 2h or 3d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def select_redrivable(executions: Iterable[FailedExecution], now: datetime, since: timedelta) -> list[FailedExecution]:
    """Select those that ended in the last `since`, and that Step Functions still redrives, oldest first."""
    start = now - min(since, REDRIVE_PERIOD)
    return sorted(
        (execution for execution in executions if execution.ended_at >= start),
        key=lambda execution: execution.started_at,
    )
