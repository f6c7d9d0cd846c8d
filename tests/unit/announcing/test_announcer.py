"""Who is told what, once each: programs and people, whatever fails in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from amplify_jobs.announcing.announcement import Announcement, DetailType, JobFinished, JobRejected, JobStarted
from amplify_jobs.announcing.announcer import Announcer
from amplify_jobs.announcing.notification import Notification, readable_request
from amplify_jobs.announcing.published import PublishedAnnouncements
from amplify_jobs.errors import AmplifyJobsError, NotFoundError, ServiceTrouble, Throttled
from amplify_jobs.model.job import JobState, State
from tests.support.announcements import EXECUTION, FAILED, JOB, NOW, REQUEST, STACK

Names = tuple[str | None, str | None]
APP: Names = ("web", "d1a2b3c4d5e6.amplifyapp.com")


@dataclass
class World:
    """Amplify, the jobs table, the topic and the bus; `failing` are the methods that raise ServiceTrouble."""

    app: Names | AmplifyJobsError = APP
    display_name: str | AmplifyJobsError | None = "feature-header"
    failing: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    names: dict[str, Any] = field(default_factory=dict)
    published: list[Announcement] = field(default_factory=list)
    events: list[Announcement] = field(default_factory=list)

    def app_name_and_domain(self, app_id: str) -> Names:
        assert app_id == JOB.app_id
        if isinstance(self.app, AmplifyJobsError):
            raise self.app
        return self.app

    def branch_display_name(self, app_id: str, branch_name: str) -> str | None:
        assert (app_id, branch_name) == (JOB.app_id, JOB.branch_name)
        if isinstance(self.display_name, AmplifyJobsError):
            raise self.display_name
        return self.display_name

    def published_announcements(self, request_id: str) -> PublishedAnnouncements:
        assert request_id == REQUEST.request_id
        return PublishedAnnouncements(frozenset(self.labels), dict(self.names))

    def mark_announced(self, request_id: str, label: str, names: Mapping[str, Any], now: datetime) -> None:
        assert (request_id, now) == (REQUEST.request_id, NOW)
        self._fail("mark_announced")
        self.labels.add(label)
        self.names = self.names or dict(names)

    def publish_to_topic(self, detail_type: DetailType, detail: Announcement) -> None:
        self._fail("publish_to_topic")
        self.published.append(detail)

    def put_event(self, detail_type: DetailType, detail: Announcement) -> None:
        self._fail("put_event")
        self.events.append(detail)

    def _fail(self, method: str) -> None:
        if method in self.failing:
            raise ServiceTrouble(method)

    def announce(self, notification: Notification) -> Announcement:
        """Announce it, and give what programs were told last."""
        logger = Logger(service="test", level="CRITICAL")
        Announcer(self, self, self, STACK, logger, lambda: NOW).announce(notification)
        return self.events[-1]


STARTED = Notification(DetailType.JOB_STARTED, REQUEST, EXECUTION, FAILED.model_copy(update={"state": State.WAITING}))
FINISHED = Notification(DetailType.JOB_FINISHED, REQUEST, EXECUTION, FAILED)
REJECTED = Notification(DetailType.JOB_REJECTED, REQUEST, EXECUTION, None, "no")
NOT_FOLLOWED = Notification(DetailType.JOB_FINISHED, REQUEST, EXECUTION, JobState(job=JOB, state=State.RUNNING))


@pytest.mark.parametrize(
    ("notification", "model"), [(STARTED, JobStarted), (FINISHED, JobFinished), (REJECTED, JobRejected)]
)
def test_programs_and_people_are_told_the_same(notification: Notification, model: type[Announcement]) -> None:
    world = World()
    assert type(world.announce(notification)) is model
    assert world.published == world.events
    kind = notification.detail_type
    assert world.labels == {f"{kind} to programs", f"{kind} to people"}


def test_a_repeat_publishes_nothing() -> None:
    world = World()
    for _ in range(3):
        world.announce(FINISHED)
    assert (len(world.published), len(world.events)) == (1, 1)


@pytest.mark.parametrize("failing", ["put_event", "publish_to_topic"])
def test_a_repeat_publishes_only_what_was_not_published(failing: str) -> None:
    world = World(failing={failing})
    with pytest.raises(ServiceTrouble, match=failing):
        world.announce(FINISHED)
    # Programs come first.
    assert (len(world.events), len(world.published)) == ((0, 0) if failing == "put_event" else (1, 0))
    world.failing.clear()
    for _ in range(2):
        world.announce(FINISHED)
    assert (len(world.published), len(world.events)) == (1, 1)


def test_what_could_not_be_recorded_is_published_once_more() -> None:
    world = World(failing={"mark_announced"})
    with pytest.raises(ServiceTrouble):
        world.announce(FINISHED)
    world.failing.clear()
    world.announce(FINISHED)
    assert (len(world.events), len(world.published)) == (2, 1)


def test_a_start_and_an_end_are_two_announcements() -> None:
    world = World()
    world.announce(STARTED)
    world.announce(FINISHED)
    assert [type(detail) for detail in world.events] == [JobStarted, JobFinished]
    assert len(world.published) == 2


def test_the_outcome_is_news_after_the_job_was_no_longer_followed_and_not_the_other_way_round() -> None:
    """A failed execution may be redriven, and follows the job to its end."""
    world = World()
    for notification in (NOT_FOLLOWED, NOT_FOLLOWED, FINISHED, NOT_FOLLOWED):
        world.announce(notification)
    assert [detail.outcome for detail in world.events if isinstance(detail, JobFinished)] == ["UNKNOWN", "FAILED"]
    assert world.published == world.events


# ---------------------------------------------------------------- names


def job_of(detail: Announcement) -> dict[str, Any]:
    assert isinstance(detail, JobStarted | JobFinished)
    return {"app_name": detail.job.app_name, "console": detail.links.console, "site": detail.links.site}


SITE = "https://feature-header.d1a2b3c4d5e6.amplifyapp.com/"


def test_names_are_those_that_amplify_answers_and_are_kept_with_the_request() -> None:
    world = World()
    job = job_of(world.announce(STARTED))
    assert (job["app_name"], job["site"]) == ("web", SITE)
    assert world.names == {"appName": "web", "defaultDomain": APP[1], "displayName": "feature-header"}


@pytest.mark.parametrize("error", [Throttled("GetApp"), ServiceTrouble("GetApp")])
def test_without_its_names_a_job_is_announced_by_its_ids(error: AmplifyJobsError) -> None:
    job = job_of(World(app=error).announce(STARTED))
    assert (job["app_name"], job["site"]) == (None, None)
    assert job["console"] is not None


def test_without_an_answer_of_amplify_the_names_of_the_start_serve() -> None:
    world = World()
    job = job_of(world.announce(STARTED))
    world.app = Throttled("GetApp")
    assert job_of(world.announce(FINISHED)) == job


def test_an_app_that_was_renamed_keeps_its_name_in_the_announcements_of_a_request() -> None:
    world = World()
    world.announce(STARTED)
    world.app = ("renamed", APP[1])
    assert job_of(world.announce(FINISHED))["app_name"] == "web"


def test_an_app_that_is_gone_is_named_and_not_linked() -> None:
    world = World()
    world.announce(STARTED)
    world.app = NotFoundError("App not found")
    assert job_of(world.announce(FINISHED)) == {"app_name": "web", "console": None, "site": None}
    assert "exists" not in world.names


def test_a_branch_that_is_gone_is_announced_by_the_apps_name() -> None:
    detail = World(display_name=NotFoundError("Branch gone")).announce(REJECTED)
    assert isinstance(detail, JobRejected)
    assert detail.app_name == "web"


def test_nobody_is_asked_for_the_names_of_a_request_without_an_app() -> None:
    request = readable_request({}, EXECUTION, NOW)
    world = World()
    assert isinstance(world.announce(Notification(DetailType.JOB_REJECTED, request, EXECUTION, None)), JobRejected)
