"""Jobs that somebody else starts, on the local cloud: followed and announced like ours, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from amplify_jobs_cli import cli
from tests.support.team import Team


def follow(team: Team, tmp_path: Path, **content: Any) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(yaml.safe_dump({"routes": {}, **content}))
    assert cli.main(["routes", "push", str(file), "--yes", "--no-lookup"]) == 0
    team.kill("OnStatusChangeFunction")


def start(team: Team, app_id: str, branch: str = "main", **more: Any) -> str:
    """Start a job as a person does with the AWS CLI, and give its id."""
    started = team.amplify.start_job(appId=app_id, branchName=branch, jobType="RELEASE", **more)
    return str(started["jobSummary"]["jobId"])


def announced(team: Team, app_id: str) -> list[tuple[str, str, str]]:
    """What was told of the jobs of an app, in order."""
    team.collect()
    details = [(event["detail-type"], event["detail"]) for event in team.events]
    return [
        (kind, detail["job"]["branchName"], detail["job"]["jobId"])
        for kind, detail in details
        if detail.get("job", {}).get("appId") == app_id
    ]


def finished_job(team: Team, app_id: str, job_id: str) -> dict[str, Any]:
    def find() -> dict[str, Any] | None:
        team.collect()
        for event in team.events:
            detail = event["detail"]
            job = detail.get("job", {})
            if event["detail-type"] == "Job Finished" and (job.get("appId"), job.get("jobId")) == (app_id, job_id):
                return dict(detail)
        return None

    return team.until(find, f"nothing is told of the end of job {job_id} of {app_id}")


def test_without_routes_all_jobs_are_followed(team: Team) -> None:
    app_id = team.app("anybody", build=["exit 3"])
    job_id = start(team, app_id, commitMessage="Fix the header")

    finished = finished_job(team, app_id, job_id)

    assert (finished["outcome"], finished["route"], finished["job"]["appName"]) == ("FAILED", None, "anybody")
    cause = finished["cause"]
    assert (cause["source"], cause["kind"], cause["message"]) == ("amplify", "followed", "Fix the header")
    # Amplify names no commit for a job that builds the tip: the log does.
    assert cause["commit"] == finished["commitBuilt"] is not None
    assert finished["failure"]["command"] == "exit 3"
    subject, text = team.message(finished["requestId"], "FAILED")
    assert cause["commit"][:7] in subject
    for line in ("Triggered by: a git trigger of Amplify's, its console or its API", "Cause: ", "Fix the header"):
        assert line in text
    _, text = team.message(finished["requestId"], "Started")
    assert "job 1 started\n" in text
    assert announced(team, app_id) == [("Job Started", "main", "1"), ("Job Finished", "main", "1")]


def test_jobs_of_routes_are_announced_by_their_requests_alone(team: Team, tmp_path: Path) -> None:
    follow(team, tmp_path, follow=True)
    app_id = team.app("both")
    request_id = team.asks("start_job", {"appId": app_id, "branchName": "main", "jobType": "RELEASE"})
    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    job_id = start(team, app_id)
    assert finished_job(team, app_id, job_id)["cause"]["kind"] == "followed"
    assert announced(team, app_id) == [
        (kind, "main", job) for job in ("1", "2") for kind in ("Job Started", "Job Finished")
    ]


def test_lost_doubled_and_late_events_tell_of_a_job_once(team: Team, tmp_path: Path) -> None:
    follow(team, tmp_path, follow=True)
    app_id = team.app("events")
    match = {"appId": app_id}
    team.inject_fault(
        service="amplify", operation="StatusEvent", fault="lose", match={**match, "jobId": "1", "jobStatus": "STARTED"}
    )
    team.inject_fault(service="amplify", operation="StatusEvent", fault="duplicate", times=4, match=match)
    for job_id in ("1", "2"):
        assert start(team, app_id) == job_id
        assert finished_job(team, app_id, job_id)["outcome"] == "SUCCEEDED"
    assert announced(team, app_id) == [
        (kind, "main", job) for job in ("1", "2") for kind in ("Job Started", "Job Finished")
    ]


def test_only_the_branches_that_are_wanted_are_followed(team: Team, tmp_path: Path) -> None:
    app_id = team.app("some")
    follow(team, tmp_path, follow=[{"apps": [app_id], "branches": ["release/*"]}])
    start(team, app_id)
    job_id = start(team, app_id, "release/1")
    assert finished_job(team, app_id, job_id)["job"]["branchName"] == "release/1"
    assert {branch for _, branch, _ in announced(team, app_id)} == {"release/1"}


def test_a_followed_job_that_somebody_stops_is_cancelled(team: Team, tmp_path: Path) -> None:
    follow(team, tmp_path, follow=True)
    app_id = team.app("stopped", build=["sleep 300"])
    job_id = start(team, app_id)
    team.running_job(app_id)
    team.until(lambda: announced(team, app_id) or None, "the start of the job was not told")
    team.amplify.stop_job(appId=app_id, branchName="main", jobId=job_id)
    assert finished_job(team, app_id, job_id)["outcome"] == "CANCELLED"
