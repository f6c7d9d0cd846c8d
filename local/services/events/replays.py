"""Replays: events of an archive once more to rules of their bus, each with the replay's name.

API: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html. A replay is over at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.server.protocol.errors import ServiceError
from local.server.service import Parameters, Result
from local.services.events.buses import Archive, Buses, Rule, Target


@dataclass
class Replays:
    """The replays of one account and Region. Not safe for threads: whoever uses it holds a lock."""

    buses: Buses
    _results: dict[str, Result] = field(default_factory=dict)

    def start(self, parameters: Parameters) -> tuple[Result, list[tuple[Rule, Target, dict[str, Any]]]]:
        """What StartReplay answers, and what is to be delivered. Raises ServiceError."""
        name, start, end = (parameters[key] for key in ("ReplayName", "EventStartTime", "EventEndTime"))
        archive = self._archive(parameters["EventSourceArn"])
        destination = parameters["Destination"]
        if name in self._results:
            raise ServiceError("ResourceAlreadyExistsException", f"Replay {name} already exists.")
        if destination["Arn"] != archive.bus_arn:
            message = "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted."
            raise ServiceError("ValidationException", message)
        if start >= end:
            message = "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime."
            raise ServiceError("ValidationException", message)
        now = datetime.now(UTC)
        arn = f"{archive.arn.rpartition(':')[0]}:replay/{name}"
        self._results[name] = {
            "ReplayName": name,
            "ReplayArn": arn,
            "Description": parameters.get("Description"),
            "State": "COMPLETED",
            "EventSourceArn": archive.arn,
            "Destination": destination,
            "EventStartTime": start,
            "EventEndTime": end,
            "ReplayStartTime": now,
            "ReplayEndTime": now,
        }
        rules = destination.get("FilterArns")
        deliveries = [
            (rule, target, {**event, "replay-name": name})
            for event in archive.events
            if start <= datetime.fromisoformat(event["time"]) < end
            for rule, target in self.buses.matching(event, archive.bus_arn, rules)
        ]
        return {"ReplayArn": arn, "State": "STARTING", "ReplayStartTime": now}, deliveries

    def describe(self, parameters: Parameters) -> Result:
        """What DescribeReplay answers. Raises ServiceError."""
        name = parameters["ReplayName"]
        if name not in self._results:
            raise ServiceError("ResourceNotFoundException", f"Replay {name} does not exist.")
        return self._results[name]

    def _archive(self, arn: str) -> Archive:
        archive = next((archive for archive in self.buses.archives.values() if archive.arn == arn), None)
        if archive is None:
            message = f"Parameter EventSourceArn is not valid. Reason: Archive {arn} does not exist."
            raise ServiceError("ResourceNotFoundException", message)
        return archive
