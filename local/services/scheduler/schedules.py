"""Schedule groups, their schedules, and what a target gets when one is due."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from local.services.scheduler import expressions

MEMBERS = ("ScheduleExpression", "StartDate", "EndDate", "Description", "KmsKeyArn", "Target", "FlexibleTimeWindow")


@dataclass
class Group:
    """A schedule group and its schedules by name."""

    name: str
    arn: str
    created: datetime
    schedules: dict[str, Schedule] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        dates = {"CreationDate": self.created, "LastModificationDate": self.created}
        return {"Name": self.name, "Arn": self.arn, "State": "ACTIVE", **dates}


@dataclass
class Schedule:
    """A schedule as CreateSchedule or UpdateSchedule said it; `begin` is what a rate counts from."""

    arn: str
    group: str
    document: Mapping[str, Any]
    times: expressions.Schedule
    created: datetime
    modified: datetime
    begin: datetime
    due: datetime | None = None

    @property
    def name(self) -> str:
        return str(self.document["Name"])

    @property
    def target(self) -> Mapping[str, Any]:
        target: Mapping[str, Any] = self.document["Target"]
        return target

    @property
    def state(self) -> str:
        return str(self.document.get("State", "ENABLED"))

    def plan(self, after: datetime) -> None:
        """Find when it is due next."""
        due = self.times.after(after, self.begin) if self.state == "ENABLED" else None
        end = self.document.get("EndDate")
        self.due = None if due is not None and end is not None and due > end else due

    def described(self) -> dict[str, Any]:
        return {
            "Arn": self.arn,
            "GroupName": self.group,
            "Name": self.name,
            "State": self.state,
            "ScheduleExpressionTimezone": self.document.get("ScheduleExpressionTimezone", "UTC"),
            "ActionAfterCompletion": self.document.get("ActionAfterCompletion", "NONE"),
            "CreationDate": self.created,
            "LastModificationDate": self.modified,
            **{name: self.document[name] for name in MEMBERS if name in self.document},
        }

    def summary(self) -> dict[str, Any]:
        names = ("Arn", "GroupName", "Name", "State", "CreationDate", "LastModificationDate")
        described = self.described()
        return {**{name: described[name] for name in names}, "Target": {"Arn": self.target["Arn"]}}


@dataclass(frozen=True)
class Invocation:
    """One time at which a schedule was due."""

    schedule_arn: str
    target: Mapping[str, Any]
    time: datetime
    id: str = field(default_factory=lambda: uuid4().hex[:16])

    @property
    def time_text(self) -> str:
        return self.time.strftime("%Y-%m-%dT%H:%M:%SZ")

    def input(self, attempt: int, *, account: str, region: str) -> str:
        """What the target gets: the schedule's Input with its context attributes, or Scheduler's own event.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
        """
        attributes = {
            "schedule-arn": self.schedule_arn,
            "scheduled-time": self.time_text,
            "execution-id": self.id,
            "attempt-number": str(attempt),
        }
        template = self.target.get("Input")
        if template is not None:
            text = re.sub(
                r"<aws\.scheduler\.([a-z-]+)>", lambda match: attributes.get(match[1], match[0]), str(template)
            )
        else:
            event = {
                "version": "0",
                "id": self.id,
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": account,
                "time": self.time_text,
                "region": region,
                "resources": [self.schedule_arn],
                "detail": "{}",
            }
            text = json.dumps(event)
        bus: Mapping[str, str] | None = self.target.get("EventBridgeParameters")
        if bus is None:
            return text
        return json.dumps({"detail-type": bus["DetailType"], "source": bus["Source"], "detail": json.loads(text)})
