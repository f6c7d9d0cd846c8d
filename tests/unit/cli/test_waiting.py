"""`jobs wait`: for which requests it waits, when it ends, and with which outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.indexing.answers import RequestState, StepState
from amplify_jobs.indexing.deliveries import RouteDecision
from amplify_jobs_cli.api import ApiRefusedError
from amplify_jobs_cli.jobs.client import JobsClient
from amplify_jobs_cli.jobs.progress import Progress, change
from amplify_jobs_cli.jobs.selection import Selection
from amplify_jobs_cli.jobs.waiting import Clock, Outcome, Patience, Result, Waiter
from tests.support.jobs_api import COMMIT, FakeJobsApi, delivery, running, story

PATIENCE = Patience(end=timedelta(minutes=60), start=timedelta(minutes=10))
COMMITTED = Selection(repository="acme/web", commit=COMMIT)


class Recorder:
    """A view that keeps what it is shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def show(self, progresses: Sequence[Progress], now: datetime) -> None:
        for text in map(change, progresses):
            self._add(text)

    def note(self, text: str, now: datetime) -> None:
        self._add(text)

    def close(self) -> None:
        pass

    def _add(self, text: str) -> None:
        if text not in self.lines:
            self.lines.append(text)


class PassingTime:
    """A clock that goes on only while somebody sleeps, and what happens at which second."""

    def __init__(self, api: FakeJobsApi, events: dict[int, dict[str, Any]]) -> None:
        self.seconds = 0.0
        self._api = api
        self._events = dict(events)
        self.clock = Clock(now=self._now, sleep=self._sleep)
        self._sleep(0)

    def _now(self) -> datetime:
        return datetime(2026, 11, 28, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        for second in [second for second in self._events if second <= self.seconds]:
            for name, value in self._events.pop(second).items():
                setattr(self._api, name, value)


def wait(
    selection: Selection, events: dict[int, dict[str, Any]], patience: Patience = PATIENCE
) -> tuple[Result, list[str], float]:
    """Wait while something happens: second -> members of the API that change then."""
    api, view = FakeJobsApi(), Recorder()
    time = PassingTime(api, events)
    result = Waiter(JobsClient(api), selection, view, time.clock).wait(patience)
    return result, view.lines, time.seconds


def failing(error: Exception) -> Any:
    def fail(path: str) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("SUCCEEDED", Outcome.SUCCEEDED),
        ("FAILED", Outcome.FAILED),
        ("REJECTED", Outcome.FAILED),
        ("TIMED_OUT", Outcome.FAILED),
        ("UNKNOWN", Outcome.FAILED),
        ("CANCELLED", Outcome.CANCELLED),
        ("AN_OUTCOME_OF_LATER", Outcome.FAILED),
    ],
)
def test_the_outcome_of_a_request_is_that_of_waiting(outcome: str, expected: Outcome) -> None:
    events: dict[int, dict[str, Any]] = {
        0: {"stories": [running("web-1")]},
        60: {"stories": [story("web-1", outcome=outcome, duration_seconds=58)]},
    }
    result, lines, seconds = wait(Selection("web-1"), events)
    assert (result.outcome, [one.request_id for one in result.requests]) == (expected, ["web-1"])
    word = outcome.replace("_", " ").lower()
    assert lines == ["web main #17: running", f"web main #17: {word} after 58 s"]
    assert 60 <= seconds < 65


def test_the_step_that_runs_is_named() -> None:
    steps = (StepState(name="BUILD", status="RUNNING"), StepState(name="DEPLOY", status="PENDING"))
    _, lines, _ = wait(
        Selection("web-1"), {0: {"stories": [running("web-1", steps=steps)]}, 9: {"stories": [story("web-1")]}}
    )
    assert lines == ["web main #17: running, BUILD", "web main #17: succeeded"]


@pytest.mark.parametrize(
    "selection",
    [
        Selection("web-1"),
        Selection(app="web", branch="main"),
        Selection(app="d1a2b3c4d5e6", branch="main", job="17"),
        COMMITTED,
        Selection(repository="acme/web", commit=COMMIT[:7]),
        Selection(route="web", commit=COMMIT.upper()),
    ],
)
def test_the_job_need_not_exist_yet(selection: Selection) -> None:
    result, lines, _ = wait(selection, {100: {"stories": [running("web-1")]}, 200: {"stories": [story("web-1")]}})
    assert result.outcome is Outcome.SUCCEEDED
    assert lines == [f"waiting for the {selection.description}", "web main #17: running", "web main #17: succeeded"]


def test_the_newest_job_of_a_branch_counts() -> None:
    older, other = story("web-1", outcome="FAILED"), story("web-2", branch_name="draft", outcome="FAILED")
    result, _, _ = wait(Selection(app="web", branch="main"), {0: {"stories": [story("web-3"), other, older]}})
    assert result.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("SUCCEEDED", "SUCCEEDED"), Outcome.SUCCEEDED),
        (("SUCCEEDED", "CANCELLED"), Outcome.CANCELLED),
        (("CANCELLED", "FAILED"), Outcome.FAILED),
    ],
)
def test_all_jobs_of_a_commit_count(outcomes: tuple[str, str], expected: Outcome) -> None:
    ended = [story(f"{name}-1", app_name=name, outcome=outcome) for name, outcome in zip("ab", outcomes, strict=True)]
    first = [running("b-1", app_name="b"), ended[0]]
    result, _, seconds = wait(COMMITTED, {0: {"stories": first}, 30: {"stories": ended}})
    assert result.outcome is expected
    assert seconds >= 30


def test_a_request_that_the_delivery_led_to_is_waited_for_before_the_index_knows_it() -> None:
    decisions = tuple(RouteDecision(route=name, matched=True, reason="", request_id=f"{name}-1") for name in "ab")
    delivered = [delivery("1", requests=2, decisions=decisions)]
    first = [story("a-1", route="a")]
    events: dict[int, dict[str, Any]] = {
        0: {"stories": first, "deliveries": delivered},
        30: {"stories": [story("b-1", route="b", outcome="FAILED"), *first]},
    }
    assert wait(COMMITTED, events)[0].outcome is Outcome.FAILED
    only_a = Selection(repository="acme/web", commit=COMMIT, route="a")
    assert wait(only_a, events)[0].outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(("allow_none", "expected"), [(False, Outcome.FAILED), (True, Outcome.SUCCEEDED)])
def test_a_commit_that_no_route_wants_ends_the_wait(allow_none: bool, expected: Outcome) -> None:
    decisions = (RouteDecision(route="web", matched=False, reason="branch draft does not match main"),)
    events: dict[int, dict[str, Any]] = {9: {"deliveries": [delivery("1", decisions=decisions)]}}
    result, _, seconds = wait(COMMITTED, events, Patience(PATIENCE.end, PATIENCE.start, allow_none))
    assert result.outcome is expected
    assert result.text == f"no route wants {COMMIT}: web: branch draft does not match main"
    assert seconds < 60


def test_a_delivery_that_waits_in_the_queue_is_not_decided_yet() -> None:
    result, _, _ = wait(COMMITTED, {0: {"deliveries": [delivery("1")]}})
    assert result.outcome is Outcome.TIMED_OUT


def test_patience_ends() -> None:
    result, _, seconds = wait(Selection("web-1"), {})
    assert (result.outcome, result.text) == (Outcome.TIMED_OUT, "there is no request web-1 after 10 min")
    assert 600 <= seconds < 620
    result, _, seconds = wait(Selection("web-1"), {0: {"stories": [running("web-1")]}})
    assert (result.outcome, result.text) == (
        Outcome.TIMED_OUT,
        "the request web-1 did not end within 60 min; it goes on",
    )
    assert 3600 <= seconds < 3620


def test_trouble_passes() -> None:
    events: dict[int, dict[str, Any]] = {
        0: {"before_call": failing(ServiceTrouble("the jobs API answered 503"))},
        60: {"before_call": lambda path: None, "stories": [story("web-1")]},
    }
    result, lines, _ = wait(Selection("web-1"), events)
    assert result.outcome is Outcome.SUCCEEDED
    assert lines[0] == "the jobs API answered 503; trying again"


def test_a_refusal_ends_the_wait() -> None:
    with pytest.raises(ApiRefusedError):
        wait(COMMITTED, {0: {"before_call": failing(ApiRefusedError("may not", 403))}})


def test_a_request_that_waits_is_not_at_its_end() -> None:
    waiting = story("web-1", state=RequestState.RECEIVED, outcome=None, job_id=None)
    _, lines, _ = wait(Selection("web-1"), {0: {"stories": [waiting]}, 9: {"stories": [story("web-1")]}})
    assert lines[0] == "web main: waiting"
