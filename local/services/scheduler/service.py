"""Amazon EventBridge Scheduler: groups, schedules, and their firing.

Operations: CreateSchedule, GetSchedule, UpdateSchedule, DeleteSchedule, ListSchedules; CreateScheduleGroup,
GetScheduleGroup, DeleteScheduleGroup, ListScheduleGroups. Any other is refused by name, and so are universal targets.
A flexible time window is not made use of: its schedule fires when the window opens.
API: https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import ServiceError
from local.server.service import Operations, Parameters, Result, answer
from local.services.delivery import DeadLetter, Deliverer, Delivery
from local.services.scheduler import expressions
from local.services.scheduler.expressions import InvalidScheduleError
from local.services.scheduler.schedules import Group, Invocation, Schedule
from local.services.targets import NotDeliverableError

PAGE = 100


class SchedulerService:
    """The schedules of one account and Region; `deliverer` brings their invocations to their targets."""

    def __init__(
        self,
        *,
        account: str,
        region: str,
        deliverer: Deliverer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._region = region
        self._deliverer = deliverer
        self._now = now
        self._changed = threading.Condition(threading.RLock())
        self._groups: dict[str, Group] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="scheduler", daemon=True)
        self._operations: Operations = {
            "CreateSchedule": self._create,
            "GetSchedule": lambda p: self._schedule(p).described(),
            "UpdateSchedule": self._update,
            "DeleteSchedule": self._delete,
            "ListSchedules": self._list,
            "CreateScheduleGroup": lambda p: {"ScheduleGroupArn": self.create_group(p["Name"])},
            "GetScheduleGroup": lambda p: self._group(p["Name"]).described(),
            "DeleteScheduleGroup": self._delete_group,
            "ListScheduleGroups": self._list_groups,
        }
        self.create_group("default")

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def create_group(self, name: str) -> str:
        """Make a group and say its ARN; raises ServiceError."""
        with self._changed:
            if name in self._groups:
                raise ServiceError("ConflictException", f"Schedule group {name} already exists.", 409)
            arn = f"arn:aws:scheduler:{self._region}:{self._account}:schedule-group/{name}"
            self._groups[name] = Group(name, arn, self._now())
        return arn

    def create_schedule(self, document: Mapping[str, Any]) -> str:
        """Make a schedule of what CreateSchedule takes, and say its ARN; raises ServiceError."""
        with self._changed:
            arn: str = self._create(dict(document))["ScheduleArn"]
            self._changed.notify_all()
        return arn

    # --- Firing ------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopped.is_set():
            with self._changed:
                self.fire_due_schedules()
                due = [schedule.due for group in self._groups.values() for schedule in group.schedules.values()]
                next_due = min((moment for moment in due if moment is not None), default=None)
                wait = None if next_due is None else max((next_due - self._now()).total_seconds(), 0)
                if not self._stopped.is_set():
                    # A wait of days is cut, so that a machine that slept does not oversleep.
                    self._changed.wait(None if wait is None else min(wait, 60))

    def fire_due_schedules(self) -> None:
        """Invoke the target of each schedule whose time has come, once for a time however late it is."""
        now = self._now()
        with self._changed:
            for group in self._groups.values():
                for schedule in list(group.schedules.values()):
                    if schedule.due is None or schedule.due > now:
                        continue
                    self._invoke(Invocation(schedule.arn, schedule.target, schedule.due))
                    schedule.plan(now)
                    completes = schedule.document.get("ActionAfterCompletion") == "DELETE"
                    if schedule.due is None and completes:
                        del group.schedules[schedule.name]

    def _invoke(self, invocation: Invocation) -> None:
        target = invocation.target

        def send(attempt: int) -> None:
            self._deliverer.targets.send(target["Arn"], self._input(invocation, attempt), target)

        def dead_letter(attempt: int) -> DeadLetter:
            attributes = {
                "SCHEDULE_ARN": invocation.schedule_arn,
                "EXECUTION_ID": invocation.id,
                "SCHEDULED_TIME": invocation.time_text,
                "IS_PAYLOAD_TRUNCATED": "false",
            }
            return DeadLetter(self._input(invocation, attempt), attributes, target.get("RoleArn"))

        self._deliverer.start(Delivery(target, send, dead_letter))

    def _input(self, invocation: Invocation, attempt: int) -> str:
        return invocation.input(attempt, account=self._account, region=self._region)

    # --- The API -----------------------------------------------------------------------------------------------------

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        with self._changed:
            response = answer(service, request, self._operations)
            self._changed.notify_all()
        return response

    def _group(self, name: str) -> Group:
        if name not in self._groups:
            raise ServiceError("ResourceNotFoundException", f"Schedule group {name} does not exist.", 404)
        return self._groups[name]

    def _schedule(self, parameters: Mapping[str, Any]) -> Schedule:
        schedules = self._group(parameters.get("GroupName", "default")).schedules
        if parameters["Name"] not in schedules:
            raise ServiceError("ResourceNotFoundException", f"Schedule {parameters['Name']} does not exist.", 404)
        return schedules[parameters["Name"]]

    def _create(self, parameters: Parameters) -> Result:
        group = self._group(parameters.get("GroupName", "default"))
        existing = group.schedules.get(parameters["Name"])
        if existing is not None:
            token = parameters.get("ClientToken")
            if token is not None and existing.document.get("ClientToken") == token:
                return {"ScheduleArn": existing.arn}
            raise ServiceError("ConflictException", f"Schedule {parameters['Name']} already exists.", 409)
        return self._put(group, parameters, None)

    def _update(self, parameters: Parameters) -> Result:
        """What the call leaves out goes back to its default, as on AWS."""
        return self._put(self._group(parameters.get("GroupName", "default")), parameters, self._schedule(parameters))

    def _put(self, group: Group, parameters: Parameters, old: Schedule | None) -> Result:
        expression, zone = parameters["ScheduleExpression"], parameters.get("ScheduleExpressionTimezone", "UTC")
        now = self._now()
        try:
            times = expressions.parse(expression, zone)
            self._check_target(parameters["Target"])
        except (InvalidScheduleError, NotDeliverableError) as error:
            raise ServiceError("ValidationException", str(error)) from None
        same_times = old is not None and old.document["ScheduleExpression"] == expression
        schedule = Schedule(
            arn=f"arn:aws:scheduler:{self._region}:{self._account}:schedule/{group.name}/{parameters['Name']}",
            group=group.name,
            document=parameters,
            times=times,
            created=old.created if old else now,
            modified=now,
            begin=parameters.get("StartDate") or (old.begin if old and same_times else now),
        )
        # One that was made this moment may be due at once, as a rate is.
        schedule.plan(now if old else now - expressions.INSTANT)
        group.schedules[schedule.name] = schedule
        return {"ScheduleArn": schedule.arn}

    def _check_target(self, target: Mapping[str, Any]) -> None:
        self._deliverer.targets.check(target["Arn"])
        if ":event-bus/" not in target["Arn"]:
            return
        if "EventBridgeParameters" not in target:
            message = "EventBridgeParameters is required for an event bus."
            raise NotDeliverableError("VALIDATION", message, is_final=True)
        try:
            json.loads(target.get("Input", "{}"))
        except ValueError as error:
            raise NotDeliverableError("VALIDATION", f"Input is no JSON: {error}", is_final=True) from None

    def _delete(self, parameters: Parameters) -> Result:
        schedule = self._schedule(parameters)
        del self._groups[schedule.group].schedules[schedule.name]
        return {}

    def _list(self, parameters: Parameters) -> Result:
        name = parameters.get("GroupName")
        groups = [self._group(name)] if name is not None else list(self._groups.values())
        schedules = [
            schedule.summary()
            for group in groups
            for schedule in group.schedules.values()
            if schedule.name.startswith(parameters.get("NamePrefix", ""))
            and parameters.get("State", schedule.state) == schedule.state
        ]
        page, token = _page(schedules, parameters)
        return {"Schedules": page, "NextToken": token}

    def _delete_group(self, parameters: Parameters) -> Result:
        if parameters["Name"] == "default":
            raise ServiceError("ValidationException", "The default schedule group can't be deleted.")
        del self._groups[self._group(parameters["Name"]).name]
        return {}

    def _list_groups(self, parameters: Parameters) -> Result:
        prefix = parameters.get("NamePrefix", "")
        groups = [group.described() for group in self._groups.values() if group.name.startswith(prefix)]
        page, token = _page(groups, parameters)
        return {"ScheduleGroups": page, "NextToken": token}


def _page(items: list[Result], parameters: Parameters) -> tuple[list[Result], str | None]:
    """A page of a list; the token is where the next one begins."""
    token = parameters.get("NextToken", "0")
    if not token.isdecimal():
        raise ServiceError("ValidationException", "NextToken is not one that was given out.")
    start = int(token)
    end = start + int(parameters.get("MaxResults", PAGE))
    return items[start:end], str(end) if end < len(items) else None
