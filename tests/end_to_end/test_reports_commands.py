"""`amplify-jobs reports` with an operator's rights: what is checked, resumed and sent again, on the local cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_jobs_cli import cli
from tests.support.report_calls import fail_next, of_request, received, until_all_are_handled
from tests.support.team import ROOT, Team

SECRETS = "/amplify-jobs/secrets/checked"
KEY = "whsec_bWFueSBieXRlcyB0aGF0IG5vYm9keSBrbm93cw=="
# Reports that wait for a secret would wait for days.
NO_APP: dict[str, Any] = {"when": {"apps": ["d9z9z9z9z9z9"]}}
COMMIT = "3f1c9a7be2d04c55a6e0b1c2d3e4f5a6b7c8d9e0"


@pytest.fixture(scope="module")
def checked(team: Team) -> Team:
    """A team whose targets work, but for one with a line break in its secret and one without a secret."""
    base = f"{team.cloud.endpoint_url}/_local/reports"
    values = {"token": "t0ken", "key": KEY, "slack": f"{base}/slack/s3cr3t", "discord": f"{base}/discord/s3cr3t\n"}
    for name, value in values.items():
        team.session.client("ssm").put_parameter(Name=f"{SECRETS}/{name}", Type="SecureString", Value=value)
    host = {"source": "github", "api": f"{base}/github", "token": f"{SECRETS}/token"}
    team.reports = {
        "statuses": {"kind": "commit_status", **host},
        "team": {"kind": "slack", "webhook": f"{SECRETS}/slack"},
        "hook": {"kind": "webhook", "url": f"{base}/hook/jobs", "secret": f"{SECRETS}/key"},
        "chat": {"kind": "amazon_q"},
        "broken": {"kind": "discord", "webhook": f"{SECRETS}/discord", **NO_APP},
        "empty": {"kind": "teams", "webhook": f"{SECRETS}/none", **NO_APP},
    }
    team.route("checked", team.app("checked"))
    return team


@pytest.fixture(autouse=True)
def _operator(checked: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in checked.cloud.credentials("OperatorPolicy").variables().items():
        monkeypatch.setenv(name, value)


def refused(team: Team) -> list[str]:
    shown = team.cloud.authorization.report()["roles"]["amplify-jobs-OperatorPolicy"]["accesses"]
    return [f"{one['action']} on {one['resource']}" for one in shown if one["decision"] != "allowed"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert cli.main(["reports", *arguments, "--json"]) == code, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


def test_each_target_is_checked(checked: Team, capsys: pytest.CaptureFixture[str]) -> None:
    targets = {one["target"]: one for one in run(capsys, "check", code=1)["targets"]}
    assert {name for name, one in targets.items() if not one["works"]} == {"broken", "empty"}
    assert [one["check"] for one in targets["statuses"]["checks"]] == ["secret", "token", "repository"]
    assert [f"{one['check']} {one['result']}" for one in targets["chat"]["checks"]] == ["topic ok", "channel doubt"]
    (broken,), (empty,) = targets["broken"]["checks"], targets["empty"]["checks"]
    assert (broken["parameter"], broken["result"]) == (f"{SECRETS}/discord", "fault")
    assert "line break" in broken["message"]
    assert "routes push" in empty["remedy"]
    assert received(checked, None) == []
    assert cli.main(["reports", "check", "--target", "statuses"]) == 0
    assert "repository: acme/checked is accepted" in capsys.readouterr().out
    assert cli.main(["reports", "check", "--target", "statsues"]) == 1
    assert "there is no target statsues; use statuses" in capsys.readouterr().err
    assert refused(checked) == []


def test_a_test_report_is_sent_to_each(checked: Team, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("check", "--send", "--repository", "acme/checked", "--commit", COMMIT)
    targets = {one["target"]: one["checks"][-1] for one in run(capsys, *arguments, code=1)["targets"]}
    assert [targets[name]["check"] for name in ("statuses", "team", "hook", "chat")] == ["report"] * 4
    assert [targets[name]["result"] for name in ("statuses", "team", "hook", "chat")] == ["ok"] * 4
    assert "HTTP 200: ok" in targets["team"]["message"]
    (status,) = received(checked, "github")
    assert status["content"]["context"] == "amplify-jobs/test"
    fail_next(checked, "hook", status=503)
    (hook,) = run(capsys, "check", "--send", "--target", "hook", code=1)["targets"]
    assert "HTTP 503" in hook["checks"][-1]["message"]
    assert cli.main(["reports", "check", "--commit", COMMIT]) == 1
    assert "use them with --send" in capsys.readouterr().err


def test_a_target_that_wants_no_more_is_stopped_resumed_and_gets_what_it_missed(
    checked: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    team = checked
    fail_next(team, "hook", status=410)
    request_id = team.accepted(team.push("checked"))
    team.told(request_id)

    def stopped() -> str | None:
        shown = {one["target"]: one["stopped"] for one in run(capsys, "list")["targets"]}
        assert shown["statuses"] is None
        reason: str | None = shown["hook"]
        return reason

    assert team.until(stopped, "410 did not stop the target") == "HTTP 410"
    until_all_are_handled(team)
    assert not [one for one in of_request(received(team, "hook"), request_id) if one["status"] == 201]
    (hook,) = run(capsys, "check", "--target", "hook", code=1)["targets"]
    assert "reports resume hook" in hook["checks"][0]["remedy"]
    run(capsys, "resume", "hook")
    assert cli.main(["reports", "resume", "hook"]) == 1
    assert "is not stopped" in capsys.readouterr().err
    statuses = len(received(team, "github"))
    assert run(capsys, "replay", "hook", "--since", "1h")["replay"].startswith("reports.hook.")

    def accepted() -> list[str]:
        calls = [one for one in of_request(received(team, "hook"), request_id) if one["status"] == 201]
        return [one["content"]["type"] for one in calls]

    team.until(lambda: "job.finished" in accepted() or None, "the target did not get the end that it missed")
    until_all_are_handled(team)
    # EventBridge replays events in any order, and an older report than what the target has is dropped.
    assert accepted() in (["job.started", "job.finished"], ["job.finished"])
    assert len(received(team, "github")) == statuses
    assert refused(team) == []


def test_reports_that_were_given_up_are_sent_again(checked: Team, capsys: pytest.CaptureFixture[str]) -> None:
    team = checked
    sqs, url = team.session.client("sqs"), str(team.cloud.physical_id("ReportDeadLetterQueue"))
    example = json.loads((ROOT / "events" / "send_report.json").read_text())["Records"][0]
    body = json.loads(example["body"]) | {"target": "team"}
    for number in range(3):
        body["detail"]["requestId"] = f"given-up-{number}"
        more: Any = {"MessageGroupId": f"group-{number}", "MessageDeduplicationId": f"given-up-{number}"}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({**body, "subject": f"given-up-{number}"}), **more)
    sqs.send_message(QueueUrl=url, MessageBody="nonsense", MessageGroupId="x", MessageDeduplicationId="nonsense")
    dead = run(capsys, "list")["deadReports"]
    assert sorted(str(one["requestId"]) for one in dead) == ["None", "given-up-0", "given-up-1", "given-up-2"]
    assert run(capsys, "replay", "hook")["reports"] == []
    assert len(run(capsys, "replay")["reports"]) == 3

    def all_there() -> bool | None:
        calls = received(team, "slack")
        return all(of_request(calls, f"given-up-{number}") for number in range(3)) or None

    team.until(all_there, "the reports were not sent again")
    assert [one["target"] for one in run(capsys, "list")["deadReports"]] == [None]
    assert refused(team) == []


@pytest.mark.thorough
def test_repositories_in_which_the_stack_may_not_comment_are_told(
    checked: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    checked.reports["comments"] = {"kind": "codecommit_comment", **NO_APP}
    for name in ("commented", "private"):
        when = {"push": {"repository": name, "branches": ["main"]}}
        checked.route(name, checked.app(name), source="aws.codecommit", when=when)
    (target,) = run(capsys, "check", "--target", "comments", code=1)["targets"]
    (right, *looked) = target["checks"]
    assert (right["check"], right["result"]) == ("right", "fault")
    assert "in private" in right["message"]
    assert "CommentRepositories" in right["remedy"]
    # An operator has no rights in CodeCommit.
    assert [one["result"] for one in looked] == ["unknown", "unknown"]
