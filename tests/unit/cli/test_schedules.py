"""Which schedules the routes want, and what has to change for them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.events.aws_events import parse
from amplify_jobs.events.event import Schedule
from amplify_jobs.routing.routes import Routes
from amplify_jobs.routing.schedule_expression import validate_expression
from amplify_jobs_cli.push.schedules import ScheduleTarget, schedule_changes, schedules_of

PLACE = ScheduleTarget(
    group="group",
    function_arn="arn:aws:lambda:eu-west-1:123456789012:function:receive-event",
    role_arn="arn:aws:iam::123456789012:role/scheduler",
    dead_letter_queue_arn="arn:aws:sqs:eu-west-1:123456789012:dead-letters",
)
REQUEST = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}}


def routes(expressions: dict[str, str], *, enabled: bool = True) -> Routes:
    result: dict[str, Any] = {
        name: {
            "when": {"schedule": {"expression": expression, "timezone": "Europe/Berlin"}},
            "request": REQUEST,
            "enabled": enabled,
        }
        for name, expression in expressions.items()
    }
    result["web"] = {"when": {"push": {"repository": "acme/web"}}, "request": REQUEST}
    return Routes.model_validate({"routes": result})


def test_a_schedule_calls_the_function_with_its_route_and_loses_nothing() -> None:
    (goal,) = schedules_of(routes({"nightly": "cron(0 3 * * ? *)"}), PLACE).values()
    assert (goal["ScheduleExpression"], goal["ScheduleExpressionTimezone"]) == (
        "cron(0 3 * * ? *)",
        "Europe/Berlin",
    )
    destination = goal["Target"]
    assert (destination["Arn"], destination["RoleArn"]) == (PLACE.function_arn, PLACE.role_arn)
    assert destination["DeadLetterConfig"] == {"Arn": PLACE.dead_letter_queue_arn}
    assert destination["RetryPolicy"]["MaximumRetryAttempts"] > 0
    # Scheduler fills in the time; what the function then reads is the route's event.
    sent = json.loads(destination["Input"].replace("<aws.scheduler.scheduled-time>", "2026-01-31T03:00:00Z"))
    (event,) = parse(sent, "invocation").events
    assert event.schedule == Schedule(route="nightly", scheduled_time="2026-01-31T03:00:00Z")


def test_a_route_that_is_switched_off_has_no_schedule() -> None:
    assert schedules_of(routes({"nightly": "rate(1 day)"}, enabled=False), PLACE) == {}


def test_what_is_new_changed_and_gone_is_told_apart() -> None:
    stored = schedules_of(routes({"kept": "rate(1 day)", "old": "rate(1 day)", "moved": "rate(1 day)"}), PLACE)
    # Scheduler answers with more than was set.
    stored = {
        name: {**definition, "Arn": "arn", "ActionAfterCompletion": "NONE"} for name, definition in stored.items()
    }
    schedules = schedules_of(routes({"kept": "rate(1 day)", "moved": "rate(2 days)", "new": "rate(1 day)"}), PLACE)
    changes = schedule_changes(stored, schedules)
    assert (list(changes.created), list(changes.changed), changes.removed) == (["new"], ["moved"], ("old",))
    assert [line for change in changes.changes() for line in change.lines()] == [
        "~ schedule moved: rate(2 days) Europe/Berlin",
        "+ schedule new: rate(1 day) Europe/Berlin",
        "- schedule old",
    ]


SCHEDULES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["rate(1 day)", "rate(2 days)"])).map(
    lambda expressions: schedules_of(routes(expressions), PLACE)
)


@given(SCHEDULES, SCHEDULES)
def test_what_is_stored_and_what_changes_make_what_is_wanted(stored: dict[str, Any], goal: dict[str, Any]) -> None:
    changes = schedule_changes(stored, goal)
    after = {name: definition for name, definition in stored.items() if name not in changes.removed}
    assert {**after, **changes.created, **changes.changed} == goal
    assert schedule_changes(goal, goal).changes() == []


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 3 * * ? *)",
        "cron(0/15 8-18 ? * MON-FRI 2026,2027)",
        "cron(15 10 ? * 6L 2026-2027)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 ? * mon#1 *)",
        "cron(0 0 LW JAN,JUL ? *)",
        "cron(*/5 * 15W * ? *)",
        "rate(5 minutes)",
        "rate(1 day)",
        "at(2026-12-31T23:59:00)",
    ],
)
def test_what_scheduler_takes_is_taken(expression: str) -> None:
    assert validate_expression(expression) == expression


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("0 3 * * *", "neither cron"),
        ("cron(0 3 * * *)", "cron has 6 fields"),
        ("cron(60 3 * * ? *)", "'60' is not valid as minutes"),
        ("cron(0 24 * * ? *)", "'24' is not valid as hours"),
        ("cron(0 3 32 * ? *)", "'32' is not valid as day of month"),
        ("cron(0 3 * FOO ? *)", "'FOO' is not valid as month"),
        ("cron(0 3 ? * 8 *)", "'8' is not valid as day of week"),
        ("cron(0 3 * * ? 1969)", "'1969' is not valid as year"),
        ("cron(*-5 3 * * ? *)", r"'\*-5' is not valid as minutes"),
        ("cron(0 3 ? * ? *)", "exactly one of day of month and day of week"),
        ("cron(0 3 * * MON *)", "exactly one of day of month and day of week"),
        ("rate(0 days)", "is not a rate"),
        ("rate(1 week)", "is not a rate"),
        ("at(2026-02-30T00:00:00)", "is not a date and time"),
        ("at(2026-12-31)", "is not a date and time"),
    ],
)
def test_what_scheduler_would_refuse_is_named(expression: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        validate_expression(expression)


@given(st.text() | st.from_regex(r"(cron|rate|at)\([0-9*?/,#LW A-Z-]{0,20}\)", fullmatch=True))
def test_any_text_is_taken_or_named(expression: str) -> None:
    fault = None
    try:
        validate_expression(expression)
    except ValueError as error:
        fault = str(error)
    assert fault is None or "use" in fault
