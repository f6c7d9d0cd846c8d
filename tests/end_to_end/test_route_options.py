"""What a route says of its jobs' lives: onTimeout, retry and supersede, from the delivery to the announcement."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import yaml

from amplify_jobs.following.answer import NOT_RETRIED
from tests.support.team import ROOT, Team


def counting(file: Path, succeeds_at: int) -> list[str]:
    """A build that succeeds from its n-th run on, counting in a file that outlives the build's own directory."""
    return [f"echo run >> '{file}'", f"test $(wc -l < '{file}') -ge {succeeds_at}", "echo hello > index.html"]


def events_of(team: Team, request_id: str) -> list[str]:
    return [event["detail-type"] for event in team.events if event["detail"]["requestId"] == request_id]


def check(detail: dict[str, object], detail_type: str) -> None:
    schema = ROOT / "docs" / "schemas" / f"{detail_type.lower().replace(' ', '-')}.json"
    jsonschema.validate(detail, yaml.safe_load(schema.read_text()))


def test_a_build_that_fails_is_started_again_until_it_succeeds(team: Team, tmp_path: Path) -> None:
    app_id = team.app("flaky", build=counting(tmp_path / "runs", succeeds_at=2))
    team.route("flaky", app_id, retry=2)
    request_id = team.accepted(team.push("flaky", message="Make it flaky"))

    finished = team.told(request_id)

    assert (finished["outcome"], finished["attempts"]) == ("SUCCEEDED", 2)
    assert (finished["job"]["jobId"], finished["job"]["jobType"]) == ("2", "RETRY")
    check(finished, "Job Finished")
    assert [job["jobType"] for job in team.jobs(app_id)] == ["RETRY", "RELEASE"]
    assert events_of(team, request_id) == ["Job Started", "Job Finished"]
    assert team.ended(request_id) == "SUCCEEDED"


def test_a_build_that_keeps_failing_is_announced_once_with_its_last_outcome(team: Team, tmp_path: Path) -> None:
    app_id = team.app("broken-for-good", build=counting(tmp_path / "runs", succeeds_at=9))
    team.route("broken-for-good", app_id, retry=2)
    request_id = team.accepted(team.push("broken-for-good"))

    finished = team.told(request_id)

    assert (finished["outcome"], finished["attempts"]) == ("FAILED", 3)
    assert finished["job"]["jobId"] == "3"
    assert len(team.jobs(app_id)) == 3
    assert events_of(team, request_id) == ["Job Started", "Job Finished"]
    _, text = team.message(request_id, "FAILED")
    assert "Attempts: 3" in text
    assert team.ended(request_id) == "SUCCEEDED"


def test_a_retry_for_transient_failures_repeats_no_other(team: Team, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    app_id = team.app(
        "unlucky",
        build=[
            f"echo run >> '{runs}'",
            # The first build can't reach a host, the second one is broken.
            f"test $(wc -l < '{runs}') -ge 2 || {{ echo 'curl: (6) Could not resolve host: r.example.com'; exit 6; }}",
            "exit 3",
        ],
    )
    team.route("unlucky", app_id, retry={"times": 3, "when": "transient"})
    request_id = team.accepted(team.push("unlucky"))

    finished = team.told(request_id)

    assert (finished["outcome"], finished["attempts"], len(team.jobs(app_id))) == ("FAILED", 2, 2)
    assert finished["failure"]["retryHelps"] is False
    assert NOT_RETRIED in finished["reason"]
    check(finished, "Job Finished")
    _, text = team.message(request_id, "FAILED")
    assert NOT_RETRIED in " ".join(text.split())
    assert team.ended(request_id) == "SUCCEEDED"


def test_a_failed_job_that_amplify_will_not_start_again_has_failed(team: Team) -> None:
    app_id = team.app("no-retry", build=["exit 3"])
    team.route("no-retry", app_id, retry=2)
    team.inject_fault(
        service="amplify",
        operation="StartJob",
        fault="refuse",
        code="BadRequestException",
        message="Not again",
        match={"jobType": "RETRY"},
    )
    request_id = team.accepted(team.push("no-retry"))

    finished = team.told(request_id)

    assert (finished["outcome"], finished["attempts"]) == ("FAILED", 1)
    assert "Not again" in finished["reason"]
    assert events_of(team, request_id) == ["Job Started", "Job Finished"]
    assert team.ended(request_id) == "SUCCEEDED"


def test_a_newer_push_stops_the_job_of_an_older_one(team: Team, tmp_path: Path) -> None:
    first = tmp_path / "first"
    # The first run hangs, the second ends.
    app_id = team.app("busy", build=[f"test -e '{first}' || {{ touch '{first}'; sleep 300; }}", "echo > index.html"])
    team.route("busy", app_id, supersede=True)
    older = team.accepted(team.push("busy", message="Older"))
    team.told(older, "Job Started")
    team.until(lambda: first.exists() or None, "the build of the older push did not begin")
    newer = team.accepted(team.push("busy", message="Newer"))

    # With no job before it on record, the first poll would come much later than this test waits.
    superseded = team.told(older)

    assert (superseded["outcome"], superseded["supersededBy"]) == ("CANCELLED", newer)
    assert newer in superseded["reason"]
    check(superseded, "Job Finished")
    assert team.told(newer)["outcome"] == "SUCCEEDED"
    assert [job["status"] for job in team.jobs(app_id)] == ["SUCCEED", "CANCELLED"]
    assert {team.ended(older), team.ended(newer)} == {"SUCCEEDED"}


def test_a_late_delivery_of_an_older_push_is_cancelled_and_stops_nothing(team: Team) -> None:
    app_id = team.app("late")
    team.route("late", app_id, supersede=True)
    older, newer = team.push("late", message="Older"), team.push("late", message="Newer")
    newer_id = team.accepted(newer)
    assert team.told(newer_id)["outcome"] == "SUCCEEDED"
    older_id = team.accepted(older)

    cancelled = team.told(older_id, "Job Rejected")

    assert (cancelled["outcome"], cancelled["supersededBy"]) == ("CANCELLED", newer_id)
    check(cancelled, "Job Rejected")
    subject, _ = team.message(older_id, "Cancelled")
    assert f"superseded by {newer_id}" in subject
    assert [job["status"] for job in team.jobs(app_id)] == ["SUCCEED"]
    assert team.ended(older_id) == "SUCCEEDED"
