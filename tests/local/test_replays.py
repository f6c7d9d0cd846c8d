"""Replays of the local cloud: which events, to which rules, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.server.protocol.errors import ServiceError
from local.services.events.buses import Buses, RuleSettings, Target
from local.services.events.replays import Replays

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ACCOUNT = "arn:aws:events:eu-west-1:123456789012"


def replays() -> Replays:
    buses = Buses("123456789012", "eu-west-1")
    for bus in ("own", "other"):
        buses.create(bus)
    buses.create_archive("kept", "own", {})
    for name in ("one", "two"):
        settings = RuleSettings.of_document({"EventPattern": '{"source": ["amplify-jobs"]}'})
        buses.put_rule(name, settings, "own").targets["1"] = Target({"Id": "1", "Arn": f"arn:{name}"})
    for minutes in (90, 30, 10):
        moment = (NOW - timedelta(minutes=minutes)).isoformat()
        buses.keep({"source": "amplify-jobs", "time": moment, "detail": {"ago": minutes}}, "own")
    return Replays(buses)


def parameters(**changes: Any) -> dict[str, Any]:
    return {
        "ReplayName": "again",
        "EventSourceArn": f"{ACCOUNT}:archive/kept",
        "EventStartTime": NOW - timedelta(hours=1),
        "EventEndTime": NOW,
        "Destination": {"Arn": f"{ACCOUNT}:event-bus/own", "FilterArns": [f"{ACCOUNT}:rule/own/two"]},
        **changes,
    }


def test_the_events_of_a_time_go_to_the_rules_that_are_named_with_the_replay_s_name() -> None:
    history = replays()
    answer, deliveries = history.start(parameters())
    assert answer["ReplayArn"] == f"{ACCOUNT}:replay/again"
    entries = [(rule.name, event["detail"]["ago"], event["replay-name"]) for rule, _, event in deliveries]
    assert entries == [("two", 30, "again"), ("two", 10, "again")]
    assert history.describe({"ReplayName": "again"})["State"] == "COMPLETED"
    everyone = parameters(ReplayName="all", Destination={"Arn": f"{ACCOUNT}:event-bus/own"})
    assert len(history.start(everyone)[1]) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"EventSourceArn": f"{ACCOUNT}:archive/none"},
        {"Destination": {"Arn": f"{ACCOUNT}:event-bus/other"}},
        {"EventStartTime": NOW},
        {"ReplayName": "again"},
    ],
)
def test_what_aws_refuses_is_refused(changes: dict[str, Any]) -> None:
    history = replays()
    if "ReplayName" in changes:
        history.start(parameters())
    with pytest.raises(ServiceError):
        history.start(parameters(**changes))
    with pytest.raises(ServiceError):
        history.describe({"ReplayName": "none"})
