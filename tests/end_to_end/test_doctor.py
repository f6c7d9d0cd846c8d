"""`amplify-jobs doctor` on a running stack: what is broken is found, each fault alone, by those who may look."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs_cli import cli
from tests.support.team import MIRRORS, SECRET, SECRET_NAME, Team

pytestmark = pytest.mark.thorough

NO_EVENTS_YET = {"deliveries of github", "jobs API"}


def diagnose(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run it, and give the exit code and the findings that are no praise, by what was looked at."""
    capsys.readouterr()
    code = cli.main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    return code, {one["check"]: one for one in findings if one["verdict"] in ("problem", "warning")}


@pytest.fixture(scope="module")
def app_id(team: Team) -> str:
    return str(team.amplify.create_app(name="examined")["app"]["appId"])


def test_before_and_after_routes_are_pushed(team: Team, app_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, checks = diagnose(capsys)
    # The index of the jobs API knows nothing before the first event.
    assert (code, set(checks)) == (1, {"routes", "jobs API"})
    team.route("examined", app_id)
    code, checks = diagnose(capsys)
    assert (code, set(checks)) == (1, {"apps, branches and buckets"} | NO_EVENTS_YET)
    assert f"the app {app_id} has no branch main" in checks["apps, branches and buckets"]["text"]
    team.amplify.create_branch(appId=app_id, branchName="main", enableAutoBuild=False)
    code, checks = diagnose(capsys)
    assert (code, set(checks)) == (0, NO_EVENTS_YET)


def test_each_fault_is_found_alone(team: Team, app_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    ssm, events = team.session.client("ssm"), team.session.client("events")
    team.amplify.update_branch(appId=app_id, branchName="main", enableAutoBuild=True)
    assert "turn it off: aws amplify update-branch" in diagnose(capsys)[1].pop("auto-build")["advice"]
    team.amplify.update_branch(appId=app_id, branchName="main", enableAutoBuild=False)

    ssm.delete_parameter(Name=SECRET_NAME)
    assert SECRET_NAME in diagnose(capsys)[1]["secrets"]["text"]
    ssm.put_parameter(Name=SECRET_NAME, Type="SecureString", Value=SECRET)

    ssm.delete_parameter(Name="/amplify-jobs/sources/github")
    assert "github" in diagnose(capsys)[1]["schedules and copies of sources"]["text"]
    team.route("examined", app_id)

    team.route("mirrored", app_id, source="github", mirror={"to": "codecommit::nowhere"})
    names = ",".join(sorted({*MIRRORS, "nowhere"}))
    assert f"MirrorRepositories={names}" in diagnose(capsys)[1]["apps, branches and buckets"]["advice"]
    team.without("mirrored")

    events.disable_rule(Name="amplify-jobs-status-change")
    assert "disabled: amplify-jobs-status-change" in diagnose(capsys)[1]["rules"]["text"]
    events.enable_rule(Name="amplify-jobs-status-change")

    sqs = team.session.client("sqs")
    for output, queue in (
        ("deadLetterQueueUrl", "dead-letter queue"),
        ("intakeDeadLetterQueueUrl", "dead-letter queue of the intake queue"),
        ("reportDeadLetterQueueUrl", "dead-letter queue of the reports"),
        ("indexDeadLetterQueueUrl", "dead-letter queue of the index"),
    ):
        url = team.outputs[output]
        group: dict[str, Any] = {"MessageGroupId": "1", "MessageDeduplicationId": "1"} if url.endswith(".fifo") else {}
        sqs.send_message(QueueUrl=url, MessageBody="{}", **group)
        assert "1 message in it" in diagnose(capsys)[1][queue]["text"]


READERS_REFUSALS = {
    "schedules and copies of sources": "not authorized to perform: scheduler:ListSchedules",
    "secrets": "not authorized to perform: ssm:GetParameters",
    "apps, branches and buckets": "the IAM action amplify:ListBranches is not allowed",
    "rules": "these credentials need the permission events:ListRules",
}


@pytest.mark.parametrize(("policy", "refusals"), [("OperatorPolicy", {}), ("ReaderPolicy", READERS_REFUSALS)])
def test_what_may_not_be_read_is_named(
    team: Team,
    app_id: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    policy: str,
    refusals: dict[str, str],
) -> None:
    team.route("examined", app_id)
    for name, value in team.cloud.credentials(policy).variables().items():
        monkeypatch.setenv(name, value)
    capsys.readouterr()
    cli.main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    unread = {one["check"]: one["text"] for one in findings if one["verdict"] == "unknown"}
    assert set(unread) - {"alarms", "jobs API", "deliveries"} == refusals.keys()
    assert all(text in unread[check] for check, text in refusals.items())
