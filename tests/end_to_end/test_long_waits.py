"""What waits for a minute because an answer, a worker or a job's end does not come; all of it is under way at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from demo.examples import zipped_site
from tests.support.team import Team

pytestmark = pytest.mark.thorough


@dataclass(frozen=True)
class Under:
    """A request under way, and the app that it is for."""

    app_id: str
    request_id: str


@pytest.fixture(scope="module")
def killed(team: Team) -> Under:
    app_id = team.app("killed")
    team.route("killed", app_id)
    # StartJob is done; its answer comes so late that the function is killed while it waits for it.
    team.inject_fault(service="amplify", operation="StartJob", fault="delay", seconds=20, match={"appId": app_id})
    request_id = team.accepted(team.push("killed"))
    team.until(lambda: team.jobs(app_id) or None, "StartJob did not arrive")
    team.kill("StartJobFunction")
    return Under(app_id, request_id)


@pytest.fixture(scope="module")
def hanging(team: Team) -> Under:
    return endless(team, "hanging", timeoutMinutes=1)


@pytest.fixture(scope="module")
def stopped(team: Team) -> Under:
    return endless(team, "stopped", timeoutMinutes=1, onTimeout="stop")


def endless(team: Team, name: str, **route: Any) -> Under:
    app_id = team.app(name, build=["sleep 300"])
    team.route(name, app_id, **route)
    return Under(app_id, team.accepted(team.push(name)))


@pytest.fixture(scope="module")
def unanswered(team: Team) -> Under:
    place = team.manual_app("unanswered")
    team.inject_fault(
        service="amplify",
        operation="StartDeployment",
        fault="refuse",
        code="InternalFailureException",
        message="Trouble",
        status=500,
        match={"appId": place["appId"]},
    )
    artifact = team.store("releases/unanswered.zip", zipped_site("deployed"))
    return Under(place["appId"], team.asks("start_deployment", place | {"artifact": artifact}))


@pytest.fixture(scope="module", autouse=True)
def _all_begun(killed: Under, hanging: Under, stopped: Under, unanswered: Under) -> None:
    """Begin everything before the first test waits; what is killed comes first, while nothing else is being started."""


def test_a_job_that_hangs_is_announced_as_timed_out_and_left_alone(team: Team, hanging: Under) -> None:
    finished = team.told(hanging.request_id)

    assert finished["outcome"] == "TIMED_OUT"
    assert "timeoutMinutes" in finished["reason"]
    assert team.jobs(hanging.app_id)[0]["status"] == "RUNNING"
    team.amplify.stop_job(appId=hanging.app_id, branchName="main", jobId="1")


def test_a_job_that_runs_too_long_is_stopped(team: Team, stopped: Under) -> None:
    finished = team.told(stopped.request_id)

    assert finished["outcome"] == "TIMED_OUT"
    assert "amplify-jobs stopped it" in finished["reason"]
    team.until(lambda: team.jobs(stopped.app_id)[0]["status"] == "CANCELLED" or None, "the job was not stopped")
    assert team.ended(stopped.request_id) == "SUCCEEDED"


def test_a_function_killed_between_the_call_and_the_record_starts_nothing_twice(team: Team, killed: Under) -> None:
    assert team.told(killed.request_id)["outcome"] == "SUCCEEDED"
    assert len(team.jobs(killed.app_id)) == 1


def test_a_deployment_of_which_the_service_does_not_say_what_became_ends_in_exactly_one_job(
    team: Team, unanswered: Under
) -> None:
    assert team.shown(team.told(unanswered.request_id)) == b"deployed"
    assert len(team.jobs(unanswered.app_id)) == 1
