"""1,000 announcements to five targets, of which one is down for an hour: order is kept and nothing is lost.

The clock is virtual. What the planner and the sender decide, the subjects, groups, identities and bodies of messages,
the pauses after failures and the records are those of the service. Simulated are the targets, and the queue with what
SQS documents of FIFO queues: a group waits while one of its messages is hidden, and repeats within five minutes count
once.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_jobs.announcing.announcement import Outcome
from amplify_jobs.aws.dynamodb import Table
from amplify_jobs.aws.report_queue import ReportQueue
from amplify_jobs.aws.report_records import ReportRecords
from amplify_jobs.aws.signed_http import AwsHttp, JsonOperation
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.reporting.batch import ReportMessage
from amplify_jobs.reporting.call import Answer, AwsCall, Call
from amplify_jobs.reporting.destination import destinations
from amplify_jobs.reporting.planner import Planner
from amplify_jobs.reporting.planning import Plan, plan
from amplify_jobs.reporting.report import Report
from amplify_jobs.reporting.sending import PAUSES_SECONDS, ReportRetryError, Sender, pause_seconds
from amplify_jobs.routing.routes import Routes
from tests.support.announced import REQUESTED, finished, started
from tests.unit.aws.test_report_records import Items

HOUR = 3_600.0
# template.yaml: maxReceiveCount of ReportQueue.
MOST_RECEIVES = len(PAUSES_SECONDS) + 1
DEDUPLICATION_SECONDS = 300.0
ROUTES = Routes.model_validate(
    {
        "sources": {"github": {"provider": "github", "secrets": ["/a/secret"]}},
        "routes": {},
        "reports": {
            "statuses": {"kind": "commit_status", "source": "github", "token": "/a/token"},
            "team": {"kind": "slack", "webhook": "/a/slack"},
            "chat": {"kind": "discord", "webhook": "/a/discord"},
            "space": {"kind": "google_chat", "webhook": "/a/space"},
            "hook": {"kind": "webhook", "url": "https://hook.example/jobs", "secret": "/a/key"},
        },
    }
)
VALUES = {
    "/a/token": "t0ken",
    "/a/slack": "https://hooks.slack.com/services/T/B/x",
    "/a/discord": "https://discord.com/api/webhooks/1/x",
    "/a/space": "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t",
    "/a/key": "whsec_bWFueSBieXRlcyB0aGF0IG5vYm9keSBrbm93cw==",
}


@dataclass
class Message:
    """A message of the queue; `receives` is how often it was given to the function."""

    content: ReportMessage
    receives: int = 0


@dataclass
class World:
    """A FIFO queue, its function, five targets and a clock; `down` says in which seconds a target fails."""

    down: Mapping[str, tuple[float, float]]
    chances: random.Random
    # How probable it is that a target has taken a report, and the answer is lost.
    lost: float = 0.0
    now: float = 0.0
    groups: dict[str, deque[Message]] = field(default_factory=lambda: defaultdict(deque))
    identities: dict[str, float] = field(default_factory=dict)
    due: list[tuple[float, int, str]] = field(default_factory=list)
    dead: list[ReportMessage] = field(default_factory=list)
    calls: int = 0

    def __post_init__(self) -> None:
        self.numbers = count()
        self.destinations = {one.name: one for one in destinations(ROUTES)}
        # By target and subject: what the target took, in its order; what had no answer comes again.
        self.taken: dict[tuple[str, str], list[Report]] = defaultdict(list)
        self.current_message = ReportMessage(target="", subject="", detail_type="", detail={})
        self.sender = Sender(
            records=ReportRecords(cast(Table, Items()), self._moment),
            secrets=self,
            http=self,
            notices=cast(Any, None),
            clock=lambda: self.now,
        )
        self.queue = ReportQueue(cast(AwsHttp, self), "https://sqs.example/reports.fifo")
        self.planner = Planner(self, self.queue)

    def _moment(self) -> datetime:
        return REQUESTED + timedelta(seconds=self.now)

    def current(self, *, fresh: bool = False) -> Routes:
        return ROUTES

    def values(self, names: tuple[str, ...]) -> Sequence[str]:
        return [VALUES[name] for name in names]

    def call(self, operation: JsonOperation, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """SQS: SendMessage to a FIFO queue, which drops repeats of five minutes."""
        assert operation.target == "AmazonSQS.SendMessage"
        identity, group = parameters["MessageDeduplicationId"], parameters["MessageGroupId"]
        if self.now - self.identities.get(identity, -DEDUPLICATION_SECONDS) >= DEDUPLICATION_SECONDS:
            self.identities[identity] = self.now
            self.groups[group].append(Message(ReportMessage.model_validate_json(parameters["MessageBody"])))
            if len(self.groups[group]) == 1:
                self._show(group, self.now)
        return {"MessageId": identity}

    def _show(self, group: str, at: float) -> None:
        heappush(self.due, (at, next(self.numbers), group))

    def send(self, call: Call | AwsCall) -> Answer:
        """A target: down, or one that takes the report; its answer may be lost."""
        assert isinstance(call, Call)
        self.calls += 1
        message = self.current_message
        begin, end = self.down.get(message.target, (0.0, 0.0))
        if begin <= self.now < end:
            return Answer(503)
        report = Report.from_event(message.detail_type, message.detail)
        self.taken[message.target, message.subject].append(report)
        if self.chances.random() < self.lost:
            raise ServiceTrouble("the target did not answer")
        return Answer(200, body=b"ok" if message.target == "team" else b'{"id": "1"}')

    def run(self, until: float) -> None:
        """Give the function what is due, as an event source mapping does, up to a time."""
        while self.due and self.due[0][0] <= until:
            at, _, group = heappop(self.due)
            self.now = max(self.now, at)
            self._process(group)
        self.now = max(self.now, until)

    def waiting(self) -> list[deque[Message]]:
        """The groups that have messages."""
        return [group for group in self.groups.values() if group]

    def _process(self, group: str) -> None:
        message = self.groups[group][0]
        message.receives += 1
        self.current_message = read = message.content
        report = Report.from_event(read.detail_type, read.detail)
        try:
            self.sender.send(self.destinations[read.target], Plan(read.target, read.subject), report)
        except ReportRetryError as error:
            if message.receives < MOST_RECEIVES:
                pause = pause_seconds(message.receives, error.after_seconds, self.chances.random())
                self._show(group, self.now + pause)
                return
            self.dead.append(read)
        self.groups[group].popleft()
        if self.groups[group]:
            self._show(group, self.now)


def announcements(requests: int) -> list[Report]:
    """Starts and ends of requests, by when they are announced: a job takes some minutes, and others begin meanwhile."""
    reports: list[tuple[float, Report]] = []
    for number in range(requests):
        # Two requests a commit: their statuses are one subject.
        cause = started().cause.model_copy(update={"commit": f"{number // 2:040x}"})
        begin = number * 7.0
        members = {"request_id": f"web-{number}", "requested_at": REQUESTED + timedelta(seconds=begin), "cause": cause}
        outcome = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED)[number % 3]
        reports += [(begin, started(**members)), (begin + 95.0, finished(outcome, **members))]
    return [report for _, report in sorted(reports, key=lambda one: one[0])]


def check(world: World, reports: Sequence[Report]) -> None:
    """Every target has each report that it had to have, the newest of a subject last, and none after a newer one."""
    expected: dict[tuple[str, str], list[Report]] = defaultdict(list)
    for report in reports:
        for one in plan(world.destinations.values(), report):
            expected[one.target, one.subject].append(report)
    assert world.taken.keys() == expected.keys()
    for subject, planned in expected.items():
        texts = world.taken[subject]
        versions = [report.version for report in texts]
        assert versions == sorted(versions), subject
        # What is overtaken by a newer one before it was sent need not be sent.
        newest = [
            one.version for n, one in enumerate(planned) if all(one.version > other.version for other in planned[:n])
        ]
        assert list(dict.fromkeys(versions)) == newest, subject


@pytest.mark.thorough
def test_1_000_announcements_keep_their_order_and_nothing_is_lost_while_a_target_is_down_for_an_hour() -> None:
    reports = announcements(500)
    assert len(reports) == 1_000
    world = World(down={"hook": (600.0, 600.0 + HOUR)}, chances=random.Random(1))
    for number, report in enumerate(reports):
        world.run(number * 3.5)
        # Nobody waits for the target that is down.
        waiting = {message.content.target for group in world.waiting() for message in group}
        assert waiting == ({"hook"} if 604 < world.now < 4_000 else set()) or world.now > 4_000
        assert world.planner.plan(report) == 5
        if number % 10 == 0:
            # EventBridge delivers at least once.
            world.planner.plan(report)
    world.run(3 * 86_400.0)
    assert world.waiting() == []
    assert world.dead == []
    check(world, reports)
    # The target that was down was asked by growing pauses, and not for ever again.
    assert world.calls < 2 * 5_000


@settings(max_examples=40)
@pytest.mark.thorough
@given(
    outage=st.tuples(st.sampled_from(sorted(ROUTES.reports)), st.floats(0, 600), st.floats(0, 24)),
    lost=st.sampled_from([0.0, 0.1, 0.5]),
    requests=st.integers(1, 8),
    chances=st.randoms(use_true_random=False),
)
def test_whatever_fails_for_a_day_at_most_order_is_kept_and_nothing_is_lost(
    outage: tuple[str, float, float], lost: float, requests: int, chances: random.Random
) -> None:
    target, begin, hours = outage
    world = World(down={target: (begin, begin + hours * HOUR)}, chances=chances, lost=lost)
    reports = announcements(requests)
    # EventBridge keeps no order.
    chances.shuffle(reports)
    for number, report in enumerate(reports):
        world.run(number * 30.0)
        world.planner.plan(report)
    world.run(30 * 86_400.0)
    given_up = {(one.target, one.subject) for one in world.dead}
    assert world.waiting() == []
    # Half of all answers lost may be too many for twelve tries; but never for what a day alone delays.
    assert lost > 0 or given_up == set()
    if not given_up:
        check(world, reports)


def test_a_target_that_is_down_for_a_week_is_given_up_with_a_message_for_each_report() -> None:
    reports = announcements(3)
    world = World(down={"hook": (0.0, 7 * 86_400.0)}, chances=random.Random(1))
    for report in reports:
        world.planner.plan(report)
    world.run(30 * 86_400.0)
    assert [one.target for one in world.dead] == ["hook"] * 6
    assert world.waiting() == []
    check_others = [target for target, _ in world.taken]
    assert set(check_others) == world.destinations.keys() - {"hook"}
