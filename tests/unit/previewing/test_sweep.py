"""A sweep asks each host once, and asks for the removal of what is left over, however often it is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from amplify_jobs.errors import NotSetUpError, RequestRejected, ServiceTrouble
from amplify_jobs.model.request import JobRequest
from amplify_jobs.previewing.record import PreviewRecord
from amplify_jobs.previewing.sweep import Sweep, Sweeping
from amplify_jobs.routing.mirrors import Git
from amplify_jobs.routing.routes import Routes
from tests.unit.previewing.test_leftover import HERE, NOON, RECORD, routes


@dataclass
class World:
    """A stack and its git hosts, of which a repository may be missing."""

    routes: Routes | None
    records: list[PreviewRecord]
    hosts: Mapping[str, Sequence[str] | Exception]
    asked: list[str] = field(default_factory=list)
    started: dict[str, JobRequest] = field(default_factory=dict)

    def current(self, *, fresh: bool = False) -> Routes:
        assert fresh
        if self.routes is None:
            raise NotSetUpError("no routes were pushed")
        return self.routes

    def preview_records(self) -> list[PreviewRecord]:
        return self.records

    def start(self, request: JobRequest) -> bool:
        is_new = request.request_id not in self.started
        self.started[request.request_id] = request
        return is_new

    def source(self, git: Git, repository: str) -> World:
        assert git.address(repository) == f"https://git.example.com/{repository}.git"
        self.asked.append(repository)
        return self

    def tips(self, prefixes: Sequence[str]) -> Mapping[str, object]:
        assert prefixes == ("refs/heads/",)
        answer = self.hosts[self.asked[-1]]
        if isinstance(answer, Exception):
            raise answer
        return {f"refs/heads/{name}": None for name in answer}

    def sweep(self) -> Sweep:
        return Sweeping(self, self, self, lambda: self, lambda: NOON).run()


def test_each_leftover_is_taken_away_once_however_often_is_swept() -> None:
    others = [replace(RECORD, branch_name="pr-8", source_branch="main"), replace(RECORD, branch_name="pr-9")]
    world = World(routes(), [RECORD, *others], {"acme/web": ["main"]})
    first, second = world.sweep(), world.sweep()
    assert [each.record for each in first.removals] == [RECORD, others[1]]
    assert (first.previews, first.duplicates, second.removals, second.duplicates) == (3, 0, (), 2)
    assert world.asked == ["acme/web"] * 2
    assert [request.parameters["branchName"] for request in world.started.values()] == ["pr-7", "pr-9"]


@pytest.mark.parametrize("error", [ServiceTrouble("down"), RequestRejected("not there"), NotSetUpError("no token")])
def test_a_host_that_can_t_be_asked_takes_nothing_away(error: Exception) -> None:
    other = replace(RECORD, repository="acme/shop", branch_name="shop-7")
    world = World(routes(), [RECORD, other], {"acme/web": error, "acme/shop": ["main"]})
    swept = world.sweep()
    assert [each.record for each in swept.removals] == [other]
    assert swept.unreached == {HERE: str(error)}


def test_previews_of_a_source_without_git_are_kept_as_long_as_the_route_says() -> None:
    record = replace(RECORD, source="gone")
    world = World(routes(), [record, replace(record, event_time=NOON - timedelta(days=20))], {})
    swept = world.sweep()
    assert (len(swept.removals), swept.unreached, world.asked) == (1, {}, [])


def test_without_routes_nothing_is_taken_away() -> None:
    assert World(None, [RECORD], {}).sweep() == Sweep()
