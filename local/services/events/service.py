"""Amazon EventBridge, as far as the local cloud has it: buses, rules, targets, archives and delivery.

Operations: PutEvents, TestEventPattern; ListEventBuses, DescribeEventBus, CreateEventBus, DeleteEventBus; PutRule,
DescribeRule, ListRules, EnableRule, DisableRule, DeleteRule; PutTargets, ListTargetsByRule, RemoveTargets,
ListRuleNamesByTarget; ListArchives, DescribeArchive. Any other is refused by name.
API: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.events.models import EventPattern
from werkzeug.wrappers import Request, Response

from local.server import wire
from local.services.events import input_transformer, patterns
from local.services.targets import NotDeliverableError, Targets

log = logging.getLogger(__name__)

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1024 * 1024
MAX_DELIVERY_ATTEMPTS = 185
MAX_EVENT_AGE_SECONDS = 24 * 60 * 60


@dataclass
class Target:
    """Where matching events of a rule go, as PutTargets said it."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["Id"])

    @property
    def arn(self) -> str:
        return str(self.document["Arn"])

    @property
    def attempts(self) -> int:
        policy: Mapping[str, Any] = self.document.get("RetryPolicy") or {}
        return 1 + int(policy.get("MaximumRetryAttempts", MAX_DELIVERY_ATTEMPTS))

    @property
    def age_seconds(self) -> float:
        policy: Mapping[str, Any] = self.document.get("RetryPolicy") or {}
        return float(policy.get("MaximumEventAgeInSeconds", MAX_EVENT_AGE_SECONDS))

    @property
    def dead_letter_arn(self) -> str | None:
        config: Mapping[str, Any] = self.document.get("DeadLetterConfig") or {}
        return config.get("Arn")


@dataclass
class Rule:
    """A pattern on a bus and its targets by id."""

    name: str
    arn: str
    bus: str
    pattern_text: str
    pattern: EventPattern
    description: str | None = None
    role: str | None = None
    enabled: bool = True
    targets: dict[str, Target] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Arn": self.arn,
            "EventPattern": self.pattern_text,
            "State": "ENABLED" if self.enabled else "DISABLED",
            "Description": self.description,
            "RoleArn": self.role,
            "EventBusName": self.bus,
        }


@dataclass
class Delivery:
    """One event on its way to one target."""

    rule: Rule
    target: Target
    event: dict[str, Any]
    attempts: int = 0
    since: float = field(default_factory=time.monotonic)

    def exhausted(self, wait: float) -> str | None:
        """Which limit of the target's RetryPolicy forbids another attempt after a wait of so many seconds, if any."""
        if self.attempts >= self.target.attempts:
            return "MaximumRetryAttempts"
        if time.monotonic() + wait - self.since > self.target.age_seconds:
            return "MaximumEventAgeInSeconds"
        return None


@dataclass
class Archive:
    """What is kept of a bus's events."""

    name: str
    arn: str
    bus_arn: str
    pattern_text: str | None
    retention_days: int
    description: str | None
    created: datetime
    pattern: EventPattern | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    def matches(self, event: dict[str, Any]) -> bool:
        return self.pattern is None or patterns.matches(self.pattern, event)


class EventsService:
    """The buses of one account and Region, and the delivery of their events.

    A delivery that fails for a while is repeated with a growing wait of at most `max_retry_wait` seconds (on AWS it
    grows to minutes), as often and as long as the target's RetryPolicy allows, and then goes to its dead-letter queue.
    """

    def __init__(self, *, account: str, region: str, targets: Targets, max_retry_wait: float = 5.0) -> None:
        self._account = account
        self._region = region
        self._targets = targets
        self._max_retry_wait = max_retry_wait
        self._lock = threading.RLock()
        self._buses: dict[str, dict[str, Rule]] = {"default": {}}
        self._archives: dict[str, Archive] = {}
        self._stopped = threading.Event()

    def close(self) -> None:
        self._stopped.set()

    # --- Buses, rules, targets, archives -----------------------------------------------------------------------------

    def bus_arn(self, name: str) -> str:
        return f"arn:aws:events:{self._region}:{self._account}:event-bus/{name}"

    def create_bus(self, name: str) -> str:
        """Make a bus and say its ARN; raises ServiceError."""
        with self._lock:
            if name in self._buses:
                raise wire.ServiceError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
            self._buses[name] = {}
        return self.bus_arn(name)

    def put_rule(
        self,
        name: str,
        *,
        bus: str = "default",
        pattern: str | None,
        schedule: str | None = None,
        state: str = "ENABLED",
        description: str | None = None,
        role: str | None = None,
    ) -> Rule:
        """Make or change a rule; raises ServiceError."""
        if schedule is not None:
            message = f"The rule {name} has a schedule, which the local cloud does not run: only event patterns."
            raise wire.ServiceError("ValidationException", message)
        if not pattern:
            message = "Parameter(s) EventPattern or ScheduleExpression must be specified."
            raise wire.ServiceError("ValidationException", message)
        loaded = _load_pattern(pattern)
        with self._lock:
            rules = self._bus(bus)
            bus = self._bus_name(bus)
            path = name if bus == "default" else f"{bus}/{name}"
            arn = f"arn:aws:events:{self._region}:{self._account}:rule/{path}"
            targets = rules[name].targets if name in rules else {}
            rule = Rule(name, arn, bus, pattern, loaded, description, role, state != "DISABLED", targets)
            rules[name] = rule
        return rule

    def put_targets(self, rule_name: str, documents: Sequence[Mapping[str, Any]], *, bus: str = "default") -> None:
        """Add targets to a rule; raises ServiceError for one that the local cloud can't deliver to."""
        with self._lock:
            rule = self._rule(rule_name, bus)
            for document in documents:
                target = Target(dict(document))
                try:
                    self._targets.check(target.arn)
                    input_transformer.check(document)
                except (NotDeliverableError, input_transformer.InvalidInputError) as error:
                    raise wire.ServiceError("ValidationException", f"Target {target.id}: {error}") from None
                rule.targets[target.id] = target

    def create_archive(
        self, name: str, bus_arn: str, *, pattern: str | None, retention_days: int = 0, description: str | None = None
    ) -> str:
        """Keep the events of a bus from now on, and say the archive's ARN; raises ServiceError."""
        loaded = None if pattern is None else _load_pattern(pattern)
        arn = f"arn:aws:events:{self._region}:{self._account}:archive/{name}"
        archive = Archive(name, arn, bus_arn, pattern, retention_days, description, datetime.now(UTC), loaded)
        with self._lock:
            self._bus(bus_arn)
            self._archives[name] = archive
        return arn

    def archived(self, name: str) -> list[dict[str, Any]]:
        """The events that an archive holds, oldest first; raises ServiceError for an unknown one."""
        with self._lock:
            return list(self._archive(name).events)

    def _archive(self, name: str) -> Archive:
        if name not in self._archives:
            raise wire.ServiceError("ResourceNotFoundException", f"Archive {name} does not exist.")
        return self._archives[name]

    def _bus_name(self, name_or_arn: str) -> str:
        return name_or_arn.rpartition(":event-bus/")[2]

    def _bus(self, name_or_arn: str) -> dict[str, Rule]:
        name = self._bus_name(name_or_arn)
        if name not in self._buses:
            raise wire.ServiceError("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return self._buses[name]

    def _rule(self, name: str, bus: str) -> Rule:
        rules = self._bus(bus)
        if name not in rules:
            message = f"Rule {name} does not exist on EventBus {self._bus_name(bus)}."
            raise wire.ServiceError("ResourceNotFoundException", message)
        return rules[name]

    # --- Events ------------------------------------------------------------------------------------------------------

    def emit(self, event: Mapping[str, Any], *, bus: str = "default") -> str:
        """Put an event on a bus, whatever its source, and say its id. This is the way in for AWS's own services.

        The event has at least detail-type, source and detail; what else an event has is added where it is missing.
        """
        full = {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": event["detail-type"],
            "source": event["source"],
            "account": self._account,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": [],
            "detail": event["detail"],
            **event,
        }
        # A copy of its own, as sent over the wire: no two targets share a mutable event.
        text = json.dumps(full)
        with self._lock:
            rules = [rule for rule in self._bus(bus).values() if rule.enabled]
            arn = self.bus_arn(self._bus_name(bus))
            for archive in self._archives.values():
                if archive.bus_arn == arn and archive.matches(full):
                    archive.events.append(json.loads(text))
            pairs = [
                (rule, target)
                for rule in rules
                if patterns.matches(rule.pattern, full)
                for target in rule.targets.values()
            ]
        for rule, target in pairs:
            delivery = Delivery(rule, target, json.loads(text))
            threading.Thread(target=self._deliver, args=(delivery,), name="event-delivery", daemon=True).start()
        return str(full["id"])

    def _deliver(self, delivery: Delivery) -> None:
        rule, target = delivery.rule, delivery.target
        text = input_transformer.make(target.document, delivery.event, rule.name, rule.arn)
        while not self._stopped.is_set():
            delivery.attempts += 1
            try:
                self._targets.send(target.arn, text, {"RoleArn": rule.role, **target.document})
            except NotDeliverableError as error:
                wait = random.uniform(0.5, 1) * min(0.1 * 2**delivery.attempts, self._max_retry_wait)  # noqa: S311
                exhausted = delivery.exhausted(wait)
                if error.is_final or exhausted:
                    self._bury(delivery, error, exhausted)
                    return
                self._stopped.wait(wait)
            else:
                return

    def _bury(self, delivery: Delivery, error: NotDeliverableError, exhausted: str | None) -> None:
        """Send an event to the target's dead-letter queue; without one it is lost, as on AWS."""
        queue = delivery.target.dead_letter_arn
        if queue is None or self._stopped.is_set():
            return
        attributes = {
            "RULE_ARN": delivery.rule.arn,
            "TARGET_ARN": delivery.target.arn,
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": str(delivery.attempts - 1),
        }
        if exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
        try:
            self._targets.send_message(queue, json.dumps(delivery.event), attributes)
        except NotDeliverableError:
            log.exception("%s: an event could not be sent to its dead-letter queue", delivery.rule.name)

    # --- The API -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        operation, parameters = wire.match("events", request)
        answer = self._operations().get(operation.name)
        if answer is None:
            raise wire.not_implemented("events", operation.name)
        wire.validate(operation, parameters)
        with self._lock:
            return wire.respond(operation, answer(parameters))

    def _operations(self) -> Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "PutEvents": self._put_events,
            "TestEventPattern": self._test_event_pattern,
            "ListEventBuses": lambda p: {"EventBuses": [self._described_bus(n) for n in self._names(self._buses, p)]},
            "DescribeEventBus": lambda p: self._described_bus(self._known_bus(p.get("Name", "default"))),
            "CreateEventBus": lambda p: {"EventBusArn": self.create_bus(p["Name"])},
            "DeleteEventBus": self._delete_event_bus,
            "PutRule": self._put_rule,
            "DescribeRule": lambda p: self._rule_of(p).described(),
            "ListRules": self._list_rules,
            "EnableRule": lambda p: self._set_enabled(p, enabled=True),
            "DisableRule": lambda p: self._set_enabled(p, enabled=False),
            "DeleteRule": self._delete_rule,
            "PutTargets": self._put_targets,
            "ListTargetsByRule": self._list_targets,
            "RemoveTargets": self._remove_targets,
            "ListRuleNamesByTarget": self._list_rule_names_by_target,
            "ListArchives": lambda _: {"Archives": [self._described(archive) for archive in self._archives.values()]},
            "DescribeArchive": self._describe_archive,
        }

    @staticmethod
    def _names(names: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[str]:
        return [name for name in names if name.startswith(parameters.get("NamePrefix", ""))]

    def _known_bus(self, name_or_arn: str) -> str:
        self._bus(name_or_arn)
        return self._bus_name(name_or_arn)

    def _described_bus(self, name: str) -> dict[str, Any]:
        return {"Name": name, "Arn": self.bus_arn(name)}

    def _rule_of(self, parameters: Mapping[str, Any], name: str = "Name") -> Rule:
        return self._rule(parameters[name], parameters.get("EventBusName", "default"))

    def _delete_event_bus(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        name = self._bus_name(parameters["Name"])
        if name == "default":
            raise wire.ServiceError("ValidationException", "Cannot delete event bus default.")
        if self._buses.get(name):
            raise wire.ServiceError("ValidationException", "Event bus can't be deleted since it has rules.")
        self._buses.pop(name, None)
        return {}

    def _put_rule(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        rule = self.put_rule(
            parameters["Name"],
            bus=parameters.get("EventBusName", "default"),
            pattern=parameters.get("EventPattern"),
            schedule=parameters.get("ScheduleExpression"),
            state=parameters.get("State", "ENABLED"),
            description=parameters.get("Description"),
            role=parameters.get("RoleArn"),
        )
        return {"RuleArn": rule.arn}

    def _list_rules(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        rules = self._bus(parameters.get("EventBusName", "default"))
        return {"Rules": [rules[name].described() for name in self._names(rules, parameters)]}

    def _set_enabled(self, parameters: Mapping[str, Any], *, enabled: bool) -> dict[str, Any]:
        self._rule_of(parameters).enabled = enabled
        return {}

    def _delete_rule(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        rules = self._bus(parameters.get("EventBusName", "default"))
        if parameters["Name"] in rules and rules[parameters["Name"]].targets:
            raise wire.ServiceError("ValidationException", "Rule can't be deleted since it has targets.")
        rules.pop(parameters["Name"], None)
        return {}

    def _put_targets(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.put_targets(parameters["Rule"], parameters["Targets"], bus=parameters.get("EventBusName", "default"))
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def _list_targets(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        targets = [target.document for target in self._rule_of(parameters, "Rule").targets.values()]
        # The model has no empty list of targets.
        return {"Targets": targets or None}

    def _remove_targets(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        targets = self._rule_of(parameters, "Rule").targets
        failed = [
            {"TargetId": id_, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"Target {id_} does not exist."}
            for id_ in parameters["Ids"]
            if targets.pop(id_, None) is None
        ]
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def _list_rule_names_by_target(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        rules = self._bus(parameters.get("EventBusName", "default")).values()
        arn = parameters["TargetArn"]
        return {"RuleNames": [rule.name for rule in rules if any(t.arn == arn for t in rule.targets.values())]}

    @staticmethod
    def _described(archive: Archive) -> dict[str, Any]:
        return {
            "ArchiveName": archive.name,
            "EventSourceArn": archive.bus_arn,
            "State": "ENABLED",
            "RetentionDays": archive.retention_days,
            "SizeBytes": sum(len(json.dumps(event)) for event in archive.events),
            "EventCount": len(archive.events),
            "CreationTime": archive.created,
        }

    def _describe_archive(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        archive = self._archive(parameters["ArchiveName"])
        more = {"ArchiveArn": archive.arn, "Description": archive.description, "EventPattern": archive.pattern_text}
        return self._described(archive) | more

    @staticmethod
    def _test_event_pattern(parameters: Mapping[str, Any]) -> dict[str, Any]:
        pattern = _load_pattern(parameters["EventPattern"])
        try:
            event = json.loads(parameters["Event"])
        except ValueError as error:
            raise wire.ServiceError("ValidationException", f"Event is not valid JSON: {error}") from None
        return {"Result": patterns.matches(pattern, event)}

    # --- PutEvents ---------------------------------------------------------------------------------------------------

    def _put_events(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        entries: list[dict[str, Any]] = parameters["Entries"]
        if len(entries) > MAX_ENTRIES:
            message = f"[Batch size exceeds limit of {MAX_ENTRIES}]"
            raise wire.ServiceError("ValidationException", message)
        if sum(_entry_size(entry) for entry in entries) > MAX_REQUEST_BYTES:
            message = "Total size of the entries in the request is over the limit."
            raise wire.ServiceError("ValidationException", message)
        results = [self._put_event(entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _put_event(self, entry: dict[str, Any]) -> dict[str, Any]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return _failed(
                    "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
                )
        if entry["Source"].startswith("aws."):
            message = "Source is not authorized for your account: sources that open with aws. are AWS's own."
            return _failed("NotAuthorizedForSourceException", message)
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return _failed("MalformedDetail", "Detail is malformed.")
        if not isinstance(detail, dict):
            return _failed("MalformedDetail", "Detail is malformed.")
        bus = self._bus_name(entry.get("EventBusName") or "default")
        if bus not in self._buses:
            # AWS answers an id and drops the event; here the mistake should show.
            return _failed("ResourceNotFoundException", f"Event bus {bus} does not exist.")
        moment: datetime = entry.get("Time") or datetime.now(UTC)
        event = {
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "detail": detail,
            "resources": entry.get("Resources") or [],
            "time": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return {"EventId": self.emit(event, bus=bus)}


def _load_pattern(text: str) -> EventPattern:
    try:
        return patterns.load(text)
    except patterns.InvalidPatternError as error:
        raise wire.ServiceError("InvalidEventPatternException", str(error)) from None


def _entry_size(entry: Mapping[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-event-size-limits"""
    texts = [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", ""), *entry.get("Resources", [])]
    return sum(len(text.encode()) for text in texts) + (14 if "Time" in entry else 0)


def _failed(code: str, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": message}
