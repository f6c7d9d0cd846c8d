"""The jobs API on the local cloud: a push is found, told, retried and replayed, with AWS's signature alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import urllib3

from tests.support.signed_calls import call
from tests.support.team import Team


def eventually(team: Team, path: str, is_right: Callable[[Any], bool]) -> Any:
    """Wait until the API answers a question rightly: each list and record of the index is written on its own."""

    def find() -> Any:
        status, answer, _ = call(team, "GET", path)
        return answer if status == 200 and is_right(answer) else None

    return team.until(find, f"GET {path} never said it")


def test_a_push_is_found_told_retried_and_replayed(team: Team) -> None:
    app_id = team.app("seen")
    team.route("seen", app_id)
    request_id = team.accepted(team.push("seen"))
    team.told(request_id)
    story = eventually(team, f"/requests/{request_id}", lambda story: story["state"] == "FINISHED")
    assert (story["outcome"], story["appName"], story["isLive"]) == ("SUCCEEDED", "seen", True)
    assert (story["pusher"], story["author"]) == ("ada", "Ada")
    assert [step["status"] for step in story["steps"]]
    finished = "/requests?app=seen&state=finished&limit=5"
    eventually(team, finished, lambda page: [item["requestId"] for item in page["items"]] == [request_id])

    def unchanged() -> bool | None:
        return call(team, "GET", finished, tag=call(team, "GET", finished)[2]["ETag"])[0] == 304 or None

    # The index hears of the end of the execution, and of the reports, after the end of the job.
    team.until(unchanged, "an answer that did not change was never 304")
    _, log, _ = call(team, "GET", f"/requests/{request_id}/log")
    assert log["complete"]
    assert story["commitBuilt"] in log["text"]
    eventually(
        team,
        f"/deliveries/{story['event']['deliveryId']}",
        lambda delivery: request_id in [decision["requestId"] for decision in delivery["decisions"]],
    )
    eventually(
        team,
        "/branches",
        lambda page: story["commitBuilt"] in [branch["live"]["commit"] for branch in page["items"] if branch["live"]],
    )
    request_ids = []
    for path, body in (
        (f"/requests/{request_id}/retry", {"reason": "again"}),
        (f"/requests/{request_id}/replay", {"reason": "again"}),
        ("/requests", {"route": "seen", "branch": "main"}),
    ):
        status, answer, _ = call(team, "POST", path, body)
        assert status == 202, answer
        request_ids.append(answer["requestId"])
    assert len({request_id, *request_ids}) == 4
    for each in request_ids:
        assert team.told(each)["outcome"] == "SUCCEEDED"


def test_a_request_that_waits_is_stopped_before_it_becomes_a_job(team: Team) -> None:
    app_id = team.app("waiting")
    team.inject_fault(service="amplify", operation="StartJob", fault="throttle", times=1000)
    request_id = team.asks("start_job", {"appId": app_id, "branchName": "main", "jobType": "RELEASE"})
    eventually(team, f"/requests/{request_id}", lambda story: story["state"] == "RECEIVED")
    status, answer, _ = call(team, "POST", f"/requests/{request_id}/stop", {"reason": "not now"})
    assert (status, answer) == (202, {"requestId": request_id})
    rejected = team.told(request_id, "Job Rejected")
    team.clear_faults()
    assert (rejected["outcome"], rejected["supersededBy"]) == ("CANCELLED", None)
    assert rejected["reason"] == "Stopped by the jobs API before a job was started. not now"
    assert team.jobs(app_id) == []
    story = eventually(team, f"/requests/{request_id}", lambda story: story["state"] == "REJECTED")
    assert story["outcome"] == "CANCELLED"
    assert call(team, "POST", f"/requests/{request_id}/stop")[0] == 409


def test_what_is_wrong_is_a_problem_and_calls_without_a_signature_are_refused(team: Team) -> None:
    # Without routes nothing is known to be wrong with an order.
    team.route("any", team.app("any"))
    assert urllib3.request("GET", f"{team.cloud.api_url}/requests").status == 403
    assert urllib3.request("GET", f"{team.cloud.api_url}/badges/none.svg").status == 200
    for method, path, body, status in (
        ("GET", "/requests/nosuch", None, 404),
        ("GET", "/requests?limit=0", None, 422),
        ("GET", "/requests?next=x", None, 400),
        ("POST", "/requests", {"route": "nosuch"}, 403),
        ("POST", "/requests", {"operation": "start_job"}, 422),
    ):
        answered, problem, headers = call(team, method, path, body)
        assert (answered, problem["status"], headers["Content-Type"]) == (status, status, "application/problem+json")
