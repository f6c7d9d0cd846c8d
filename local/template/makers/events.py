"""Buses, rules, archives, schedule groups and schedules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.services.events.buses import RuleSettings
from local.template.maker import CreatedResource, Maker, MakerContext, maker


def _bus(context: MakerContext, _: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties["Name"]
    arn = context.services.events.create_bus(name)
    return CreatedResource(name, {"Arn": arn, "Name": name})


def _rule(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    bus = properties.get("EventBusName", "default")
    name = properties.get("Name", context.name(logical_id))
    rule = context.services.events.put_rule(name, RuleSettings.of_document(_with_text(properties)), bus=bus)
    context.services.events.put_targets(rule.name, properties.get("Targets", []), bus=bus)
    return CreatedResource(rule.name if rule.bus == "default" else f"{rule.bus}|{rule.name}", {"Arn": rule.arn})


def _archive(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("ArchiveName", context.name(logical_id))
    archive = context.services.events.create_archive(name, properties["SourceArn"], _with_text(properties))
    return CreatedResource(name, {"Arn": archive.arn, "ArchiveName": name})


def _with_text(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the event pattern as text, as the API has it."""
    pattern = properties.get("EventPattern")
    return {**properties, "EventPattern": None if pattern is None else json.dumps(pattern)}


def _schedule_group(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("Name", context.name(logical_id))
    return CreatedResource(name, {"Arn": context.services.scheduler.create_group(name), "State": "ACTIVE"})


def _schedule(context: MakerContext, logical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("Name", context.name(logical_id))
    arn = context.services.scheduler.create_schedule({**properties, "Name": name})
    return CreatedResource(name, {"Arn": arn})


MAKERS: Mapping[str, Maker] = {
    "AWS::Events::EventBus": maker(_bus, "Name", "Description DeadLetterConfig KmsKeyIdentifier LogConfig"),
    "AWS::Events::Rule": maker(
        _rule, "Name EventBusName EventPattern ScheduleExpression State Description RoleArn Targets"
    ),
    "AWS::Events::Archive": maker(
        _archive, "ArchiveName SourceArn EventPattern RetentionDays Description", "KmsKeyIdentifier"
    ),
    "AWS::Scheduler::ScheduleGroup": maker(_schedule_group, "Name"),
    "AWS::Scheduler::Schedule": maker(
        _schedule,
        "Name GroupName State ScheduleExpression ScheduleExpressionTimezone StartDate EndDate Target",
        "Description FlexibleTimeWindow KmsKeyArn",
    ),
}
