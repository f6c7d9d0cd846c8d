"""A push becomes a job, is followed, and announced: the whole path, and what can go wrong on it."""

from __future__ import annotations

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.support.team import ROOT, SECRET, Team

SCHEMAS = ROOT / "docs" / "schemas"
in_thorough = partial(pytest.param, marks=pytest.mark.thorough)


def test_a_push_becomes_a_site_and_everybody_is_told(team: Team) -> None:
    app_id = team.app("web")
    team.route("web", app_id)
    body = team.push("web", message="Say hello\n\nCo-authored-by: Bob <bob@example.com>")

    status, answer = team.deliver(body)

    assert status == 202
    (event,) = answer["events"]
    assert (event["kind"], event["repository"], event["branch"]) == ("push", "acme/web", "main")
    (request,) = answer["requests"]
    assert request["route"] == "web"
    assert request["operation"] == "start_job"
    started = team.told(request["requestId"], "Job Started")
    assert started["job"]["jobId"] == "1"
    finished = team.told(request["requestId"])
    assert finished["outcome"] == "SUCCEEDED"
    assert [step["name"] for step in finished["steps"]] == ["BUILD", "DEPLOY", "VERIFY"]
    assert finished["cause"]["commit"] == event["commit"]
    assert "bob@example.com" not in str(finished)
    with urllib.request.urlopen(finished["links"]["site"]) as site:
        assert b"Hello from branch main" in site.read()
    with urllib.request.urlopen(finished["links"]["console"]) as page:
        assert page.status == 200
    subject, text = team.message(request["requestId"], "SUCCEEDED")
    assert "web main #1" in subject
    assert finished["links"]["site"] in text
    (job,) = team.jobs(app_id)
    assert (job["status"], job["commitId"]) == ("SUCCEED", "HEAD")
    assert job["commitMessage"].startswith("Say hello")
    assert team.ended(request["requestId"]) == "SUCCEEDED"


def test_announcements_hold_to_their_published_schemas(team: Team) -> None:
    app_id = team.app("schemas")
    team.route("schemas", app_id)
    request_id = team.accepted(team.push("schemas"))

    for detail_type in ("Job Started", "Job Finished"):
        schema = SCHEMAS / f"{detail_type.lower().replace(' ', '-')}.json"
        jsonschema.validate(team.told(request_id, detail_type), yaml.safe_load(schema.read_text()))


def test_one_push_is_one_job_however_often_it_is_delivered(team: Team) -> None:
    app_id = team.app("again")
    team.route("again", app_id)
    body = team.push("again")

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: team.deliver(body), range(10)))

    assert {status for status, _ in answers} == {202}
    requests = [answer["requests"][0] for _, answer in answers]
    assert len({request["requestId"] for request in requests}) == 1
    assert sorted(request["duplicate"] for request in requests) == [False] + [True] * 9
    assert team.told(requests[0]["requestId"])["outcome"] == "SUCCEEDED"
    team.ended(requests[0]["requestId"])
    status, answer = team.deliver(body)
    assert (status, answer["requests"][0]["duplicate"]) == (202, True)
    assert len(team.jobs(app_id)) == 1


def test_two_pushes_to_one_branch_at_once_are_two_jobs(team: Team) -> None:
    app_id = team.app("both")
    team.route("both", app_id)

    with ThreadPoolExecutor(3) as pool:
        ids = list(pool.map(team.accepted, [team.push("both", message=f"Change {n}") for n in range(3)]))

    finished = [team.told(request_id) for request_id in ids]
    assert {detail["outcome"] for detail in finished} == {"SUCCEEDED"}
    assert sorted(detail["job"]["jobId"] for detail in finished) == ["1", "2", "3"]
    messages = {job["jobId"]: job["commitMessage"] for job in team.jobs(app_id)}
    for detail in finished:
        assert messages[detail["job"]["jobId"]] == detail["cause"]["message"]


def test_a_branch_with_a_slash_and_a_commit_id_that_is_kept(team: Team) -> None:
    app_id = team.app("slash")
    team.route("slash", app_id)
    request_id = team.accepted(team.push("slash", ref="refs/heads/release/1"))

    finished = team.told(request_id)

    assert finished["outcome"] == "SUCCEEDED"
    assert finished["job"]["branchName"] == "release/1"
    with urllib.request.urlopen(finished["links"]["site"]) as site:
        assert b"Hello from branch release/1" in site.read()


def test_a_failed_build_is_announced_with_its_step_and_reason(team: Team) -> None:
    app_id = team.app("broken", build=["echo about to fail", "exit 3"])
    team.route("broken", app_id)
    request_id = team.accepted(team.push("broken"))

    finished = team.told(request_id)

    assert finished["outcome"] == "FAILED"
    assert finished["failedStep"]["name"] == "BUILD"
    assert "3" in finished["reason"]
    subject, text = team.message(request_id, "FAILED")
    assert subject.startswith("FAILED: broken main #1")
    assert "Failed step: BUILD" in text
    assert team.ended(request_id) == "SUCCEEDED"


def test_a_stopped_job_is_announced_as_cancelled(team: Team) -> None:
    app_id = team.app("stopped", build=["sleep 300"])
    team.route("stopped", app_id)
    team.has_built_before(app_id, seconds=5)
    # As in an account without a trail: Amplify documents no event for CANCELLED, and a poll finds it.
    team.inject_fault(service="amplify", operation="ApiCallEvent", fault="lose", times=9, match={"appId": app_id})
    request_id = team.accepted(team.push("stopped"))
    team.amplify.stop_job(appId=app_id, branchName="main", jobId=team.running_job(app_id))

    assert team.told(request_id)["outcome"] == "CANCELLED"


@pytest.mark.parametrize("call", ["stop_job", "delete_branch", "delete_app"])
def test_a_branchs_first_job_that_somebody_ends_is_announced_at_once(team: Team, call: str) -> None:
    """No poll would find it within five minutes; CloudTrail's event of the call wakes its execution."""
    name = f"ended-by-{call.replace('_', '-')}"
    app_id = team.app(name, build=["sleep 300"])
    team.route(name, app_id)
    request_id = team.accepted(team.push(name))
    started = team.told(request_id, "Job Started")
    named = {"stop_job": ("branchName", "jobId"), "delete_branch": ("branchName",), "delete_app": ()}[call]
    names = {"branchName": "main", "jobId": team.running_job(app_id)}
    getattr(team.amplify, call)(appId=app_id, **{key: names[key] for key in named})

    finished = team.told(request_id)

    assert finished["outcome"] == "CANCELLED"
    assert finished["job"]["appName"] == started["job"]["appName"] == name
    assert (finished["links"]["console"] is None) is (call != "stop_job")


def test_an_unknown_app_is_announced_as_rejected(team: Team) -> None:
    team.route("nowhere", "d0nowhere")
    request_id = team.accepted(team.push("nowhere"))

    rejected = team.told(request_id, "Job Rejected")

    assert "d0nowhere" in rejected["reason"]
    assert "not found" in rejected["reason"]
    schema = SCHEMAS / "job-rejected.json"
    jsonschema.validate(rejected, yaml.safe_load(schema.read_text()))
    team.message(request_id, "Rejected")
    assert team.ended(request_id) == "SUCCEEDED"


# Which error each of these is, the tests of both functions say (tests/functions/test_start_job.py, test_get_job.py).
# Here one of each error that the state machine catches meets it; make thorough has the others.
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "throttle", "times": 2},
        in_thorough({"fault": "refuse", "code": "LimitExceededException", "message": "Too many", "times": 2}),
        in_thorough({"fault": "refuse", "code": "BadRequestException", "message": "Rate exceeded, please slow down"}),
        {"fault": "lose-answer"},
        {"fault": "refuse", "code": "InternalFailureException", "message": "Trouble", "operation": "ListJobs"},
        in_thorough({"fault": "throttle", "operation": "GetJob", "times": 2}),
        in_thorough({"fault": "lose-answer", "operation": "GetJob"}),
        {"fault": "nonsense", "operation": "GetJob", "times": 2},
    ],
    ids=lambda fault: f"{fault['fault']} {fault.get('operation', 'StartJob')} {fault.get('code', '')}".strip(),
)  # fmt: skip
def test_trouble_at_amplify_ends_in_exactly_one_job(
    team: Team, fault: dict[str, object], request: pytest.FixtureRequest
) -> None:
    name = f"trouble-{abs(hash(request.node.name)) % 10**8}"
    app_id = team.app(name)
    team.route(name, app_id)
    team.inject_fault(**{"service": "amplify", "operation": "StartJob", **fault})

    request_id = team.accepted(team.push(name))

    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    assert len(team.jobs(app_id)) == 1


def test_dynamodb_failing_delays_a_start_and_starts_nothing_twice(team: Team) -> None:
    app_id = team.app("no-table")
    team.route("no-table", app_id)
    team.inject_fault(
        service="dynamodb", operation="PutItem", fault="refuse", code="InternalServerError", message="Down", times=4
    )

    request_id = team.accepted(team.push("no-table"))

    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    assert len(team.jobs(app_id)) == 1


def test_an_execution_that_is_aborted_is_announced_by_the_rule(team: Team) -> None:
    app_id = team.app("aborted", build=["sleep 300"])
    team.route("aborted", app_id)
    request_id = team.accepted(team.push("aborted"))
    team.told(request_id, "Job Started")
    team.stepfunctions.stop_execution(executionArn=team.execution(request_id)["executionArn"], cause="by hand")

    finished = team.told(request_id)

    assert finished["outcome"] == "UNKNOWN"
    assert "ABORTED" in finished["reason"]
    team.amplify.stop_job(appId=app_id, branchName="main", jobId="1")


def test_a_lost_status_event_delays_the_announcement_only(team: Team) -> None:
    app_id = team.app("silent")
    team.route("silent", app_id)
    # With a history of jobs whose end no event told, the polls know when to ask.
    team.has_built_before(app_id, seconds=2)
    team.inject_fault(service="amplify", operation="StatusEvent", fault="lose", times=100, match={"appId": app_id})

    assert team.told(team.accepted(team.push("silent")))["outcome"] == "SUCCEEDED"


def test_logs_carry_the_ids_and_no_secret(team: Team) -> None:
    app_id = team.app("logged")
    team.route("logged", app_id)
    request_id = team.accepted(team.push("logged"))
    team.told(request_id)

    logs = {path.name: path.read_text() for path in Path(team.cloud.state_dir, "logs").iterdir()}
    lines = [line for text in logs.values() for line in text.splitlines() if request_id in line]
    assert lines
    for word in ("delivery_id", "app_id", "branch_name"):
        assert all(f'"{word}"' in line for line in lines if '"level"' in line), word
    assert not [name for name, text in logs.items() if SECRET in text]
