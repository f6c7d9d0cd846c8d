"""EventBridge Scheduler: what its API keeps, and what fires when, on a clock of the test's and on the real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from local.cloud import LocalCloud
from local.services.delivery import Deliverer
from local.services.scheduler.service import SchedulerService
from local.services.targets import NotDeliverableError
from tests.support.waiting import eventually, messages

Clients = Callable[..., Any]
ROLE = "arn:aws:iam::123456789012:role/scheduler"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:inbox"
DEAD = "arn:aws:sqs:eu-west-1:123456789012:dead"


class Inbox:
    """Targets that write down what they get, and fail as often as they are told."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.letters: list[tuple[str, Mapping[str, str]]] = []
        self.failures = 0
        self.is_final = False

    def check(self, arn: str) -> None:
        if ":aws-sdk:" in arn:
            raise NotDeliverableError("UNSUPPORTED", f"no universal targets: {arn}", is_final=True)

    def send(self, arn: str, text: str, settings: Mapping[str, Any]) -> None:
        if self.failures:
            self.failures -= 1
            raise NotDeliverableError("Throttled", "too fast", is_final=self.is_final)
        self.sent.append(text)

    def send_message(self, arn: str, text: str, attributes: Mapping[str, str], *, role: str | None) -> None:
        self.letters.append((text, attributes))


class Clocked:
    """A scheduler whose clock stands still until it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
        self.inbox = Inbox()
        # What it needs of targets, the inbox has.
        targets: Any = self.inbox
        self.service = SchedulerService(
            account="123456789012",
            region="eu-west-1",
            deliverer=Deliverer(targets, max_wait=0.01),
            now=lambda: self.now,
        )

    def call(self, method: str, path: str, document: Any = None) -> Any:
        environ = EnvironBuilder(method=method, path=path, json=document).get_environ()
        response = self.service.handle("scheduler", Request(environ | {"REQUEST_URI": path}))
        return json.loads(response.get_data() or b"{}")

    def schedule(self, expression: str, *, method: str = "POST", **more: Any) -> None:
        target = {"Arn": QUEUE, "RoleArn": ROLE, "Input": '{"at":"<aws.scheduler.scheduled-time>"}'}
        target |= more.pop("target", {})
        document = {"ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target, **more}
        self.call(method, "/schedules/one", document)

    def at(self, when: str, *, expected: int) -> list[str]:
        """Set the clock, and give the scheduled times of all that was sent by then."""
        self.now = datetime.fromisoformat(when)
        self.service.fire_due_schedules()
        eventually(lambda: len(self.inbox.sent) == expected or None)
        return [json.loads(text)["at"] for text in self.inbox.sent]


@pytest.fixture
def clocked() -> Iterator[Clocked]:
    result = Clocked()
    yield result
    result.service.close()


class TestFiring:
    def test_cron_fires_once_for_each_time(self, clocked: Clocked) -> None:
        clocked.schedule("cron(0 3 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")
        assert clocked.at("2026-11-23T01:59:59Z", expected=0) == []
        assert clocked.at("2026-11-23T02:00:00Z", expected=1) == ["2026-11-23T02:00:00Z"]
        assert clocked.at("2026-11-23T02:00:01Z", expected=1) == ["2026-11-23T02:00:00Z"]
        assert clocked.at("2026-11-24T02:00:00Z", expected=2)[1] == "2026-11-24T02:00:00Z"

    def test_a_rate_fires_at_once_and_then_evenly(self, clocked: Clocked) -> None:
        clocked.schedule("rate(5 minutes)")
        assert clocked.at("2026-11-22T12:00:30Z", expected=1) == ["2026-11-22T12:00:30Z"]
        assert clocked.at("2026-11-22T12:05:29Z", expected=1) == ["2026-11-22T12:00:30Z"]
        assert clocked.at("2026-11-22T12:05:30Z", expected=2)[1] == "2026-11-22T12:05:30Z"

    def test_once_is_once_and_may_remove_itself(self, clocked: Clocked) -> None:
        clocked.schedule("at(2026-11-22T13:00:00)", ActionAfterCompletion="DELETE")
        assert len(clocked.call("GET", "/schedules")["Schedules"]) == 1
        assert clocked.at("2026-11-22T13:00:00Z", expected=1) == ["2026-11-22T13:00:00Z"]
        assert clocked.call("GET", "/schedules")["Schedules"] == []

    def test_it_begins_and_ends_when_it_is_to(self, clocked: Clocked) -> None:
        begin, end = (datetime(2026, 11, 23, hour, tzinfo=UTC).timestamp() for hour in (10, 12))
        clocked.schedule("cron(0 * * * ? *)", StartDate=begin, EndDate=end)
        assert clocked.at("2026-11-23T09:00:00Z", expected=0) == []
        assert clocked.at("2026-11-23T10:00:00Z", expected=1) == ["2026-11-23T10:00:00Z"]
        clocked.at("2026-11-23T11:00:00Z", expected=2)
        clocked.at("2026-11-23T12:00:00Z", expected=3)
        assert len(clocked.at("2026-11-23T13:00:00Z", expected=3)) == 3

    def test_a_disabled_one_does_not_fire_until_it_is_enabled(self, clocked: Clocked) -> None:
        clocked.schedule("cron(0 * * * ? *)", State="DISABLED")
        assert clocked.at("2026-11-22T13:00:00Z", expected=0) == []
        clocked.schedule("cron(0 * * * ? *)", method="PUT")
        assert clocked.at("2026-11-22T14:00:00Z", expected=1) == ["2026-11-22T14:00:00Z"]

    def test_a_changed_one_forgets_its_old_times(self, clocked: Clocked) -> None:
        clocked.schedule("cron(0 13 * * ? *)")
        clocked.schedule("cron(0 14 * * ? *)", method="PUT")
        assert clocked.at("2026-11-22T13:30:00Z", expected=0) == []
        assert clocked.at("2026-11-22T14:30:00Z", expected=1) == ["2026-11-22T14:00:00Z"]

    def test_a_deleted_one_does_not_fire(self, clocked: Clocked) -> None:
        clocked.schedule("cron(0 * * * ? *)")
        clocked.call("DELETE", "/schedules/one")
        assert clocked.at("2026-11-22T13:00:00Z", expected=0) == []

    def test_the_context_is_filled_in_and_nothing_else(self, clocked: Clocked) -> None:
        text = "<aws.scheduler.schedule-arn>|<aws.scheduler.attempt-number>|<aws.scheduler.colour>|<html>"
        clocked.schedule("at(2026-11-22T13:00:00)", target={"Input": text})
        clocked.now = datetime(2026, 11, 22, 13, tzinfo=UTC)
        clocked.service.fire_due_schedules()
        [sent] = eventually(lambda: clocked.inbox.sent)
        arn = "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/one"
        assert sent == f"{arn}|1|<aws.scheduler.colour>|<html>"


class TestFailing:
    def test_what_fails_for_a_while_is_tried_again(self, clocked: Clocked) -> None:
        clocked.inbox.failures = 3
        clocked.schedule("at(2026-11-22T13:00:00)")
        assert clocked.at("2026-11-22T13:00:00Z", expected=1) == ["2026-11-22T13:00:00Z"]
        assert clocked.inbox.letters == []

    @pytest.mark.parametrize(("is_final", "retries"), [(False, "2"), (True, "0")])
    def test_what_fails_for_good_is_a_dead_letter(self, clocked: Clocked, is_final: bool, retries: str) -> None:
        clocked.inbox.failures, clocked.inbox.is_final = 100, is_final
        more = {"RetryPolicy": {"MaximumRetryAttempts": 2}, "DeadLetterConfig": {"Arn": DEAD}}
        clocked.schedule("at(2026-11-22T13:00:00)", target=more)
        clocked.now = datetime(2026, 11, 22, 13, tzinfo=UTC)
        clocked.service.fire_due_schedules()
        [(text, attributes)] = eventually(lambda: clocked.inbox.letters)
        assert json.loads(text) == {"at": "2026-11-22T13:00:00Z"}
        assert attributes["RETRY_ATTEMPTS"] == retries
        assert attributes["SCHEDULED_TIME"] == "2026-11-22T13:00:00Z"
        assert attributes["TARGET_ARN"] == QUEUE
        assert ("EXHAUSTED_RETRY_CONDITION" in attributes) is not is_final


@pytest.fixture(scope="module")
def scheduler(client: Clients) -> Any:
    return client("scheduler")


@pytest.fixture(scope="module")
def sqs(client: Clients) -> Any:
    return client("sqs")


def schedule_members(arn: str, **more: Any) -> dict[str, Any]:
    return {
        "GroupName": "small",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": arn, "RoleArn": ROLE, **more},
    }


class TestApi:
    def test_a_schedule_is_kept_changed_listed_and_removed(self, cloud: LocalCloud, scheduler: Any) -> None:
        probe = f"arn:aws:lambda:{cloud.region}:{cloud.account}:function:small-probe"
        arn = scheduler.create_schedule(Name="kept", **schedule_members(probe, Input="{}"))["ScheduleArn"]
        assert arn == f"arn:aws:scheduler:{cloud.region}:{cloud.account}:schedule/small/kept"
        schedule = scheduler.get_schedule(Name="kept", GroupName="small")
        assert schedule["Target"] == {"Arn": probe, "RoleArn": ROLE, "Input": "{}"}
        assert (schedule["State"], schedule["ScheduleExpressionTimezone"]) == ("ENABLED", "Europe/Berlin")

        scheduler.update_schedule(Name="kept", State="DISABLED", **schedule_members(probe))
        changed = scheduler.get_schedule(Name="kept", GroupName="small")
        assert changed["State"] == "DISABLED"
        assert "Input" not in changed["Target"]
        assert changed["CreationDate"] == schedule["CreationDate"]

        listed = scheduler.list_schedules(GroupName="small", NamePrefix="ke", State="DISABLED")["Schedules"]
        assert [(one["Name"], one["Target"]) for one in listed] == [("kept", {"Arn": probe})]
        assert scheduler.list_schedules(GroupName="small", State="ENABLED")["Schedules"] == []

        scheduler.delete_schedule(Name="kept", GroupName="small")
        with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
            scheduler.get_schedule(Name="kept", GroupName="small")

    def test_groups(self, scheduler: Any) -> None:
        scheduler.create_schedule_group(Name="other")
        with pytest.raises(scheduler.exceptions.ConflictException):
            scheduler.create_schedule_group(Name="other")
        assert scheduler.get_schedule_group(Name="other")["State"] == "ACTIVE"
        names = {group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]}
        assert names == {"default", "small", "other"}
        scheduler.delete_schedule_group(Name="other")
        with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
            scheduler.get_schedule_group(Name="other")

    def test_lists_come_in_pages(self, cloud: LocalCloud, scheduler: Any) -> None:
        names = [f"page-{number}" for number in range(5)]
        for name in names:
            scheduler.create_schedule(Name=name, **schedule_members(QUEUE))
        pages = scheduler.get_paginator("list_schedules").paginate(
            GroupName="small", NamePrefix="page-", PaginationConfig={"PageSize": 2}
        )
        assert [[one["Name"] for one in page["Schedules"]] for page in pages] == [names[:2], names[2:4], names[4:]]
        for name in names:
            scheduler.delete_schedule(Name=name, GroupName="small")

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"ScheduleExpression": "cron(0 3 * * * *)"}, "ValidationException"),
            ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "ValidationException"),
            ({"GroupName": "not-there"}, "ResourceNotFoundException"),
            ({"Name": "no name"}, "ValidationException"),
            ({"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:s3:putObject", "RoleArn": ROLE}}, "ValidationException"),
        ],
    )
    def test_what_aws_would_refuse_is_refused(self, scheduler: Any, changes: dict[str, Any], code: str) -> None:
        with pytest.raises(ClientError) as refused:
            scheduler.create_schedule(**({"Name": "refused", **schedule_members(QUEUE)} | changes))
        assert refused.value.response["Error"]["Code"] == code

    def test_a_second_of_the_same_name_is_a_conflict_but_the_same_call_again_is_not(self, scheduler: Any) -> None:
        first = scheduler.create_schedule(Name="twice", ClientToken="t-1", **schedule_members(QUEUE))
        again = scheduler.create_schedule(Name="twice", ClientToken="t-1", **schedule_members(QUEUE))
        assert first["ScheduleArn"] == again["ScheduleArn"]
        with pytest.raises(scheduler.exceptions.ConflictException):
            scheduler.create_schedule(Name="twice", ClientToken="t-2", **schedule_members(QUEUE))
        scheduler.delete_schedule(Name="twice", GroupName="small")


class TestTargets:
    """On the real clock: a rate fires as soon as it is made."""

    def fire(self, scheduler: Any, arn: str, **target: Any) -> str:
        name = f"now-{uuid4().hex[:8]}"
        schedule = schedule_members(arn, **target) | {"ScheduleExpression": "rate(1 hour)"}
        return str(scheduler.create_schedule(Name=name, **schedule)["ScheduleArn"])

    def test_a_queue_gets_the_input(self, cloud: LocalCloud, scheduler: Any, sqs: Any) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:small-Changes"
        self.fire(scheduler, arn, Input='{"at":"<aws.scheduler.scheduled-time>"}')
        [body] = messages(sqs, cloud.physical_id("Changes"))
        assert before <= datetime.fromisoformat(body["at"]) <= datetime.now(UTC)

    def test_a_function_gets_scheduler_s_own_event_if_there_is_no_input(
        self, cloud: LocalCloud, scheduler: Any, sqs: Any
    ) -> None:
        broken = f"arn:aws:lambda:{cloud.region}:{cloud.account}:function:small-drain"
        # It knows no such event, and so fails; the cloud's log has the event that it failed on.
        self.fire(scheduler, broken)
        log = cloud.functions.log_file("small-drain")
        eventually(lambda: log.exists() and "KeyError" in log.read_text())

    def test_a_machine_is_started(self, cloud: LocalCloud, scheduler: Any, client: Clients) -> None:
        self.fire(scheduler, cloud.physical_id("Machine"), Input='{"do":"pass","by":"a schedule"}')
        states = client("stepfunctions")

        def started() -> bool:
            machine = cloud.physical_id("Machine")
            arns = [one["executionArn"] for one in states.list_executions(stateMachineArn=machine)["executions"]]
            return any("a schedule" in states.describe_execution(executionArn=arn)["input"] for arn in arns)

        eventually(started)

    def test_a_bus_gets_an_event(self, cloud: LocalCloud, scheduler: Any) -> None:
        arn = f"arn:aws:events:{cloud.region}:{cloud.account}:event-bus/small-bus"
        schedule = self.fire(
            scheduler, arn, Input='{"n":1}', EventBridgeParameters={"DetailType": "Tick", "Source": "my.clock"}
        )
        assert schedule
        [event] = eventually(
            lambda: [one for one in cloud.events.archived("small-Kept") if one["source"] == "my.clock"]
        )
        assert (event["detail-type"], event["detail"]) == ("Tick", {"n": 1})

    def test_a_target_that_is_not_there_ends_in_the_dead_letter_queue(
        self, cloud: LocalCloud, scheduler: Any, sqs: Any
    ) -> None:
        base = f"{cloud.region}:{cloud.account}"
        dead = f"arn:aws:sqs:{base}:small-DeadLetters"
        gone = f"arn:aws:lambda:{base}:function:gone"
        schedule = self.fire(scheduler, gone, Input='{"n":2}', DeadLetterConfig={"Arn": dead})
        [letter] = messages(sqs, cloud.physical_id("DeadLetters"), attributes=True)
        assert json.loads(letter["Body"]) == {"n": 2}
        assert letter["MessageAttributes"]["SCHEDULE_ARN"]["StringValue"] == schedule
        assert letter["MessageAttributes"]["TARGET_ARN"]["StringValue"] == gone
