"""Event buses with their rules, targets and archives."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.events.models import EventPattern

from local.server.protocol.errors import ServiceError
from local.services.events import patterns

DEFAULT_BUS = "default"


@dataclass(frozen=True)
class Target:
    """Where matching events of a rule go, as PutTargets said it."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["Id"])

    @property
    def arn(self) -> str:
        return str(self.document["Arn"])


@dataclass(frozen=True)
class RuleSettings:
    """What PutRule says of a rule; `pattern` and `schedule` are texts in the API's own grammars."""

    pattern: str | None = None
    schedule: str | None = None
    state: str = "ENABLED"
    description: str | None = None
    role: str | None = None

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> RuleSettings:
        """The settings in PutRule's parameters."""
        return cls(
            pattern=document.get("EventPattern"),
            schedule=document.get("ScheduleExpression"),
            state=document.get("State", "ENABLED"),
            description=document.get("Description"),
            role=document.get("RoleArn"),
        )


@dataclass
class Rule:
    """A pattern on a bus and its targets by id."""

    name: str
    arn: str
    bus: str
    settings: RuleSettings
    pattern: EventPattern
    enabled: bool
    targets: dict[str, Target] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Arn": self.arn,
            "EventPattern": self.settings.pattern,
            "State": "ENABLED" if self.enabled else "DISABLED",
            "Description": self.settings.description,
            "RoleArn": self.settings.role,
            "EventBusName": self.bus,
        }


@dataclass
class Archive:
    """What is kept of a bus's events."""

    name: str
    arn: str
    bus_arn: str
    pattern_text: str | None = None
    retention_days: int = 0
    description: str | None = None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pattern = None if self.pattern_text is None else load_pattern(self.pattern_text)

    def matches(self, event: dict[str, Any]) -> bool:
        return self._pattern is None or patterns.matches(self._pattern, event)

    def summary(self) -> dict[str, Any]:
        return {
            "ArchiveName": self.name,
            "EventSourceArn": self.bus_arn,
            "State": "ENABLED",
            "RetentionDays": self.retention_days,
            "SizeBytes": sum(len(json.dumps(event)) for event in self.events),
            "EventCount": len(self.events),
            "CreationTime": self.created,
        }

    def described(self) -> dict[str, Any]:
        more = {"ArchiveArn": self.arn, "Description": self.description, "EventPattern": self.pattern_text}
        return self.summary() | more


class Buses:
    """The buses of one account and Region. Not safe for threads: whoever uses it holds a lock.

    Buses are named by name or ARN. Every method raises ServiceError for what does not exist.
    """

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._rules: dict[str, dict[str, Rule]] = {DEFAULT_BUS: {}}
        self.archives: dict[str, Archive] = {}

    def names(self) -> list[str]:
        return list(self._rules)

    def arn(self, bus: str) -> str:
        return self._arn(f"event-bus/{bus_name(bus)}")

    def create(self, name: str) -> str:
        """Make a bus and say its ARN."""
        if name in self._rules:
            raise ServiceError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
        self._rules[name] = {}
        return self.arn(name)

    def delete(self, bus: str) -> None:
        name = bus_name(bus)
        if name == DEFAULT_BUS:
            raise ServiceError("ValidationException", "Cannot delete event bus default.")
        if self._rules.get(name):
            raise ServiceError("ValidationException", "Event bus can't be deleted since it has rules.")
        self._rules.pop(name, None)

    def rules(self, bus: str) -> dict[str, Rule]:
        name = bus_name(bus)
        if name not in self._rules:
            raise ServiceError("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return self._rules[name]

    def rule(self, name: str, bus: str) -> Rule:
        rules = self.rules(bus)
        if name not in rules:
            message = f"Rule {name} does not exist on EventBus {bus_name(bus)}."
            raise ServiceError("ResourceNotFoundException", message)
        return rules[name]

    def put_rule(self, name: str, settings: RuleSettings, bus: str) -> Rule:
        """Make or change a rule, whose targets stay."""
        if settings.schedule is not None:
            message = f"The rule {name} has a schedule, which the local cloud does not run: only event patterns."
            raise ServiceError("ValidationException", message)
        if not settings.pattern:
            message = "Parameter(s) EventPattern or ScheduleExpression must be specified."
            raise ServiceError("ValidationException", message)
        pattern = load_pattern(settings.pattern)
        rules, bus = self.rules(bus), bus_name(bus)
        arn = self._arn(f"rule/{name}" if bus == DEFAULT_BUS else f"rule/{bus}/{name}")
        targets = rules[name].targets if name in rules else {}
        rules[name] = Rule(name, arn, bus, settings, pattern, settings.state != "DISABLED", targets)
        return rules[name]

    def delete_rule(self, name: str, bus: str) -> None:
        rules = self.rules(bus)
        if name in rules and rules[name].targets:
            raise ServiceError("ValidationException", "Rule can't be deleted since it has targets.")
        rules.pop(name, None)

    def create_archive(self, name: str, bus: str, settings: Mapping[str, Any]) -> Archive:
        """Keep the events of a bus from now on; `settings` are CreateArchive's EventPattern and so on."""
        self.rules(bus)
        archive = Archive(
            name,
            self._arn(f"archive/{name}"),
            self.arn(bus),
            settings.get("EventPattern"),
            int(settings.get("RetentionDays", 0)),
            settings.get("Description"),
        )
        self.archives[name] = archive
        return archive

    def archive(self, name: str) -> Archive:
        if name not in self.archives:
            raise ServiceError("ResourceNotFoundException", f"Archive {name} does not exist.")
        return self.archives[name]

    def matching(
        self, event: dict[str, Any], bus: str, arns: Collection[str] | None = None
    ) -> Iterator[tuple[Rule, Target]]:
        """Every rule that an event on a bus matches, with each of its targets; `arns` leaves other rules out."""
        for rule in self.rules(bus).values():
            if rule.enabled and (arns is None or rule.arn in arns) and patterns.matches(rule.pattern, event):
                for target in rule.targets.values():
                    yield rule, target

    def keep(self, event: dict[str, Any], bus: str) -> None:
        """Put a copy of an event into each archive of its bus that it matches."""
        for archive in self.archives.values():
            if archive.bus_arn == self.arn(bus) and archive.matches(event):
                archive.events.append(json.loads(json.dumps(event)))

    def _arn(self, resource: str) -> str:
        return f"arn:aws:events:{self._region}:{self._account}:{resource}"


def bus_name(name_or_arn: str) -> str:
    """The name in a name or an ARN."""
    return name_or_arn.rpartition(":event-bus/")[2]


def load_pattern(text: str) -> EventPattern:
    """Read a pattern; raises ServiceError."""
    try:
        return patterns.load(text)
    except patterns.InvalidPatternError as error:
        raise ServiceError("InvalidEventPatternException", str(error)) from None


def with_prefix(names: Sequence[str], parameters: Mapping[str, Any]) -> list[str]:
    """The names that a call's NamePrefix selects."""
    return [name for name in names if name.startswith(parameters.get("NamePrefix", ""))]
