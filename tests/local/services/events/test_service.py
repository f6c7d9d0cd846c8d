"""Buses deliver what their rules match, as often as their targets allow, to the address that they name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.cloud import LocalCloud
from tests.support.waiting import eventually, messages

Clients = Callable[..., Any]


@pytest.fixture(scope="module")
def events(client: Clients) -> Any:
    return client("events")


@pytest.fixture(scope="module")
def sqs(client: Clients) -> Any:
    return client("sqs")


@pytest.fixture
def queue(cloud: LocalCloud, sqs: Any) -> Iterator[tuple[str, str]]:
    """A queue of the test's own: URL and ARN."""
    name = f"test-{uuid4().hex}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    yield url, f"arn:aws:sqs:{cloud.region}:{cloud.account}:{name}"
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def rule(events: Any) -> Iterator[Callable[..., str]]:
    """Makes rules on the stack's bus, by the source that they match, and takes them away again."""
    items: list[str] = []

    def make(source: str, *targets: dict[str, Any], bus: str = "small-bus", **more: Any) -> str:
        name = f"test-{uuid4().hex}"
        pattern = json.dumps({"source": [source]})
        arn: str = events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern, **more)["RuleArn"]
        items.append(name)
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": str(n), **t} for n, t in enumerate(targets)])
        return arn

    yield make
    for name in items:
        targets = events.list_targets_by_rule(Rule=name, EventBusName="small-bus").get("Targets", [])
        if targets:
            events.remove_targets(Rule=name, EventBusName="small-bus", Ids=[target["Id"] for target in targets])
        events.delete_rule(Name=name, EventBusName="small-bus")


def put(events: Any, source: str, detail: Any = None, **more: Any) -> Any:
    entry = {"EventBusName": "small-bus", "Source": source, "DetailType": "Said", "Detail": json.dumps(detail or {})}
    return events.put_events(Entries=[entry | more])


def test_an_event_reaches_a_queue_whole(
    cloud: LocalCloud, events: Any, sqs: Any, queue: tuple[str, str], rule: Callable[..., str]
) -> None:
    rule("whole", {"Arn": queue[1]})
    answer = put(events, "whole", {"a": [1]}, Resources=["arn:x"])
    assert answer["FailedEntryCount"] == 0
    [event] = messages(sqs, queue[0])
    assert event.pop("time").endswith("Z")
    assert event == {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "detail-type": "Said",
        "source": "whole",
        "account": cloud.account,
        "region": cloud.region,
        "resources": ["arn:x"],
        "detail": {"a": [1]},
    }


def test_a_target_gets_the_input_that_it_asks_for(
    events: Any, sqs: Any, queue: tuple[str, str], rule: Callable[..., str]
) -> None:
    transformer = {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": '{"hello": "<who>"}'}
    rule(
        "inputs",
        {"Arn": queue[1], "Input": '{"constant":true}'},
        {"Arn": queue[1], "InputPath": "$.detail"},
        {"Arn": queue[1], "InputTransformer": transformer},
    )
    put(events, "inputs", {"who": "world"})
    result = messages(sqs, queue[0], count=3)
    assert sorted(result, key=json.dumps) == [{"constant": True}, {"hello": "world"}, {"who": "world"}]


def test_a_disabled_rule_delivers_nothing(
    events: Any, sqs: Any, queue: tuple[str, str], rule: Callable[..., str]
) -> None:
    arn = rule("switched", {"Arn": queue[1]})
    name = arn.rpartition("/")[2]
    events.disable_rule(Name=name, EventBusName="small-bus")
    put(events, "switched", {"number": 1})
    events.enable_rule(Name=name, EventBusName="small-bus")
    put(events, "switched", {"number": 2})
    assert [event["detail"] for event in messages(sqs, queue[0])] == [{"number": 2}]


def test_other_targets_are_reached(
    cloud: LocalCloud, client: Clients, events: Any, rule: Callable[..., str], tmp_path: Path
) -> None:
    sqs = client("sqs")
    file = tmp_path / "called"
    logs, states = client("logs"), client("stepfunctions")
    logs.create_log_group(logGroupName="/test/events")
    base = f"{cloud.region}:{cloud.account}"
    rule(
        "everywhere",
        {"Arn": f"arn:aws:lambda:{base}:function:small-fragile", "InputPath": "$.detail"},
        {"Arn": cloud.physical_id("Topic")},
        {"Arn": cloud.physical_id("Machine"), "Input": '{"do":"pass","by":"a rule"}'},
        {"Arn": f"arn:aws:logs:{base}:log-group:/test/events"},
    )
    put(events, "everywhere", {"do": "count", "file": str(file)})
    assert messages(sqs, cloud.physical_id("Inbox"))[0]["source"] == "everywhere"
    eventually(file.exists)
    eventually(lambda: logs.filter_log_events(logGroupName="/test/events")["events"])
    machine = cloud.physical_id("Machine")
    [execution] = eventually(lambda: states.list_executions(stateMachineArn=machine)["executions"])
    described = states.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {"do": "pass", "by": "a rule"}


def test_what_can_t_be_delivered_goes_to_the_dead_letter_queue(
    cloud: LocalCloud, events: Any, sqs: Any, queue: tuple[str, str], rule: Callable[..., str]
) -> None:
    target = f"arn:aws:lambda:{cloud.region}:{cloud.account}:function:not-there"
    arn = rule("undeliverable", {"Arn": target, "DeadLetterConfig": {"Arn": queue[1]}})
    put(events, "undeliverable", {"number": 1})
    [letter] = messages(sqs, queue[0], attributes=True)
    assert json.loads(letter["Body"])["detail"] == {"number": 1}
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes == {
        "RULE_ARN": arn,
        "TARGET_ARN": target,
        "ERROR_CODE": "ResourceNotFoundException",
        "ERROR_MESSAGE": f"Function not found: {target}",
        "RETRY_ATTEMPTS": "0",
    }


def test_a_delivery_is_retried_as_often_as_its_target_allows(
    cloud: LocalCloud, events: Any, sqs: Any, queue: tuple[str, str], rule: Callable[..., str]
) -> None:
    fault = {"service": "sns", "operation": "Publish", "fault": "throttle"}
    topic = cloud.physical_id("Topic")
    policy = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}
    rule("retried", {"Arn": topic, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": queue[1]}})
    cloud.faults.inject(fault | {"times": 2})
    put(events, "retried", {"fits": "twice"})
    assert messages(sqs, cloud.physical_id("Inbox"))[0]["detail"] == {"fits": "twice"}
    cloud.faults.inject(fault | {"times": 3})
    put(events, "retried", {"fits": "thrice"})
    [letter] = messages(sqs, queue[0], attributes=True)
    assert json.loads(letter["Body"])["detail"] == {"fits": "thrice"}
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"] == "2"


def test_an_archive_keeps_what_its_bus_got(cloud: LocalCloud, events: Any) -> None:
    [archive] = [result for result in events.list_archives()["Archives"] if result["ArchiveName"] == "small-Kept"]
    put(events, "archived", {"keep": "this"})
    assert cloud.events.archived("small-Kept")[-1]["detail"] == {"keep": "this"}
    described = events.describe_archive(ArchiveName="small-Kept")
    assert described["EventCount"] == archive["EventCount"] + 1
    assert described["EventSourceArn"].endswith(":event-bus/small-bus")


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"Source": "aws.amplify"}, "NotAuthorizedForSourceException"),
        ({"Detail": "no json"}, "MalformedDetail"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"EventBusName": "not-there"}, "ResourceNotFoundException"),
        ({"DetailType": ""}, "InvalidArgument"),
    ],
)
def test_one_bad_entry_fails_alone(events: Any, entry: dict[str, Any], code: str) -> None:
    good = {"EventBusName": "small-bus", "Source": "entries", "DetailType": "Said", "Detail": "{}"}
    answer = events.put_events(Entries=[good, good | entry])
    assert answer["FailedEntryCount"] == 1
    assert "EventId" in answer["Entries"][0]
    assert answer["Entries"][1]["ErrorCode"] == code


@pytest.mark.parametrize("entries", [11, 5])
def test_too_many_or_too_large_entries_are_refused(events: Any, entries: int) -> None:
    detail = json.dumps({"text": "x" * (10 if entries == 11 else 250_000)})
    entry = {"EventBusName": "small-bus", "Source": "large", "DetailType": "Said", "Detail": detail}
    with pytest.raises(ClientError) as refused:
        events.put_events(Entries=[entry] * entries)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"EventPattern": '{"source":[{"soundex":"x"}]}'}, "soundex"),
        ({"EventPattern": "no json"}, "not valid"),
        ({"EventPattern": '{"source":"x"}'}, "source must have"),
        ({"ScheduleExpression": "rate(1 minute)"}, "schedule"),
        ({}, "must be specified"),
    ],
)
def test_a_rule_that_can_t_run_is_refused(events: Any, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        events.put_rule(Name="refused", **arguments)


@pytest.mark.parametrize(
    "target",
    [
        {"Arn": "arn:aws:kinesis:eu-west-1:123456789012:stream/x"},
        {"Arn": "arn:aws:sqs:eu-west-1:123456789012:x", "InputPath": "$.detail[*]"},
        {"Arn": "arn:aws:sqs:eu-west-1:123456789012:x", "Input": "no json"},
        {"Arn": "arn:aws:sqs:eu-west-1:123456789012:x", "Input": "1", "InputPath": "$.detail"},
    ],
)
def test_a_target_that_can_t_be_served_is_refused(
    events: Any, rule: Callable[..., str], target: dict[str, str]
) -> None:
    with pytest.raises(ClientError) as refused:
        rule("never", target)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_buses_and_rules_are_listed_and_described(
    cloud: LocalCloud, events: Any, sqs: Any, queue: tuple[str, str], rule: Callable[..., str]
) -> None:
    arn = rule("listed", {"Arn": queue[1]}, Description="for the list")
    name = arn.rpartition("/")[2]
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default", "small-bus"]
    described = events.describe_rule(Name=name, EventBusName="small-bus")
    assert (described["Arn"], described["State"], described["Description"]) == (arn, "ENABLED", "for the list")
    assert name in [result["Name"] for result in events.list_rules(EventBusName="small-bus")["Rules"]]
    named = events.list_rule_names_by_target(TargetArn=queue[1], EventBusName="small-bus")
    assert named["RuleNames"] == [name]
    assert events.remove_targets(Rule=name, EventBusName="small-bus", Ids=["7"])["FailedEntryCount"] == 1


def test_a_machine_puts_events(
    cloud: LocalCloud, client: Clients, sqs: Any, queue: tuple[str, str], rule: Callable[..., str]
) -> None:
    rule("machine", {"Arn": queue[1]})
    client("stepfunctions").start_execution(
        stateMachineArn=cloud.physical_id("Machine"), name="says", input='{"do":"announce","text":"hello"}'
    )
    assert messages(sqs, queue[0])[0]["detail"] == {"said": "hello"}
