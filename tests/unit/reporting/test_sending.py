"""Sending: order, repeats, lost answers, targets that stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.call import Answer, AwsCall, Call
from amplify_jobs.reporting.destination import destinations
from amplify_jobs.reporting.planning import is_change, plan
from amplify_jobs.reporting.report import Report, ReportState, Version
from amplify_jobs.reporting.sending import (
    PAUSES_SECONDS,
    ReportRetryError,
    Result,
    Sender,
    SendResult,
    pause_seconds,
)
from amplify_jobs.routing.routes import Routes
from tests.support.announced import REQUESTED, finished, rejected, started
from tests.support.report_fakes import Notices, Records, Secrets

TOKEN = "/amplify-jobs/secrets/token"
ROUTES = Routes.model_validate(
    {
        "sources": {"github": {"provider": "github", "secrets": ["/a/secret"]}},
        "routes": {},
        "reports": {
            "statuses": {"kind": "commit_status", "source": "github", "token": TOKEN},
            "failures": {
                "kind": "slack",
                "webhook": "/a/slack",
                "when": {"outcomes": ["FAILED"], "phases": "finished"},
            },
            "other-app": {"kind": "slack", "webhook": "/a/slack", "when": {"apps": "d9z9z9z9z9z9"}},
        },
    }
)
STATUSES = destinations(ROUTES)[0]


@dataclass
class Host:
    """Answers in turn; the last one serves for all further calls."""

    answers: list[Answer | ServiceTrouble] = field(default_factory=lambda: [Answer(201)])
    calls: list[Call] = field(default_factory=list)

    def send(self, call: Call | AwsCall) -> Answer:
        assert isinstance(call, Call)
        self.calls.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, ServiceTrouble):
            raise answer
        return answer

    @property
    def states(self) -> list[str]:
        return [Answer(200, body=call.body).member("state") for call in self.calls]


@dataclass
class World:
    records: Records = field(default_factory=Records)
    host: Host = field(default_factory=Host)
    notices: Notices = field(default_factory=Notices)
    secrets: Secrets = field(default_factory=Secrets)

    def send(self, report: Report) -> Result:
        return self.send_with_reason(report).result

    def send_with_reason(self, report: Report) -> SendResult:
        sender = Sender(
            records=self.records, secrets=self.secrets, http=self.host, notices=self.notices, clock=lambda: 1_000.0
        )
        (planned,) = plan([STATUSES], report)
        return sender.send(STATUSES, planned, report)


def test_who_gets_what() -> None:
    def targets(report: Report) -> list[str]:
        return [each.target for each in plan(destinations(ROUTES), report)]

    assert targets(started()) == ["statuses"]
    assert targets(finished(Outcome.FAILED)) == ["statuses", "failures"]
    assert targets(finished()) == ["statuses"]
    # A token is for its source, and a status for a commit.
    foreign = started().detail.model_copy(update={"cause": started().cause.model_copy(update={"source": "gitlab"})})
    assert targets(Report(started().detail_type, foreign)) == []
    assert targets(rejected(cause=None)) == []


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5]), min_size=1, max_size=12))
def test_the_last_state_at_the_host_is_the_newest_that_was_sent(order: list[int]) -> None:
    second: dict[str, Any] = {"request_id": "web-2", "requested_at": REQUESTED + timedelta(seconds=1)}
    reports = [
        started(),
        finished(Outcome.UNKNOWN),
        finished(Outcome.FAILED),
        started(**second),
        finished(Outcome.UNKNOWN, **second),
        finished(**second),
    ]
    world = World()
    for number in order:
        world.send(reports[number])
    newest = max((reports[number] for number in order), key=lambda report: report.version)
    expected = {ReportState.PENDING: "pending", ReportState.SUCCEEDED: "success", ReportState.FAILED: "failure"}
    assert world.host.states[-1] == expected.get(newest.state, "error")
    maxima: list[Version] = []
    for number in order:
        if not maxima or reports[number].version > maxima[-1]:
            maxima.append(reports[number].version)
    assert len(world.host.calls) == len(maxima)


def test_the_reason_of_a_refusal_is_given_and_that_of_a_report_that_was_sent_is_not() -> None:
    body = b'{"message": "No commit found for SHA: 1"}'
    world = World(host=Host([Answer(201), Answer(422, body=body), Answer(401), Answer(201)]))
    results = [world.send_with_reason(report) for report in (started(), finished(), finished(), finished())]
    assert [sent.result for sent in results] == [Result.SENT, Result.REFUSED, Result.STOPPED, Result.STOPPED]
    reasons = [sent.reason or "" for sent in results]
    assert reasons[0] == ""
    assert "No commit found" in reasons[1]
    assert "401" in reasons[2]
    assert "stopped" in reasons[3]


def test_a_repeat_is_not_sent() -> None:
    world = World()
    assert [world.send(started()), world.send(started())] == [Result.SENT, Result.OUTDATED]
    assert world.host.states == ["pending"]


def test_an_answer_that_was_lost_is_asked_for_again() -> None:
    world = World(host=Host([ServiceTrouble("api.github.com did not answer"), Answer(201)]))
    with pytest.raises(ReportRetryError):
        world.send(started())
    assert world.send(started()) is Result.SENT


def test_a_limit_is_waited_for() -> None:
    world = World(
        host=Host([Answer(403, {"retry-after": "90"}, b'{"message": "You have exceeded a secondary rate limit"}')])
    )
    with pytest.raises(ReportRetryError) as raised:
        world.send(started())
    assert raised.value.after_seconds == 90
    assert world.records.stopped == set()


def test_a_target_that_can_not_work_is_stopped_and_told_once() -> None:
    world = World(host=Host([Answer(401, body=b'{"message": "Bad credentials"}')]))
    assert [world.send(started()), world.send(finished())] == [Result.STOPPED, Result.STOPPED]
    assert world.notices.told == ["statuses: HTTP 401"]
    assert len(world.host.calls) == 1


def test_people_who_could_not_be_told_that_a_target_is_stopped_are_told_when_the_report_comes_again() -> None:
    world = World(host=Host([Answer(401)]), notices=Notices(troubles=[ServiceTrouble("SNS Publish: no answer")]))
    with pytest.raises(ServiceTrouble):
        world.send(started())
    assert world.send(started()) is Result.STOPPED
    assert world.notices.told == ["statuses: HTTP 401"]


def test_people_are_told_once_which_secret_of_which_target_is_missing_and_the_report_waits_for_it() -> None:
    world = World(secrets=Secrets({TOKEN}))
    for _ in range(2):
        with pytest.raises(ReportRetryError, match=f"target statuses needs the secret {TOKEN}"):
            world.send(started())
    assert world.notices.told == [f"statuses: {TOKEN} is missing"]
    assert world.host.calls == []
    world.secrets.missing.clear()
    assert world.send(started()) is Result.SENT


def test_people_who_could_not_be_told_of_a_missing_secret_are_told_when_the_report_comes_again() -> None:
    world = World(secrets=Secrets({TOKEN}), notices=Notices(troubles=[ServiceTrouble("SNS Publish: no answer")]))
    with pytest.raises(ServiceTrouble, match="SNS"):
        world.send(started())
    with pytest.raises(ReportRetryError):
        world.send(started())
    assert world.notices.told == [f"statuses: {TOKEN} is missing"]


def test_a_commit_that_is_not_there_does_not_stop_the_target() -> None:
    world = World(host=Host([Answer(422, body=b'{"message": "No commit found for SHA"}'), Answer(201)]))
    assert world.send(started()) is Result.REFUSED
    assert world.send(finished()) is Result.SENT


def test_no_secret_is_in_an_error() -> None:
    world = World(host=Host([Answer(500, body=b"value-of-/amplify-jobs/secrets/token")]))
    with pytest.raises(ReportRetryError) as raised:
        world.send(started())
    assert "value-of" not in str(raised.value)


def test_pauses_grow_to_about_three_days() -> None:
    total = sum(pause_seconds(attempt, None, 0.5) for attempt in range(1, 12))
    assert 2.5 * 86_400 < total < 3.5 * 86_400
    assert pause_seconds(1, 3_600, 0.0) == 3_601
    assert pause_seconds(1, 1e9, 0.0) == PAUSES_SECONDS[-1]
    assert pause_seconds(99, None, 1.0) == PAUSES_SECONDS[-1]


@pytest.mark.parametrize(
    ("earlier", "report", "is_news"),
    [
        (None, finished(Outcome.FAILED), True),
        (ReportState.FAILED, finished(Outcome.TIMED_OUT), False),
        (ReportState.FAILED, finished(), True),
        (ReportState.SUCCEEDED, finished(), False),
        (None, finished(), False),
        (ReportState.FAILED, finished(Outcome.CANCELLED), False),
        (ReportState.FAILED, started(), False),
    ],
)
def test_changes(earlier: ReportState | None, report: Report, is_news: bool) -> None:
    assert is_change(earlier, report) is is_news


def test_a_target_that_wants_changes_gets_the_first_failure_and_the_first_success_after_it() -> None:
    targets = {"team": {"kind": "slack", "webhook": "/a/slack", "when": {"changes": True}}}
    (destination,) = destinations(Routes.model_validate({"routes": {}, "reports": targets}))
    world = World(host=Host([Answer(200, body=b"ok")]))
    sender = Sender(
        records=world.records, secrets=Secrets(), http=world.host, notices=world.notices, clock=lambda: 1_000.0
    )
    outcomes = [
        Outcome.SUCCEEDED,
        Outcome.FAILED,
        Outcome.TIMED_OUT,
        Outcome.CANCELLED,
        Outcome.SUCCEEDED,
        Outcome.SUCCEEDED,
    ]
    sent = []
    for number, outcome in enumerate(outcomes):
        report = finished(outcome, request_id=f"web-{number}", requested_at=REQUESTED + timedelta(minutes=number))
        (planned,) = plan([destination], report)
        sent.append(sender.send(destination, planned, report).result)
    news = [Result.UNCHANGED, Result.SENT, Result.UNCHANGED, Result.UNCHANGED, Result.SENT, Result.UNCHANGED]
    assert sent == news
    # A replay brings the first failure again, which is no news beside the success of a newer job.
    again = finished(Outcome.FAILED, request_id="web-1", requested_at=REQUESTED + timedelta(minutes=1))
    world.records.records.clear()
    (planned,) = plan([destination], again)
    assert sender.send(destination, planned, again).result is Result.UNCHANGED
