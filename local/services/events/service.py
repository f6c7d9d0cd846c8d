"""Amazon EventBridge, as far as the local cloud has it: buses, rules, targets, archives and delivery.

Operations: PutEvents, TestEventPattern; ListEventBuses, DescribeEventBus, CreateEventBus, DeleteEventBus; PutRule,
DescribeRule, ListRules, EnableRule, DisableRule, DeleteRule; PutTargets, ListTargetsByRule, RemoveTargets,
ListRuleNamesByTarget; ListArchives, DescribeArchive; StartReplay, DescribeReplay. Any other is refused by name.
API: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.server.protocol.errors import ServiceError
from local.server.service import Operations, Parameters, Result, answer
from local.services.delivery import DeadLetter, Deliverer, Delivery
from local.services.events import input_transformer, patterns
from local.services.events.buses import (
    DEFAULT_BUS,
    Archive,
    Buses,
    Rule,
    RuleSettings,
    Target,
    bus_name,
    load_pattern,
    with_prefix,
)
from local.services.events.replays import Replays
from local.services.targets import NotDeliverableError

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1024 * 1024


class EventsService:
    """The buses of one account and Region; `deliverer` brings events to the targets of their rules."""

    def __init__(self, *, account: str, region: str, deliverer: Deliverer) -> None:
        self._account = account
        self._region = region
        self._deliverer = deliverer
        self._buses = Buses(account, region)
        self._replays = Replays(self._buses)
        self._listener: Callable[[Mapping[str, Any], str], None] | None = None
        self._lock = threading.RLock()
        self._operations: Operations = {
            "PutEvents": self._put_events,
            "TestEventPattern": self._test_event_pattern,
            "ListEventBuses": self._list_event_buses,
            "DescribeEventBus": self._describe_event_bus,
            "CreateEventBus": lambda p: {"EventBusArn": self.create_bus(p["Name"])},
            "DeleteEventBus": self._delete_event_bus,
            "PutRule": self._put_rule,
            "DescribeRule": lambda p: self._rule(p["Name"], p).described(),
            "ListRules": self._list_rules,
            "EnableRule": lambda p: self._set_enabled(p, enabled=True),
            "DisableRule": lambda p: self._set_enabled(p, enabled=False),
            "DeleteRule": self._delete_rule,
            "PutTargets": self._put_targets,
            "ListTargetsByRule": self._list_targets,
            "RemoveTargets": self._remove_targets,
            "ListRuleNamesByTarget": self._list_rule_names_by_target,
            "ListArchives": self._list_archives,
            "StartReplay": self._start_replay,
            "DescribeReplay": self._replays.describe,
            "DescribeArchive": lambda p: self._buses.archive(p["ArchiveName"]).described(),
        }

    def handle(self, service: str, request: Request) -> Response:
        """Answer an AWS call; raises ServiceError."""
        with self._lock:
            return answer(service, request, self._operations)

    # --- What resources are made with --------------------------------------------------------------------------------

    def create_bus(self, name: str) -> str:
        """Make a bus and say its ARN; raises ServiceError."""
        with self._lock:
            return self._buses.create(name)

    def put_rule(self, name: str, settings: RuleSettings, *, bus: str = DEFAULT_BUS) -> Rule:
        """Make or change a rule; raises ServiceError."""
        with self._lock:
            return self._buses.put_rule(name, settings, bus)

    def put_targets(self, rule_name: str, documents: Sequence[Mapping[str, Any]], *, bus: str = DEFAULT_BUS) -> None:
        """Add targets to a rule; raises ServiceError for one that the local cloud can't deliver to."""
        with self._lock:
            rule = self._buses.rule(rule_name, bus)
            for document in documents:
                target = Target(dict(document))
                try:
                    self._deliverer.targets.check(target.arn)
                    input_transformer.check(document)
                except (NotDeliverableError, input_transformer.InvalidInputError) as error:
                    raise ServiceError("ValidationException", f"Target {target.id}: {error}") from None
                rule.targets[target.id] = target

    def create_archive(self, name: str, bus: str, settings: Mapping[str, Any]) -> Archive:
        """Keep the events of a bus from now on; `settings` are CreateArchive's. Raises ServiceError."""
        with self._lock:
            return self._buses.create_archive(name, bus, settings)

    def archived(self, name: str) -> list[dict[str, Any]]:
        """The events that an archive holds, oldest first; raises ServiceError for an unknown one."""
        with self._lock:
            return list(self._buses.archive(name).events)

    # --- Events ------------------------------------------------------------------------------------------------------

    def listen(self, listener: Callable[[Mapping[str, Any], str], None]) -> None:
        """Have each event and its bus told to somebody who only watches."""
        self._listener = listener

    def emit(self, event: Mapping[str, Any], *, bus: str = DEFAULT_BUS) -> str:
        """Put an event on a bus, whatever its source, and say its id. This is the way in for AWS's own services.

        The event has at least detail-type, source and detail; what else an event has is added where it is missing.
        """
        full = {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": event["detail-type"],
            "source": event["source"],
            "account": self._account,
            "time": _text(datetime.now(UTC)),
            "region": self._region,
            "resources": [],
            "detail": event["detail"],
            **event,
        }
        text = json.dumps(full)
        with self._lock:
            self._buses.keep(full, bus)
            matches = list(self._buses.matching(full, bus))
        if self._listener is not None:
            self._listener(full, bus)
        for rule, target in matches:
            # A copy of its own, as sent over the wire: no two targets share a mutable event.
            self._deliver(rule, target, json.loads(text))
        return str(full["id"])

    def _deliver(self, rule: Rule, target: Target, event: dict[str, Any]) -> None:
        def send(_: int) -> None:
            text = input_transformer.make(target.document, event, rule.name, rule.arn)
            self._deliverer.targets.send(target.arn, text, {"RoleArn": rule.settings.role, **target.document})

        def dead_letter(_: int) -> DeadLetter:
            return DeadLetter(json.dumps(event), {"RULE_ARN": rule.arn})

        self._deliverer.start(Delivery(target.document, send, dead_letter))

    # --- The API -----------------------------------------------------------------------------------------------------

    def _rule(self, name: str, parameters: Parameters) -> Rule:
        return self._buses.rule(name, parameters.get("EventBusName", DEFAULT_BUS))

    def _rules(self, parameters: Parameters) -> dict[str, Rule]:
        return self._buses.rules(parameters.get("EventBusName", DEFAULT_BUS))

    def _list_event_buses(self, parameters: Parameters) -> Result:
        return {"EventBuses": [self._described(name) for name in with_prefix(self._buses.names(), parameters)]}

    def _describe_event_bus(self, parameters: Parameters) -> Result:
        name = bus_name(parameters.get("Name", DEFAULT_BUS))
        self._buses.rules(name)
        return self._described(name)

    def _described(self, name: str) -> Result:
        return {"Name": name, "Arn": self._buses.arn(name)}

    def _delete_event_bus(self, parameters: Parameters) -> Result:
        self._buses.delete(parameters["Name"])
        return {}

    def _put_rule(self, parameters: Parameters) -> Result:
        bus = parameters.get("EventBusName", DEFAULT_BUS)
        return {"RuleArn": self.put_rule(parameters["Name"], RuleSettings.of_document(parameters), bus=bus).arn}

    def _list_rules(self, parameters: Parameters) -> Result:
        rules = self._rules(parameters)
        return {"Rules": [rules[name].described() for name in with_prefix(list(rules), parameters)]}

    def _set_enabled(self, parameters: Parameters, *, enabled: bool) -> Result:
        self._rule(parameters["Name"], parameters).enabled = enabled
        return {}

    def _delete_rule(self, parameters: Parameters) -> Result:
        self._buses.delete_rule(parameters["Name"], parameters.get("EventBusName", DEFAULT_BUS))
        return {}

    def _put_targets(self, parameters: Parameters) -> Result:
        self.put_targets(parameters["Rule"], parameters["Targets"], bus=parameters.get("EventBusName", DEFAULT_BUS))
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def _list_targets(self, parameters: Parameters) -> Result:
        targets = [target.document for target in self._rule(parameters["Rule"], parameters).targets.values()]
        # The model has no empty list of targets.
        return {"Targets": targets or None}

    def _remove_targets(self, parameters: Parameters) -> Result:
        targets = self._rule(parameters["Rule"], parameters).targets
        failed = [
            {"TargetId": id_, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"Target {id_} does not exist."}
            for id_ in parameters["Ids"]
            if targets.pop(id_, None) is None
        ]
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def _list_rule_names_by_target(self, parameters: Parameters) -> Result:
        arn = parameters["TargetArn"]
        rules = self._rules(parameters).values()
        return {"RuleNames": [rule.name for rule in rules if any(t.arn == arn for t in rule.targets.values())]}

    def _list_archives(self, _: Parameters) -> Result:
        return {"Archives": [archive.summary() for archive in self._buses.archives.values()]}

    def _start_replay(self, parameters: Parameters) -> Result:
        result, deliveries = self._replays.start(parameters)
        for rule, target, event in deliveries:
            self._deliver(rule, target, json.loads(json.dumps(event)))
        return result

    @staticmethod
    def _test_event_pattern(parameters: Parameters) -> Result:
        pattern = load_pattern(parameters["EventPattern"])
        try:
            event = json.loads(parameters["Event"])
        except ValueError as error:
            raise ServiceError("ValidationException", f"Event is not valid JSON: {error}") from None
        return {"Result": patterns.matches(pattern, event)}

    # --- PutEvents ---------------------------------------------------------------------------------------------------

    def _put_events(self, parameters: Parameters) -> Result:
        entries: list[dict[str, Any]] = parameters["Entries"]
        if len(entries) > MAX_ENTRIES:
            message = f"[Batch size exceeds limit of {MAX_ENTRIES}]"
            raise ServiceError("ValidationException", message)
        if sum(_entry_size(entry) for entry in entries) > MAX_REQUEST_BYTES:
            message = "Total size of the entries in the request is over the limit."
            raise ServiceError("ValidationException", message)
        results = [self._put_event(entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _put_event(self, entry: dict[str, Any]) -> Result:
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
        bus = bus_name(entry.get("EventBusName") or DEFAULT_BUS)
        if bus not in self._buses.names():
            # AWS answers an id and drops the event; here the mistake should show.
            return _failed("ResourceNotFoundException", f"Event bus {bus} does not exist.")
        event = {
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "detail": detail,
            "resources": entry.get("Resources") or [],
            "time": _text(entry.get("Time") or datetime.now(UTC)),
        }
        return {"EventId": self.emit(event, bus=bus)}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entry_size(entry: Mapping[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-event-size-limits"""
    texts = [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", ""), *entry.get("Resources", [])]
    return sum(len(text.encode()) for text in texts) + (14 if "Time" in entry else 0)


def _failed(code: str, message: str) -> Result:
    return {"ErrorCode": code, "ErrorMessage": message}
