"""A person stops a request while its start is under way: no job is started, or the job is stopped.

The order of the API has two calls, and they come between any calls of the start, which may be cut short anywhere.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import RequestRejected, ServiceTrouble, Superseded, Throttled
from amplify_jobs.model.job import Job, JobRef
from amplify_jobs.starting.hosting import HostingStarter
from amplify_jobs.starting.starter import StartResources
from tests.support.competing import BRANCH, REGION, Fate, Process, World, parameters
from tests.support.starting import HostingInMemory, Surroundings, make_request

MOST_CALLS = 60
PLACES = st.integers(0, 20)


class Start(Process):
    """An invocation of start_job for a request that supersedes nothing."""

    def start(self) -> Job:
        resources = StartResources(
            REGION, cast("Any", self), cast("Any", None), lambda _: None, lambda: self._world.now
        )
        request = make_request(self.request_id, "start_job", self._parameters.model_dump(by_alias=True))
        return HostingStarter(self, resources).start(self.request_id, request, self._parameters)

    def stop_job(self, job: Job) -> None:
        self.call(lambda: self._world.stopped.add(job.job_id), refusal=Throttled, loss=ServiceTrouble)

    def record_status_change(self, job: JobRef, now: datetime) -> str | None:
        assert job.branch == BRANCH
        return self._store(lambda: None)


class Stop:
    """The order of the API: it is written, and with the same call the job is read; then that job is stopped."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._job: Job | None = None
        self.calls = [self._write, self._stop]

    def _write(self) -> None:
        self._world.stops.add("one")
        self._job = self._world.known.get("one")

    def _stop(self) -> None:
        if self._job is not None:
            self._world.stopped.add(self._job.job_id)


def run(places: tuple[int, int], fates: dict[int, Fate]) -> tuple[World, Process]:
    """Let the start run to its end, again after every failure; the order's calls come before its calls `places`."""
    world = World()
    process, stop = Start(world, "one", parameters()), Stop(world)
    pending = list(zip(places, stop.calls, strict=True))
    for number in range(MOST_CALLS):
        while pending and pending[0][0] <= number:
            pending.pop(0)[1]()
        if process.ended and process.error is not None and not isinstance(process.error, Superseded):
            world.now += timedelta(seconds=30)
            process = Start(world, "one", parameters())
        if process.ended:
            break
        process.step(fates.get(number, Fate.WORKS))
    assert process.ended
    for _, call in pending:
        call()
    return world, process


def is_right(world: World, process: Process) -> bool:
    """No job, or one, and that one stopped."""
    jobs = [started.listed.job_id for started in world.jobs]
    if isinstance(process.error, Superseded):
        return jobs == []
    return len(jobs) == 1 and world.stopped == set(jobs)


def test_at_every_moment_of_a_start() -> None:
    outcomes = set()
    for first in range(16):
        for second in range(first, 16):
            world, process = run((first, second), {})
            assert is_right(world, process), (first, second)
            outcomes.add(process.error is None)
    assert outcomes == {True, False}


@given(st.tuples(PLACES, PLACES).map(sorted), st.dictionaries(PLACES, st.sampled_from(Fate), max_size=3))
def test_also_of_one_whose_calls_fail_or_that_is_killed(places: list[int], fates: dict[int, Fate]) -> None:
    world, process = run((places[0], places[1]), fates)
    assert is_right(world, process)


def starter(surroundings: Surroundings, hosting: HostingInMemory) -> HostingStarter:
    return HostingStarter(hosting, surroundings.resources())


def start(starter: HostingStarter, request_id: str, start_id: str, **members: Any) -> Job:
    request = make_request(request_id, "start_job", parameters().model_dump(by_alias=True), **members)
    return starter.start(start_id, request, parameters())


@pytest.mark.parametrize("supersede", [False, True])
@pytest.mark.parametrize("start_id", ["one", "one#2"])
def test_a_stopped_request_is_not_started_nor_started_again(supersede: bool, start_id: str) -> None:
    surroundings, hosting = Surroundings(), HostingInMemory()
    surroundings.jobs.order_stop("one", "Stopped by the jobs API.", surroundings.now)
    with pytest.raises(Superseded, match="Stopped by the jobs API"):
        start(starter(surroundings, hosting), "one", start_id, supersede=supersede)
    assert hosting.sent == []


def test_a_job_that_ended_before_it_could_be_stopped_is_followed_to_its_outcome() -> None:
    surroundings, hosting = Surroundings(), HostingInMemory(ended={"1"})
    hosting.before_send = lambda: surroundings.jobs.order_stop("one", "Stopped.", surroundings.now)
    assert start(starter(surroundings, hosting), "one", "one").job_id == "1"
    assert surroundings.jobs.changed == [JobRef(BRANCH, "1")]
    with pytest.raises(RequestRejected):
        hosting.stop_job(surroundings.jobs.jobs["one"])
