"""Schedules: what the routes want of EventBridge Scheduler, and what has to change for it. Decisions without calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amplify_jobs.events.aws_events import schedule_input
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.push.changes import Change, Kind

# The same patience as the rules of the stack have.
RETRY_POLICY = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}

# What Scheduler stores of a schedule, in the members of its API (CreateSchedule), without name and group.
Definition = Mapping[str, Any]


@dataclass(frozen=True)
class ScheduleTarget:
    """Where a stack's schedules lie and what they call: all schedules in the group are the routes'."""

    group: str
    function_arn: str
    role_arn: str
    dead_letter_queue_arn: str


@dataclass(frozen=True)
class ScheduleChanges:
    """What has to be done so that Scheduler holds what the routes want."""

    created: Mapping[str, Definition]
    changed: Mapping[str, Definition]
    removed: tuple[str, ...]

    def changes(self) -> list[Change]:
        """What is done, in the order of the names."""
        changes = [Change(Kind.ADDED, "schedule", name, _when(schedule)) for name, schedule in self.created.items()]
        changes += [Change(Kind.CHANGED, "schedule", name, _when(schedule)) for name, schedule in self.changed.items()]
        changes += [Change(Kind.REMOVED, "schedule", name) for name in self.removed]
        return sorted(changes, key=lambda change: change.name)


def schedules_of(routes: Routes, target: ScheduleTarget) -> dict[str, Definition]:
    """The schedules of all routes that wait for one and are switched on, by the route's name."""
    return {
        name: {
            "ScheduleExpression": route.when.schedule.expression,
            "ScheduleExpressionTimezone": route.when.schedule.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": {
                "Arn": target.function_arn,
                "RoleArn": target.role_arn,
                "Input": schedule_input(name),
                "DeadLetterConfig": {"Arn": target.dead_letter_queue_arn},
                "RetryPolicy": RETRY_POLICY,
            },
        }
        for name, route in routes.routes.items()
        if route.when.schedule is not None and route.enabled
    }


def schedule_changes(stored: Mapping[str, Definition], schedules: Mapping[str, Definition]) -> ScheduleChanges:
    """Compare what Scheduler holds with new schedules; members that these lack are Scheduler's own affair."""
    return ScheduleChanges(
        created={name: definition for name, definition in schedules.items() if name not in stored},
        changed={
            name: definition
            for name, definition in schedules.items()
            if name in stored and any(stored[name].get(member) != value for member, value in definition.items())
        },
        removed=tuple(sorted(stored.keys() - schedules.keys())),
    )


def _when(definition: Definition) -> str:
    return f"{definition['ScheduleExpression']} {definition['ScheduleExpressionTimezone']}"
