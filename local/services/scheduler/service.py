"""Amazon EventBridge Scheduler: groups, schedules, and their firing.

Operations: CreateSchedule, GetSchedule, UpdateSchedule, DeleteSchedule, ListSchedules; CreateScheduleGroup,
GetScheduleGroup, DeleteScheduleGroup, ListScheduleGroups. Any other is refused by name, and so are universal targets.
A flexible time window is not made use of: its schedule fires when the window opens.
API: https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html.
"""

from __future__ import annotations

import json
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.server import wire
from local.services.scheduler import expressions
from local.services.scheduler.expressions import InvalidScheduleError
from local.services.targets import NotDeliverableError, Targets

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 185
MAX_AGE_SECONDS = 24 * 60 * 60
PAGE = 100
KEPT = ("ScheduleExpression", "StartDate", "EndDate", "Description", "KmsKeyArn", "Target", "FlexibleTimeWindow")


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
            **{name: self.document[name] for name in KEPT if name in self.document},
        }

    def summary(self) -> dict[str, Any]:
        names = ("Arn", "GroupName", "Name", "State", "CreationDate", "LastModificationDate")
        described = self.described()
        return {**{name: described[name] for name in names}, "Target": {"Arn": self.target["Arn"]}}


class SchedulerService:
    """The schedules of one account and Region.

    An invocation that fails for a while is repeated with a growing wait of at most `max_retry_wait` seconds, as often
    and as long as the target's RetryPolicy allows, and then goes to its dead-letter queue.
    """

    def __init__(
        self,
        *,
        account: str,
        region: str,
        targets: Targets,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        max_retry_wait: float = 5.0,
    ) -> None:
        self._account = account
        self._region = region
        self._targets = targets
        self._now = now
        self._max_retry_wait = max_retry_wait
        self._changed = threading.Condition(threading.RLock())
        self._groups: dict[str, Group] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="scheduler", daemon=True)
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
                raise wire.ServiceError("ConflictException", f"Schedule group {name} already exists.", 409)
            arn = f"arn:aws:scheduler:{self._region}:{self._account}:schedule-group/{name}"
            self._groups[name] = Group(name, arn, self._now())
        return arn

    # --- Firing ------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopped.is_set():
            with self._changed:
                self.fire_what_is_due()
                due = [schedule.due for group in self._groups.values() for schedule in group.schedules.values()]
                next_one = min((moment for moment in due if moment is not None), default=None)
                wait = None if next_one is None else max((next_one - self._now()).total_seconds(), 0)
                if not self._stopped.is_set():
                    # A wait of days is cut, so that a machine that slept does not oversleep.
                    self._changed.wait(None if wait is None else min(wait, 60))

    def fire_what_is_due(self) -> None:
        """Invoke the target of each schedule whose time has come, once for a time however late it is."""
        now = self._now()
        with self._changed:
            for group in self._groups.values():
                for schedule in list(group.schedules.values()):
                    if schedule.due is None or schedule.due > now:
                        continue
                    invocation = _Invocation(schedule.arn, schedule.document["Target"], schedule.due)
                    threading.Thread(target=self._invoke, args=(invocation,), name="schedule", daemon=True).start()
                    schedule.plan(now)
                    completes = schedule.document.get("ActionAfterCompletion") == "DELETE"
                    if schedule.due is None and completes:
                        del group.schedules[schedule.name]

    def _invoke(self, invocation: _Invocation) -> None:
        target = invocation.target
        policy: Mapping[str, Any] = target.get("RetryPolicy") or {}
        attempts = 1 + int(policy.get("MaximumRetryAttempts", MAX_ATTEMPTS))
        age = float(policy.get("MaximumEventAgeInSeconds", MAX_AGE_SECONDS))
        while not self._stopped.is_set():
            invocation.attempts += 1
            text = self._text(invocation)
            try:
                self._targets.send(target["Arn"], text, target)
            except NotDeliverableError as error:
                wait = random.uniform(0.5, 1) * min(0.1 * 2**invocation.attempts, self._max_retry_wait)  # noqa: S311
                exhausted = None
                if invocation.attempts >= attempts:
                    exhausted = "MaximumRetryAttempts"
                elif time.monotonic() + wait - invocation.since > age:
                    exhausted = "MaximumEventAgeInSeconds"
                if error.is_final or exhausted:
                    self._bury(invocation, text, error, exhausted)
                    return
                self._stopped.wait(wait)
            else:
                return

    def _text(self, invocation: _Invocation) -> str:
        """What the target gets: the schedule's Input with its context attributes, or Scheduler's own event.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
        """
        moment = invocation.scheduled.strftime("%Y-%m-%dT%H:%M:%SZ")
        values = {
            "schedule-arn": invocation.schedule_arn,
            "scheduled-time": moment,
            "execution-id": invocation.id,
            "attempt-number": str(invocation.attempts),
        }
        given = invocation.target.get("Input")
        if given is not None:
            text = re.sub(r"<aws\.scheduler\.([a-z-]+)>", lambda found: values.get(found[1], found[0]), str(given))
        else:
            event = {
                "version": "0",
                "id": invocation.id,
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": self._account,
                "time": moment,
                "region": self._region,
                "resources": [invocation.schedule_arn],
                "detail": "{}",
            }
            text = json.dumps(event)
        bus: Mapping[str, str] | None = invocation.target.get("EventBridgeParameters")
        if bus is None:
            return text
        return json.dumps({"detail-type": bus["DetailType"], "source": bus["Source"], "detail": json.loads(text)})

    def _bury(self, invocation: _Invocation, text: str, error: NotDeliverableError, exhausted: str | None) -> None:
        queue: str | None = (invocation.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue is None or self._stopped.is_set():
            return
        attributes = {
            "SCHEDULE_ARN": invocation.schedule_arn,
            "TARGET_ARN": invocation.target["Arn"],
            "EXECUTION_ID": invocation.id,
            "SCHEDULED_TIME": invocation.scheduled.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": str(invocation.attempts - 1),
            "IS_PAYLOAD_TRUNCATED": "false",
        }
        if exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
        try:
            self._targets.send_message(queue, text, attributes, role=invocation.target.get("RoleArn"))
        except NotDeliverableError:
            log.exception("%s: an invocation could not be sent to its dead-letter queue", invocation.schedule_arn)

    # --- The API -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        operation, parameters = wire.match("scheduler", request)
        answer = self._operations().get(operation.name)
        if answer is None:
            raise wire.not_implemented("scheduler", operation.name)
        wire.validate(operation, parameters)
        with self._changed:
            result = answer(parameters)
            self._changed.notify_all()
        return wire.respond(operation, result)

    def _operations(self) -> Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
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

    def _group(self, name: str) -> Group:
        if name not in self._groups:
            raise wire.ServiceError("ResourceNotFoundException", f"Schedule group {name} does not exist.", 404)
        return self._groups[name]

    def _schedule(self, parameters: Mapping[str, Any]) -> Schedule:
        schedules = self._group(parameters.get("GroupName", "default")).schedules
        if parameters["Name"] not in schedules:
            raise wire.ServiceError("ResourceNotFoundException", f"Schedule {parameters['Name']} does not exist.", 404)
        return schedules[parameters["Name"]]

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        group = self._group(parameters.get("GroupName", "default"))
        known = group.schedules.get(parameters["Name"])
        if known is not None:
            token = parameters.get("ClientToken")
            if token is not None and known.document.get("ClientToken") == token:
                return {"ScheduleArn": known.arn}
            raise wire.ServiceError("ConflictException", f"Schedule {parameters['Name']} already exists.", 409)
        return self._put(group, parameters, None)

    def _update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """What the call leaves out goes back to its default, as on AWS."""
        return self._put(self._group(parameters.get("GroupName", "default")), parameters, self._schedule(parameters))

    def _put(self, group: Group, parameters: dict[str, Any], old: Schedule | None) -> dict[str, Any]:
        expression, zone = parameters["ScheduleExpression"], parameters.get("ScheduleExpressionTimezone", "UTC")
        now = self._now()
        try:
            times = expressions.parse(expression, zone)
            self._check_target(parameters["Target"])
        except (InvalidScheduleError, NotDeliverableError) as error:
            raise wire.ServiceError("ValidationException", str(error)) from None
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
        self._targets.check(target["Arn"])
        if ":event-bus/" not in target["Arn"]:
            return
        if "EventBridgeParameters" not in target:
            message = "EventBridgeParameters is required for an event bus."
            raise NotDeliverableError("VALIDATION", message, is_final=True)
        try:
            json.loads(target.get("Input", "{}"))
        except ValueError as error:
            raise NotDeliverableError("VALIDATION", f"Input is no JSON: {error}", is_final=True) from None

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        schedule = self._schedule(parameters)
        del self._groups[schedule.group].schedules[schedule.name]
        return {}

    def _list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        wanted = parameters.get("GroupName")
        groups = [self._group(wanted)] if wanted is not None else list(self._groups.values())
        found = [
            schedule.summary()
            for group in groups
            for schedule in group.schedules.values()
            if schedule.name.startswith(parameters.get("NamePrefix", ""))
            and parameters.get("State", schedule.state) == schedule.state
        ]
        page, token = _page(found, parameters)
        return {"Schedules": page, "NextToken": token}

    def _delete_group(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if parameters["Name"] == "default":
            raise wire.ServiceError("ValidationException", "The default schedule group can't be deleted.")
        del self._groups[self._group(parameters["Name"]).name]
        return {}

    def _list_groups(self, parameters: dict[str, Any]) -> dict[str, Any]:
        prefix = parameters.get("NamePrefix", "")
        found = [group.described() for group in self._groups.values() if group.name.startswith(prefix)]
        page, token = _page(found, parameters)
        return {"ScheduleGroups": page, "NextToken": token}


@dataclass
class _Invocation:
    """One time at which a schedule was due."""

    schedule_arn: str
    target: Mapping[str, Any]
    scheduled: datetime
    id: str = field(default_factory=lambda: uuid4().hex[:16])
    attempts: int = 0
    since: float = field(default_factory=time.monotonic)


def _page(found: list[dict[str, Any]], parameters: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
    """A page of a list; the token is where the next one begins."""
    token = parameters.get("NextToken", "0")
    if not token.isdecimal():
        raise wire.ServiceError("ValidationException", "NextToken is not one that was given out.")
    start = int(token)
    end = start + int(parameters.get("MaxResults", PAGE))
    return found[start:end], str(end) if end < len(found) else None
