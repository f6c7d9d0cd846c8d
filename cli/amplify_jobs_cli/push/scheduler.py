"""EventBridge Scheduler behind boto3: the schedules of one stack's group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from amplify_jobs.aws.errors import required_member
from amplify_jobs_cli.aws_calls import aws_call
from amplify_jobs_cli.push.schedules import Definition, ScheduleChanges

if TYPE_CHECKING:
    from collections.abc import Mapping


class SchedulerClient(Protocol):
    """What is used of boto3's scheduler client, whose own stubs are no dependency for these few calls."""

    def get_paginator(self, operation_name: str, /) -> Any: ...

    def get_schedule(self, *, GroupName: str, Name: str) -> Mapping[str, Any]: ...  # noqa: N803 -- the API's names

    def create_schedule(self, **members: Any) -> Any: ...

    def update_schedule(self, **members: Any) -> Any: ...

    def delete_schedule(self, *, GroupName: str, Name: str) -> Any: ...  # noqa: N803 -- the API's names


class Scheduler:
    """The schedules of one group. Both methods raise ServiceTrouble naming what did not work."""

    def __init__(self, client: SchedulerClient, group: str) -> None:
        self._client = client
        self._group = group

    def stored(self) -> dict[str, Definition]:
        """What Scheduler holds, by name (API: ListSchedules, GetSchedule)."""
        with aws_call(f"schedules of group {self._group} can't be read"):
            pages = self._client.get_paginator("list_schedules").paginate(GroupName=self._group)
            names = [schedule["Name"] for page in pages for schedule in page["Schedules"]]
            return {name: self._definition(name) for name in names}

    def apply(self, changes: ScheduleChanges) -> None:
        """Create, change and remove schedules (API: CreateSchedule, UpdateSchedule, DeleteSchedule)."""
        with aws_call(f"schedules of group {self._group} can't all be written; push again"):
            for name, definition in changes.created.items():
                answer = self._client.create_schedule(GroupName=self._group, Name=name, **definition)
                required_member(answer, "ScheduleArn", str)
            for name, definition in changes.changed.items():
                answer = self._client.update_schedule(GroupName=self._group, Name=name, **definition)
                required_member(answer, "ScheduleArn", str)
            for name in changes.removed:
                self._client.delete_schedule(GroupName=self._group, Name=name)

    def _definition(self, name: str) -> Definition:
        definition = self._client.get_schedule(GroupName=self._group, Name=name)
        required_member(definition, "ScheduleExpression", str)
        return definition
