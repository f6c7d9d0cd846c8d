"""Requests for one preview that run at once, are cut short and lose answers: the newest event decides in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amplify_jobs.errors import BranchBusy, NotFoundError, RequestRejected, ServiceTrouble, Superseded
from amplify_jobs.model.job import Job
from amplify_jobs.model.request import JobRequest
from amplify_jobs.previewing.branch import AppBranch, BranchSettings
from amplify_jobs.previewing.preview import Change, Previewing
from amplify_jobs.previewing.record import PreviewRecord
from amplify_jobs.routing.routes import Routes

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PLACE = ("d1", "page")
PARAMETERS = {"appId": "d1", "branchName": "{pullRequest.source}", "jobType": "RELEASE"}
ROUTES = Routes.model_validate(
    {
        "routes": {
            "web": {
                "when": {"pull_request": {"repository": "acme/web"}},
                "request": {"operation": "start_job", "parameters": PARAMETERS},
                "preview": {},
            }
        }
    }
)


class CutShortError(ServiceTrouble):
    """The function was killed, or an answer was lost."""


def request(minute: int, action: str) -> JobRequest:
    """The request of the event of a minute."""
    return JobRequest.model_validate(
        {
            "requestId": f"web-{minute}",
            "route": "web",
            "operation": "start_job" if action == "build" else "remove_preview",
            "parameters": {"appId": "d1", "branchName": "page"},
            "preview": {"action": action, "source": "gitlab", "repository": "acme/web", "pullRequest": 7},
            "eventTime": NOW + timedelta(minutes=minute),
            "receivedAt": NOW,
            "cause": {"source": "gitlab", "kind": "pull_request"},
        }
    )


@dataclass
class World:
    """Amplify, the table and the routes; each call is a moment at which something else may happen.

    `moments` says what: nothing, the function is killed before or after the call, or a try of another request.
    """

    moments: list[int] = field(default_factory=list)
    branches: dict[tuple[str, str], AppBranch] = field(default_factory=dict)
    records: dict[tuple[str, str], PreviewRecord] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    waiting: list[JobRequest] = field(default_factory=list)
    superseded: dict[str, str] = field(default_factory=dict)
    changes: dict[str, Change | None] = field(default_factory=dict)

    def attempt(self, request: JobRequest) -> None:
        """Try a request once, as the state machine does until it ends."""
        self.waiting.remove(request)
        previewing = Previewing(Current(), NoSecrets(), Table(self), Hosting(self), lambda: NOW)
        try:
            self.changes[request.request_id] = previewing.run(request)
        except Superseded:
            self.changes[request.request_id] = None
        except (BranchBusy, ServiceTrouble):
            self.waiting.append(request)

    def moment(self) -> bool:
        """Let happen what is next; whether the function is killed after the call."""
        number = self.moments.pop() if self.moments else 0
        if number == 1:
            raise CutShortError
        if number > 2 and self.waiting:
            self.attempt(self.waiting[number % len(self.waiting)])
        return number == 2


class Current:
    def current(self, *, fresh: bool = False) -> Routes:
        del fresh
        return ROUTES


class NoSecrets:
    def values(self, names: tuple[str, ...]) -> Sequence[str]:
        raise AssertionError(names)


@dataclass
class Table:
    """The jobs table; each write is one moment."""

    world: World

    def preview_record(self, app_id: str, branch_name: str) -> PreviewRecord | None:
        self.world.moment()
        return self.world.records.get((app_id, branch_name))

    def write_preview_record(self, record: PreviewRecord, now: datetime) -> bool:
        del now
        is_lost = self.world.moment()
        stored = self.world.records.get(PLACE)
        if (stored.version if stored else 0) != record.version - 1:
            return False
        self.world.records[PLACE] = record
        if is_lost:
            raise CutShortError
        return True

    def mark_superseded(self, request_id: str, newer: str, now: datetime) -> None:
        del now
        self.world.superseded[request_id] = newer

    def stop_of_request(self, request_id: str) -> str | None:
        del request_id
        return None


@dataclass
class Hosting:
    """The branches of an app."""

    world: World

    def branch(self, app_id: str, branch_name: str) -> AppBranch | None:
        self.world.moment()
        return self.world.branches.get((app_id, branch_name))

    def create(self, app_id: str, branch_name: str, settings: BranchSettings, route: str) -> None:
        del route
        is_lost = self.world.moment()
        if (app_id, branch_name) in self.world.branches:
            raise RequestRejected("the branch already exists")
        self.world.branches[app_id, branch_name] = AppBranch(is_preview=True, settings=settings)
        if is_lost:
            raise CutShortError

    def update(self, app_id: str, branch_name: str, settings: BranchSettings) -> None:
        self.world.moment()
        if (app_id, branch_name) not in self.world.branches:
            raise NotFoundError("there is no such branch")
        self.world.branches[app_id, branch_name] = AppBranch(is_preview=True, settings=settings)

    def delete(self, app_id: str, branch_name: str) -> None:
        is_lost = self.world.moment()
        self.world.branches.pop((app_id, branch_name), None)
        if is_lost:
            raise CutShortError

    def unfinished_jobs(self, app_id: str, branch_name: str) -> Sequence[Job]:
        del app_id, branch_name
        self.world.moment()
        return tuple(self.world.jobs)

    def stop_job(self, job: Job) -> None:
        self.world.jobs.remove(job)


BUILD, REMOVE = "build", "remove"


@given(
    st.permutations([(1, BUILD), (2, REMOVE), (3, BUILD), (4, BUILD)]),
    st.booleans(),
    st.lists(st.integers(0, 9), max_size=40),
    st.booleans(),
)
# A closing sees no branch while an older build is about to make it.
@example([(1, BUILD), (2, REMOVE), (3, BUILD), (4, BUILD)], True, [3, 3, 0, 0, 0], False)
# A build sees the branch before an older closing deletes it.
@example([(1, BUILD), (4, BUILD), (2, REMOVE), (3, BUILD)], False, [0, 0, 0, 5, 3, 1, 0, 5, 3, 0, 2, 0, 0, 0, 0], False)
# A late build takes away what it made, and the answer to that is lost.
@example(
    [(1, BUILD), (4, BUILD), (2, REMOVE), (3, BUILD)],
    False,
    [0, 4, 2, 4, 2, 0, 0, 4, 0, 2, 2, 0, 3, 0, 4, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0],
    True,
)
def test_whatever_happens_the_branch_is_there_if_and_only_if_the_newest_event_wants_it(
    events: list[tuple[int, str]], ends_closed: bool, moments: list[int], has_job: bool
) -> None:
    if ends_closed:
        events = [(minute, REMOVE if minute == 4 else action) for minute, action in events]
    world = World(moments=moments, waiting=[request(minute, action) for minute, action in events])
    if has_job:
        world.jobs.append(Job(operation="start_job", app_id="d1", branch_name="page", job_id="1"))
    for _ in range(100):
        if not world.waiting:
            break
        world.attempt(world.waiting[0])
    assert not world.waiting
    record = world.records[PLACE]
    assert record.is_open is not ends_closed
    assert (PLACE in world.branches) is not ends_closed
    # The newest event had its way, and no build made a branch that is not there.
    assert world.changes["web-4"] is not None
    assert set(world.superseded.values()) <= {"web-2", "web-4"}


@pytest.mark.parametrize("action", [BUILD, REMOVE])
def test_a_branch_of_somebody_else_is_left_alone_at_any_moment(action: str) -> None:
    foreign = AppBranch(is_preview=False, settings=BranchSettings("PRODUCTION"))
    world = World(branches={PLACE: foreign}, waiting=[])
    previewing = Previewing(Current(), NoSecrets(), Table(world), Hosting(world), lambda: NOW)
    if action == BUILD:
        with pytest.raises(RequestRejected, match="is no preview"):
            previewing.run(request(1, action))
    else:
        assert previewing.run(request(1, action)) is Change.KEPT
    assert world.branches == {PLACE: foreign}
