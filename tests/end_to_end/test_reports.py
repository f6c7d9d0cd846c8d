"""Reports, from a push to what the target received."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from demo.repository import git
from tests.support.report_calls import (
    HeldBuild,
    fail_next,
    of_request,
    received,
    until_all_are_handled,
    until_reported,
    wait_for,
)
from tests.support.team import Team

SECRETS = "/amplify-jobs/secrets/reports"
KEY = "whsec_bWFueSBieXRlcyB0aGF0IG5vYm9keSBrbm93cw=="
CHATS = ("slack", "teams", "discord", "google_chat", "mattermost")


@pytest.fixture(scope="module")
def reporting(team: Team) -> Team:
    """A team that reports to every kind of target, all of them stand-ins of the local cloud."""
    base = f"{team.cloud.endpoint_url}/_local/reports"
    secrets = {"token": "t0ken-of-the-host", "webhook": KEY, **{chat: f"{base}/{chat}/s3cr3t" for chat in CHATS}}
    for name, value in secrets.items():
        team.session.client("ssm").put_parameter(
            Name=f"{SECRETS}/{name}", Type="SecureString", Value=value, Overwrite=True
        )
    host = {"source": "github", "api": f"{base}/github", "token": f"{SECRETS}/token"}
    team.reports = {
        "statuses": {"kind": "commit_status", **host},
        **{chat.replace("_", "-"): {"kind": chat, "webhook": f"{SECRETS}/{chat}"} for chat in CHATS},
        "bot": {
            "kind": "slack_bot",
            "token": f"{SECRETS}/token",
            "channel": "C0123456789",
            "api": f"{base}/slack_bot",
        },
        "hook": {"kind": "webhook", "url": f"{base}/hook/jobs", "secret": f"{SECRETS}/webhook"},
        "failures": {
            "kind": "webhook",
            "url": f"{base}/failures/jobs",
            "secret": f"{SECRETS}/webhook",
            "when": {"outcomes": ["FAILED"], "phases": ["finished"]},
        },
    }
    return team


def test_a_push_is_reported_to_every_kind_of_target(reporting: Team, tmp_path: Path) -> None:
    team, build = reporting, HeldBuild(tmp_path / "reported")
    app_id = team.app("reported", build=build.commands)
    team.route("reported", app_id)
    request_id = team.accepted(team.push("reported"))
    wait_for(team, "github", 1)
    until_reported(team, request_id, *CHATS, "slack_bot", "hook")
    build.release()
    assert team.told(request_id)["outcome"] == "SUCCEEDED"
    statuses = wait_for(team, "github", 2)
    assert [one["content"]["state"] for one in statuses] == ["pending", "success"]
    assert {one["content"]["context"] for one in statuses} == {"amplify-jobs/reported"}
    assert {one["status"] for one in statuses} == {201}
    for chat in (*CHATS, "hook"):
        calls = wait_for(team, chat, 2)
        assert len(calls) == 2, chat
    assert [one["content"]["type"] for one in received(team, "hook")] == ["job.started", "job.finished"]
    assert [one["method"] for one in received(team, "discord")] == ["POST", "PATCH"]
    # Posted, updated, and told in the thread.
    bot = wait_for(team, "slack_bot", 3)
    assert [one["path"] for one in bot] == ["/chat.postMessage", "/chat.update", "/chat.postMessage"]
    assert bot[2]["content"]["thread_ts"] == bot[1]["content"]["ts"]
    assert received(team, "failures") == []


@pytest.mark.thorough
def test_a_target_that_fails_for_a_while_gets_each_report_once_and_in_order(reporting: Team, tmp_path: Path) -> None:
    team, build = reporting, HeldBuild(tmp_path / "failed")
    team.route("fails", team.app("fails", build=build.commands))
    push = team.push("fails")
    commit = json.loads(push)["after"]
    fail_next(team, "github", status=503, times=1)
    fail_next(team, "hook", status=429, times=1, headers={"retry-after": "1"})
    request_id = team.accepted(push)

    def statuses_of_commit() -> list[dict[str, Any]]:
        return [one for one in received(team, "github") if commit in one["path"]]

    team.until(lambda: statuses_of_commit() or None, "no status")
    until_reported(team, request_id, "hook")
    build.release()
    team.told(request_id)

    def ended() -> list[dict[str, Any]] | None:
        calls = statuses_of_commit()
        return calls if calls and calls[-1]["content"]["state"] == "success" else None

    statuses = team.until(ended, "the status never became success")
    until_all_are_handled(team)
    # The end, which came while the start waited, did not overtake it.
    assert [(one["content"]["state"], one["status"]) for one in statuses] == [
        ("pending", 503),
        ("pending", 201),
        ("success", 201),
    ]
    hooked = of_request(received(team, "hook"), request_id)
    assert [(one["content"]["type"], one["status"]) for one in hooked] == [
        ("job.started", 429),
        ("job.started", 201),
        ("job.finished", 201),
    ]


@pytest.mark.thorough
def test_a_report_whose_answer_was_lost_is_sent_again_and_told_apart_by_its_id(reporting: Team, tmp_path: Path) -> None:
    team, build = reporting, HeldBuild(tmp_path / "lost")
    team.route("lost", team.app("lost", build=build.commands))
    fail_next(team, "discord")
    request_id = team.accepted(team.push("lost"))
    until_reported(team, request_id, "discord")
    build.release()
    team.told(request_id)
    team.until(
        lambda: of_request(received(team, "discord"), request_id)[2:] or None, "Discord did not get three reports"
    )
    until_all_are_handled(team)
    calls = of_request(received(team, "discord"), request_id)
    # Discord has no key by which it could know the message again; the one that is known is changed.
    assert [(one["method"], one["status"]) for one in calls] == [("POST", None), ("POST", 201), ("PATCH", 200)]


@pytest.mark.thorough
def test_a_target_that_refuses_the_token_is_stopped_and_people_are_told_once(reporting: Team, tmp_path: Path) -> None:
    team, build = reporting, HeldBuild(tmp_path / "stopped")
    team.reports["strict"] = {
        "kind": "commit_status",
        "source": "github",
        "api": f"{team.cloud.endpoint_url}/_local/reports/strict",
        "token": f"{SECRETS}/token",
        "when": {"routes": ["stopped"]},
    }
    team.route("stopped", team.app("stopped", build=build.commands))
    # The first notice fails for all tries of its client; the report comes again, and with it the notice.
    fail_next(team, "strict", status=401, times=2)
    notice = {"Subject": "Reports stopped: strict"}
    team.inject_fault(
        service="sns",
        operation="Publish",
        fault="refuse",
        code="InternalError",
        message="No",
        status=500,
        times=3,
        match=notice,
    )

    def until_others_are_told(count: int) -> None:
        team.until(
            lambda: [one for one in received(team, "github") if "/acme/stopped/" in one["path"]][count - 1 :] or None,
            "the other target did not get its reports",
        )

    for reports in (1, 3):
        build.hold()
        request_id = team.accepted(team.push("stopped"))
        until_others_are_told(reports)
        build.release()
        team.told(request_id)
        until_others_are_told(reports + 1)
    until_all_are_handled(team)
    # No further call, though the stand-in would have taken the others.
    assert [one["status"] for one in received(team, "strict")] == [401, 401]
    team.collect()
    notices = [text for subject, text in team.messages if subject == "Reports stopped: strict"]
    assert len(notices) == 1
    assert "HTTP 401" in notices[0]
    assert "t0ken" not in notices[0]


def test_a_failing_build_is_told_with_its_cause_everywhere_and_its_log_is_kept_without_secrets(reporting: Team) -> None:
    team = reporting
    secrets = ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "v3ry-private-value", "AKIAIOSFODNN7EXAMPLE")
    commands = [
        f"echo token {secrets[0]} and $API_SECRET",
        f"echo {secrets[2]}; echo 'npm error code ERESOLVE' >&2; exit 1",
    ]
    app_id = team.app("breaks", build=commands)
    team.amplify.update_app(appId=app_id, environmentVariables={"API_SECRET": secrets[1]})
    team.route("breaks", app_id)
    request_id = team.accepted(team.push("breaks"))
    finished = team.told(request_id)
    failure = finished["failure"]
    assert finished["outcome"] == "FAILED"
    assert failure["cause"] == "peer-dependency-conflict"
    assert failure["summary"]
    assert failure["advice"]
    assert "ERESOLVE" in failure["command"]
    _, text = team.message(request_id, "FAILED")
    for words in (failure["summary"], failure["advice"], failure["command"]):
        assert words.split("\n")[0] in text
    log = team.stored(failure["log"]).decode()
    assert "npm error code ERESOLVE" in log
    (status,) = team.until(
        lambda: [one for one in received(team, "github") if (one["content"] or {}).get("state") == "failure"] or None,
        "no failure",
    )
    assert failure["summary"][:40] in status["content"]["description"]
    assert len(status["content"]["description"]) <= 140
    (only,) = team.until(lambda: of_request(received(team, "failures"), request_id) or None, "failures got nothing")
    assert only["content"]["data"]["failure"] == failure
    until_all_are_handled(team)
    everything = [log, text, json.dumps(finished), json.dumps(received(team, None))]
    for secret in secrets:
        assert not [part for part in everything if secret in part], secret


def test_hostile_texts_format_link_and_mention_nothing(reporting: Team, tmp_path: Path) -> None:
    team, build = reporting, HeldBuild(tmp_path / "hostile")
    branch = "release/<!here>@everyone"
    app_id = team.app("hostile", build=build.commands)
    repository = Path(team.amplify.get_app(appId=app_id)["app"]["repository"])
    git("branch", branch, "main", cwd=repository)
    team.amplify.create_branch(appId=app_id, branchName=branch)
    team.route("hostile", app_id)
    text = "<!channel> <@U1> @here **b** [x](https://evil.example) \u202egnp.exe <b onclick=x> " + "long " * 2_000
    request_id = team.accepted(team.push("hostile", message=text, ref=f"refs/heads/{branch}"))
    until_reported(team, request_id, *CHATS, "slack_bot", "hook")
    build.release()
    finished = team.told(request_id)
    assert finished["job"]["branchName"] == branch
    until_all_are_handled(team)
    for chat in (*CHATS, "slack_bot", "hook"):
        calls = of_request(received(team, chat), request_id)
        assert {one["status"] for one in calls} <= {200, 201, 202}, chat
        assert len(calls) >= 2, chat
        for one in calls:
            shown = json.dumps(one["content"], ensure_ascii=False)
            assert "\u202e" not in shown
            assert len(shown) < 28_000
    slack = json.dumps(of_request(received(team, "slack"), request_id)[-1]["content"])
    assert "&lt;!channel&gt;" in slack
    assert "<!" not in slack
    assert "<@" not in slack
    (discord,) = of_request(received(team, "discord"), request_id)[-1:]
    assert discord["content"]["allowed_mentions"] == {"parse": []}
    (mattermost,) = of_request(received(team, "mattermost"), request_id)[-1:]
    assert "@here" not in mattermost["content"]["text"]
    assert "@everyone" not in mattermost["content"]["text"]
    assert "](https://evil" not in mattermost["content"]["text"]
    google = json.dumps(of_request(received(team, "google_chat"), request_id)[-1]["content"]["cardsV2"])
    assert "<b" not in google


def test_an_app_reports_with_tokens_of_its_installation(reporting: Team, tmp_path: Path) -> None:
    team, build = reporting, HeldBuild(tmp_path / "by-app")
    base, app, key = f"{team.cloud.endpoint_url}/_local/reports", "Iv23liAbCdEf", f"{SECRETS}/app"
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    put = urllib.request.Request(f"{base}/apps/{app}", public, method="PUT")
    urllib.request.urlopen(put, timeout=10).close()
    team.session.client("ssm").put_parameter(Name=key, Type="SecureString", Value=pem)
    team.reports["app"] = {
        "kind": "commit_status",
        "source": "github",
        "api": f"{base}/github",
        "app": app,
        "key": key,
        "context": "app/{route}",
    }
    team.route("by-app", team.app("by-app", build=build.commands))
    team.accepted(team.push("by-app"))

    def first(count: int) -> list[dict[str, Any]] | None:
        entries = [one for one in received(team, "github") if (one["content"] or {}).get("context") == "app/by-app"]
        return entries if len(entries) == count else None

    team.until(lambda: first(1), "the App's first status did not come")
    build.release()
    statuses = team.until(lambda: first(2), "the App's statuses did not come")
    assert [(one["content"]["state"], one["status"]) for one in statuses] == [("pending", 201), ("success", 201)]
    logs = "".join(path.read_text("utf-8", "replace") for path in log_files(team))
    assert not re.search(r"ghs_|eyJ[A-Za-z0-9]|PRIVATE KEY", logs)


def test_no_secret_is_in_a_log(reporting: Team) -> None:
    logs = "".join(path.read_text("utf-8", "replace") for path in log_files(reporting))
    for secret in ("t0ken-of-the-host", "s3cr3t", KEY):
        assert secret not in logs


def log_files(team: Team) -> list[Path]:
    return [path for path in team.cloud.state_dir.rglob("*.log") if path.is_file()]
