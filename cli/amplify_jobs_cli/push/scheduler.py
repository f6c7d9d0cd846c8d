"""EventBridge Scheduler behind boto3: the schedules of one stack's group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amplify_jobs.errors import ServiceTrouble
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
        try:
            pages = self._client.get_paginator("list_schedules").paginate(GroupName=self._group)
            names = [schedule["Name"] for page in pages for schedule in page["Schedules"]]
            return {name: self._client.get_schedule(GroupName=self._group, Name=name) for name in names}
        except (ClientError, BotoCoreError) as error:
            self._fail("can't be read", error)

    def apply(self, changes: ScheduleChanges) -> None:
        """Create, change and remove schedules (API: CreateSchedule, UpdateSchedule, DeleteSchedule)."""
        try:
            for name, definition in changes.created.items():
                self._client.create_schedule(GroupName=self._group, Name=name, **definition)
            for name, definition in changes.changed.items():
                self._client.update_schedule(GroupName=self._group, Name=name, **definition)
            for name in changes.removed:
                self._client.delete_schedule(GroupName=self._group, Name=name)
        except (ClientError, BotoCoreError) as error:
            self._fail("can't all be written; push again", error)

    def _fail(self, what: str, error: Exception) -> NoReturn:
        raise ServiceTrouble(f"schedules of group {self._group} {what}: {error}") from error
