"""One grammar of schedules: what AWS documents is taken by the service and the local cloud alike.

Sources: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler"; EventBridge User Guide, "Setting a
schedule pattern" (ranges past the end of a field; one # alone).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amplify_jobs.routing.schedule_expression import never_due, validate_expression
from local.services.scheduler.expressions import InvalidScheduleError, parse

NOW = datetime(2026, 11, 27, 19, 0, tzinfo=UTC)
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def service_takes(expression: str) -> bool:
    try:
        validate_expression(expression)
    except ValueError:
        return False
    return True


def local_cloud_takes(expression: str) -> bool:
    try:
        parse(expression)
    except InvalidScheduleError:
        return False
    return True


def items(least: int, most: int, words: tuple[str, ...] = (), *, past_the_end: bool = True) -> st.SearchStrategy[str]:
    numbers = st.integers(least, most)
    single = numbers.map(str) | (st.sampled_from(words + tuple(map(str.lower, words))) if words else st.nothing())
    pairs = st.tuples(numbers, numbers)
    ranges = (pairs if past_the_end else pairs.map(sorted)).map(lambda ends: f"{ends[0]}-{ends[1]}")
    if words:
        ranges |= st.tuples(st.sampled_from(words), st.sampled_from(words)).map("-".join)
    steps = st.tuples(st.just("*") | numbers.map(str) | ranges, st.integers(1, most)).map(lambda s: f"{s[0]}/{s[1]}")
    return st.just("*") | single | ranges | steps


def fields(item: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(item, min_size=1, max_size=3).map(",".join)


DAY_OF_MONTH = fields(items(1, 31) | st.sampled_from(["L", "LW"]) | st.integers(1, 31).map("{}W".format))
DAY = st.sampled_from(DAYS) | st.integers(1, 7).map(str)
DAY_OF_WEEK = fields(items(1, 7, DAYS) | st.just("L") | DAY.map("{}L".format)) | st.tuples(DAY, st.integers(1, 5)).map(
    lambda one: f"{one[0]}#{one[1]}"
)
DAY_FIELDS = DAY_OF_MONTH.map(lambda day: (day, "?")) | DAY_OF_WEEK.map(lambda day: ("?", day))
CRON = st.builds(
    lambda minutes, hours, days, month, year: f"cron({minutes} {hours} {days[0]} {month} {days[1]} {year})",
    fields(items(0, 59)),
    fields(items(0, 23)),
    DAY_FIELDS,
    fields(items(1, 12, MONTHS)),
    fields(items(1970, 2199, past_the_end=False)),
)
RATE = st.builds("rate({} {})".format, st.integers(1, 999_999_999), st.sampled_from(["minute", "hours", "days"]))
AT = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31)).map(lambda time: f"at({time:%Y-%m-%dT%H:%M:%S})")  # noqa: DTZ001
DOCUMENTED = CRON | RATE | AT


@given(DOCUMENTED)
@example("cron(0/30 20-2 ? * MON-FRI *)")
@example("cron(0 21 LW * ? *)")
def test_what_aws_documents_is_taken(expression: str) -> None:
    assert service_takes(expression)
    assert local_cloud_takes(expression)


@given(DOCUMENTED, st.data())
def test_a_mistake_is_one_to_both(expression: str, data: st.DataObject) -> None:
    """One character of a right expression is removed, doubled or another."""
    index = data.draw(st.integers(0, len(expression) - 1))
    instead = data.draw(st.sampled_from(["", expression[index] * 2, *"0159?*/,-#LW) T\t\u017f\u0663"]))
    changed = expression[:index] + instead + expression[index + 1 :]
    assert service_takes(changed) == local_cloud_takes(changed)


@given(st.text("0123456789?*/,-#LWMONFRI \t", max_size=25), st.sampled_from(["cron", "rate", "at"]))
def test_any_text_is_the_same_to_both(text: str, kind: str) -> None:
    expression = f"{kind}({text})"
    assert service_takes(expression) == local_cloud_takes(expression)


# Each of these was taken by one alone.
@pytest.mark.parametrize(
    ("field", "is_taken"),
    [
        ("cron(0 0 0W * ? *)", False),
        ("cron(0 0 32W * ? *)", False),
        ("cron(0 0 LW * ? *)", True),
        ("cron(0 5-1 * * ? *)", True),
        ("cron(0/0 0 * * ? *)", False),
        ("cron(*/70 0 * * ? *)", False),
        ("cron(0 0 * MAR-JAN ? *)", True),
        ("cron(0 0 ? * FRI-MON *)", True),
        ("rate(5  minutes)", False),
        ("rate( 5 minutes)", False),
        ("at(2026-1-1T1:1:1)", False),
        ("cron(0 0 ? * 2#1,6#3 *)", False),
    ],
)
def test_what_the_two_took_differently(field: str, is_taken: bool) -> None:
    assert (service_takes(field), local_cloud_takes(field)) == (is_taken, is_taken)


@given(DOCUMENTED, st.sampled_from(["UTC", "Asia/Tokyo"]))
def test_what_is_said_to_be_never_due_never_is(expression: str, timezone: str) -> None:
    if never_due(expression, timezone, NOW):
        # A rate begins with its schedule, and is always due.
        assert parse(expression, timezone).after(NOW, BEGIN) is None


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("at(2026-11-27T18:59:00)", "in the past"),
        ("at(2026-11-27T19:01:00)", None),
        ("cron(0 3 * * ? 2020,2022-2025)", "the year 2025 is in the past"),
        ("cron(0 3 * * ? 2020-2026)", None),
        ("cron(0 3 30,31 2 ? *)", "no such month has a day 30"),
        ("cron(0 3 29 2 ? *)", None),
        ("cron(0 3 31 4,6,9,11 ? *)", "no such month has a day 31"),
        ("rate(1 day)", None),
        ("nonsense", None),
    ],
)
def test_a_schedule_that_is_never_due_is_told(expression: str, reason: str | None) -> None:
    text = never_due(expression, "UTC", NOW)
    assert reason in text if text and reason else text is reason


def test_the_time_of_once_is_that_of_its_time_zone() -> None:
    local_time = NOW.replace(tzinfo=None) + timedelta(hours=1)
    assert never_due(f"at({local_time:%Y-%m-%dT%H:%M:%S})", "Asia/Tokyo", NOW)
    assert never_due(f"at({local_time:%Y-%m-%dT%H:%M:%S})", "America/New_York", NOW) is None
