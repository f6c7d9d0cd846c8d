"""Nothing is lost at the door: while Step Functions or the routes fail, deliveries wait in their order, each once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.team import Team

EVERY_TIME = 1_000_000


@pytest.fixture(scope="module")
def app_id(team: Team) -> str:
    app_id = team.app("door")
    team.route("door", app_id)
    return app_id


def down(team: Team, service: str, operation: str) -> None:
    team.inject_fault(service=service, operation=operation, fault="throttle", times=EVERY_TIME)


def commits_of(team: Team) -> list[str]:
    """The commits that the route has started jobs for, in that order."""
    inputs = [json.loads(team.execution(request_id)["input"]) for request_id in team.requests_of("door")]
    return [sent["parameters"]["commitId"] for sent in inputs]


def pushes(team: Team, count: int) -> list[bytes]:
    return [team.push("door") for _ in range(count)]


def until_started(team: Team, commits: list[str]) -> list[str]:
    """Wait until all of them were started, and give those of them that were, in order."""

    def all_there() -> list[str] | None:
        started = [commit for commit in commits_of(team) if commit in commits]
        return started if len(started) >= len(commits) else None

    return team.until(all_there, f"not all of {commits} were started")


def test_while_step_functions_is_down_pushes_wait_and_come_out_in_order(team: Team, app_id: str) -> None:
    bodies = pushes(team, 5)
    commits = [json.loads(body)["after"] for body in bodies]
    down(team, "states", "StartExecution")
    for body in bodies:
        status, answer = team.deliver(body)
        assert (status, answer["requests"], len(answer["deferred"])) == (202, [], 1)
    # GitHub's user has lost patience and delivers one again by hand.
    assert team.deliver(bodies[2])[0] == 202
    assert [commit for commit in commits_of(team) if commit in commits] == []

    team.clear_faults()
    assert until_started(team, commits) == commits
    assert [request["duplicate"] for request in team.deliver(bodies[0])[1]["requests"]] == [True]


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [("states", "StartExecution", "AccessDeniedException"), ("s3", "GetObject", "AccessDenied")],
)
def test_what_is_forbidden_by_mistake_waits_as_well(
    team: Team, app_id: str, service: str, operation: str, code: str
) -> None:
    (body,) = pushes(team, 1)
    team.kill("ReceiveWebhookFunction")
    team.inject_fault(
        service=service, operation=operation, fault="refuse", code=code, message="No", status=403, times=EVERY_TIME
    )
    status, answer = team.deliver(body)
    assert (status, len(answer["deferred"])) == (202, 1)
    assert code not in json.dumps(answer)

    team.clear_faults()
    until_started(team, [json.loads(body)["after"]])


@pytest.mark.thorough
def test_without_routes_and_without_a_copy_of_them_pushes_wait(team: Team, app_id: str) -> None:
    (body,) = pushes(team, 1)
    # One that is killed with messages in hand keeps them hidden, and those after them waiting, for minutes.
    team.until_empty("IntakeQueue")
    for function in ("ReceiveWebhookFunction", "DrainIntakeFunction"):
        team.kill(function)
    down(team, "s3", "GetObject")
    status, answer = team.deliver(body)
    assert (status, len(answer["deferred"])) == (202, 1)
    assert team.deliver(body, headers={"X-Hub-Signature-256": "sha256=" + "0" * 64})[0] == 401

    team.clear_faults()
    until_started(team, [json.loads(body)["after"]])


def test_an_answer_of_step_functions_that_was_lost_makes_no_second_job(team: Team, app_id: str) -> None:
    (body,) = pushes(team, 1)
    team.inject_fault(service="states", operation="StartExecution", fault="lose-answer", times=2)
    assert team.deliver(body)[0] == 202
    commit = json.loads(body)["after"]
    assert until_started(team, [commit]) == [commit]

    team.until_empty("IntakeQueue")
    assert [one for one in commits_of(team) if one == commit] == [commit]


def test_a_request_of_the_bus_waits_as_well(team: Team, app_id: str) -> None:
    down(team, "states", "StartExecution")
    parameters = {"appId": app_id, "branchName": "main", "jobType": "RELEASE"}
    detail = {"requestId": "later", "operation": "start_job", "parameters": parameters}
    entry: Any = {
        "EventBusName": team.outputs["busName"],
        "Source": "com.acme.later",
        "DetailType": "Job Requested",
        "Detail": json.dumps(detail),
    }
    team.session.client("events").put_events(Entries=[entry])

    def deferred() -> bool | None:
        file = team.cloud.functions.log_file("amplify-jobs-receive-event")
        # It is made when the function is invoked for the first time.
        log = file.read_text() if file.exists() else ""
        return True if "com.acme.later" in log and "Deferred to the intake queue" in log else None

    team.until(deferred, "the request was not deferred")
    team.clear_faults()
    team.until(lambda: team.requests_of("com-acme-later") or None, "the request was never started")


def test_only_if_the_queue_fails_too_the_sender_has_to_come_again(team: Team, app_id: str) -> None:
    (body,) = pushes(team, 1)
    down(team, "states", "StartExecution")
    down(team, "sqs", "SendMessage")
    status, answer = team.deliver(body)
    assert status == 503
    assert set(answer) == {"message"}

    team.clear_faults()
    team.accepted(body)
