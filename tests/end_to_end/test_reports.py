"""Reports, from a push to what the target received."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.team import Team

SECRETS = "/amplify-jobs/secrets/reports"
KEY = "whsec_bWFueSBieXRlcyB0aGF0IG5vYm9keSBrbm93cw=="
CHATS = ("slack", "teams", "discord", "google_chat", "mattermost")


@pytest.fixture(scope="module")
def reporting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team that reports to every kind of target, all of them stand-ins of the local cloud."""
    with Team.at_work(tmp_path_factory.mktemp("reports")) as team:
        base = f"{team.cloud.endpoint_url}/_local/reports"
        secrets = {"token": "t0ken-of-the-host", "webhook": KEY, **{chat: f"{base}/{chat}/s3cr3t" for chat in CHATS}}
        for name, value in secrets.items():
            team.session.client("ssm").put_parameter(Name=f"{SECRETS}/{name}", Type="SecureString", Value=value)
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
        yield team


def received(team: Team, name: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{team.cloud.endpoint_url}/_local/reports", headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [one for one in json.load(answer)["received"] if one["name"] == name]


def wait_for(team: Team, name: str, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = team.until(
        lambda: calls if len(calls := received(team, name)) >= count else None, f"{name} did not get {count} reports"
    )
    return found


def test_a_push_is_reported_to_every_kind_of_target(reporting: Team) -> None:
    team = reporting
    app_id = team.app("reported")
    team.route("reported", app_id)
    request_id = team.accepted(team.push("reported"))
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


def test_no_secret_is_in_a_log(reporting: Team) -> None:
    logs = "".join(path.read_text("utf-8", "replace") for path in log_files(reporting))
    for secret in ("t0ken-of-the-host", "s3cr3t", KEY):
        assert secret not in logs


def log_files(team: Team) -> list[Path]:
    return [path for path in team.cloud.state_dir.rglob("*.log") if path.is_file()]
