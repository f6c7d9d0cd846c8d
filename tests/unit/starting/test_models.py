"""The one job that generates a backend API's models for a start, whatever happens to the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from amplify_jobs.errors import BranchBusy, ServiceTrouble, StartUnresolved
from amplify_jobs.model.job import Job
from amplify_jobs.model.parameters import GenerateBackendAPIModelsParameters
from amplify_jobs.starting.models import ModelsStarter
from tests.support.starting import Surroundings, make_request

MEMBERS = {"AppId": "d1", "BackendEnvironmentName": "dev", "ResourceName": "api"}
PARAMETERS = GenerateBackendAPIModelsParameters.model_validate(MEMBERS)
REQUEST = make_request("models-1", "generate_backend_api_models", MEMBERS)


def nothing() -> None:
    """The call works."""


@dataclass
class Backend:
    """Amplify Backend; the functions raise what a call is answered with."""

    jobs: list[str] = field(default_factory=lambda: ["old"])
    before: Callable[[], object] = nothing
    after: Callable[[], object] = nothing
    before_list: Callable[[], object] = nothing

    def generate_models(self, parameters: GenerateBackendAPIModelsParameters) -> str:
        self.before()
        self.jobs.append(f"job-{len(self.jobs)}")
        self.after()
        return self.jobs[-1]

    def model_jobs(self, app_id: str, environment_name: str) -> list[str]:
        self.before_list()
        return list(self.jobs)


def raising(error: Exception) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


@dataclass
class World:
    """Amplify Backend and the jobs table."""

    backend: Backend = field(default_factory=Backend)
    surroundings: Surroundings = field(default_factory=Surroundings)

    def start(self) -> Job:
        return ModelsStarter(self.backend, self.surroundings.resources()).start("models-1", REQUEST, PARAMETERS)


def test_a_job_is_started_and_a_repeat_is_answered_with_it() -> None:
    world = World()
    job = world.start()
    assert job == Job(operation="generate_backend_api_models", app_id="d1", environment_name="dev", job_id="job-1")
    assert world.start() == job
    assert world.backend.jobs == ["old", "job-1"]


def test_the_job_of_a_lost_answer_is_found() -> None:
    world = World()
    world.backend.after = raising(StartUnresolved("lost"))
    with pytest.raises(StartUnresolved):
        world.start()
    assert world.start().job_id == "job-1"
    assert world.backend.jobs == ["old", "job-1"]


def test_a_call_that_never_arrived_is_sent_again_after_a_minute() -> None:
    world = World()
    world.backend.before = raising(StartUnresolved("lost"))
    with pytest.raises(StartUnresolved, match="lost"):
        world.start()
    world.backend.before = nothing
    with pytest.raises(StartUnresolved, match="does not show the job yet"):
        world.start()
    world.surroundings.now += timedelta(minutes=1)
    assert world.start().job_id == "job-1"


def test_a_refusal_leaves_nothing_to_search_for() -> None:
    world = World()
    world.backend.before = raising(BranchBusy("already a pending job"))
    with pytest.raises(BranchBusy):
        world.start()
    world.backend.before = nothing
    assert world.start().job_id == "job-1"


def test_a_list_that_fails_leaves_a_lost_answer_unresolved() -> None:
    world = World()
    world.backend.before_list = raising(ServiceTrouble("no answer"))
    with pytest.raises(ServiceTrouble):
        world.start()
    world.backend.before_list, world.backend.after = nothing, raising(StartUnresolved("lost"))
    with pytest.raises(StartUnresolved):
        world.start()
    world.backend.before_list = raising(ServiceTrouble("no answer"))
    with pytest.raises(StartUnresolved, match="can't be searched for: no answer"):
        world.start()
