"""The jobs API on the local cloud: a push is found, told, retried and replayed, with AWS's signature alone."""

from __future__ import annotations

from typing import Any

import urllib3

from tests.support.signed_calls import call
from tests.support.team import Team


def test_a_push_is_found_told_retried_and_replayed(team: Team) -> None:
    app_id = team.app("seen")
    team.route("seen", app_id)
    request_id = team.accepted(team.push("seen"))
    team.told(request_id)

    def finished() -> Any:
        status, told, _ = call(team, "GET", f"/requests/{request_id}")
        return told if status == 200 and told["state"] == "FINISHED" else None

    told = team.until(finished, "the request did not finish in the index")
    assert (told["outcome"], told["appName"], told["isLive"]) == ("SUCCEEDED", "seen", True)
    assert [step["status"] for step in told["steps"]]
    _, page, headers = call(team, "GET", "/requests?app=seen&limit=5")
    assert [item["requestId"] for item in page["items"]] == [request_id]
    assert call(team, "GET", "/requests?app=seen&limit=5", tag=headers["ETag"])[0] == 304
    _, log, _ = call(team, "GET", f"/requests/{request_id}/log")
    assert log["complete"]
    assert told["commitBuilt"] in log["text"]
    _, delivery, _ = call(team, "GET", f"/deliveries/{told['event']['deliveryId']}")
    assert request_id in [decision["requestId"] for decision in delivery["decisions"]]
    _, branches, _ = call(team, "GET", "/branches")
    assert told["commitBuilt"] in [branch["live"]["commit"] for branch in branches["items"] if branch["live"]]
    made = [
        call(team, "POST", f"/requests/{request_id}/{order}", {"reason": "again"})[1] for order in ("retry", "replay")
    ]
    made.append(call(team, "POST", "/requests", {"route": "seen", "branch": "main"})[1])
    assert len({request_id, *(each["requestId"] for each in made)}) == 4
    for each in made:
        assert team.told(each["requestId"])["outcome"] == "SUCCEEDED"


def test_what_is_wrong_is_a_problem_and_calls_without_a_signature_are_refused(team: Team) -> None:
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
