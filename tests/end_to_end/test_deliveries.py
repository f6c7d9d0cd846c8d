"""What is not a push to build: each gets its status, its reason, and starts nothing."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from amplify_jobs.events.webhooks.github import sign
from tests.support.team import SECRET, Team

NO_COMMIT = "0" * 40


@pytest.fixture(scope="module")
def app_id(team: Team) -> str:
    app_id = team.app("gate")
    team.route("gate", app_id)
    return app_id


def executions(team: Team) -> int:
    answer = team.stepfunctions.list_executions(stateMachineArn=team.outputs["stateMachineArn"], maxResults=1000)
    return len(answer["executions"])


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"X-Hub-Signature-256": ""}, "X-Hub-Signature-256"),
        ({"X-Hub-Signature-256": sign("another", b"{}")}, "secret"),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, "secret"),
        ({"X-Hub-Signature-256": "sha1=" + "0" * 40}, "sha256="),
        ({"X-Hub-Signature-256": "sha256=" + "g" * 64}, "hexadecimal"),
        ({"X-Hub-Signature-256": "sha256="}, "hexadecimal"),
        ({"X-Hub-Signature-256": "sha256=\u00e9".encode().decode("latin-1")}, "sha256="),
    ],
)
def test_a_signature_that_is_not_right_is_401(team: Team, app_id: str, headers: dict[str, str], word: str) -> None:
    before = executions(team)

    status, answer = team.deliver(team.push("gate"), headers=headers)

    assert status == 401
    assert word in answer["message"]
    assert executions(team) == before


def test_a_doubled_signature_is_401(team: Team, app_id: str) -> None:
    body = team.push("gate")
    twice = f"{sign(SECRET, body)},{sign(SECRET, body)}"

    # An HTTP API joins headers that come twice with a comma.
    assert team.deliver(body, headers={"X-Hub-Signature-256": twice})[0] == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b'{"ref": "refs/heads/main", "ref": "refs/heads/other"}', 400),
        (b'{"ref": NaN}', 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (gzip.compress(b"{}", mtime=0), 400),
        (b"x" * (5 * 1024 * 1024 + 1), 413),
        (b"x" * (10 * 1024 * 1024 + 1), 413),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else str(value),
)
def test_a_body_that_is_no_push_is_refused(team: Team, app_id: str, body: bytes, status: int) -> None:
    before = executions(team)

    answered, answer = team.deliver(body)

    assert answered == status
    assert answer["message"]
    assert "Traceback" not in str(answer)
    assert executions(team) == before


def test_a_body_of_bytes_is_verified_as_it_was_sent(team: Team, app_id: str) -> None:
    body = json.dumps(json.loads(team.push("gate")), ensure_ascii=False, indent=1).encode()

    # An HTTP API hands a body of this type over in base64.
    status, answer = team.deliver(body, headers={"Content-Type": "application/octet-stream"})

    assert (status, len(answer["requests"])) == (202, 1)


def test_an_unknown_source_is_404(team: Team, app_id: str) -> None:
    status, answer = team.deliver(team.push("gate"), url=f"{team.cloud.api_url}/webhooks/elsewhere")

    assert status == 404
    assert "no source" in answer["message"]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"deleted": True, "after": NO_COMMIT, "head_commit": None}, "delete"),
        ({"ref": "refs/tags/v1"}, "tag"),
        ({"ref": "refs/heads/feature"}, "branch"),
        ({"repository": {"full_name": "acme/other"}}, "repository"),
    ],
)
def test_a_push_that_no_route_builds_is_answered_with_the_reason(
    team: Team, app_id: str, members: dict[str, Any], reason: str
) -> None:
    before = executions(team)

    status, answer = team.deliver(team.push("gate", **members))

    assert status == 200
    assert answer["requests"] == []
    assert any(reason in ignored["reason"] for ignored in answer["ignored"] if ignored["route"] in ("gate", None))
    assert executions(team) == before


def test_a_skip_marker_in_the_head_commit_is_honoured(team: Team, app_id: str) -> None:
    status, answer = team.deliver(team.push("gate", message="Words only [skip ci]"))

    assert (status, answer["requests"]) == (200, [])


def test_a_ping_is_answered(team: Team, app_id: str) -> None:
    status, answer = team.deliver(b'{"zen": "Keep it logically awesome.", "hook_id": 1}', event="ping")

    assert (status, [event["kind"] for event in answer["events"]]) == (200, ["ping"])


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ssm", "GetParameters", "InternalServerError"),
        ("ssm", "GetParameters", "AccessDeniedException"),
    ],
)
def test_without_secrets_it_waits_unverified_and_a_second_delivery_is_no_second_job(
    team: Team, app_id: str, service: str, operation: str, code: str
) -> None:
    body = team.push("gate")
    # A fresh process has no secrets to fall back on.
    team.kill("ReceiveWebhookFunction")
    team.inject_fault(service=service, operation=operation, fault="refuse", code=code, message="No", times=20)

    before = executions(team)
    # What nobody signed waits as well, and starts nothing.
    for headers in ({}, {"X-Hub-Signature-256": "sha256=" + "0" * 64}):
        status, answer = team.deliver(body, headers=headers)
        assert (status, [delivery["kind"] for delivery in answer["deferred"]]) == (202, ["delivery"])
        assert code not in json.dumps(answer)

    team.clear_faults()
    team.until(lambda: executions(team) > before or None, "the delivery was not processed")
    status, answer = team.deliver(body)
    assert (status, answer["requests"][0]["duplicate"]) == (202, True)
    assert executions(team) == before + 1


def test_stale_routes_serve_while_the_bucket_does_not_answer(team: Team, app_id: str) -> None:
    team.accepted(team.push("gate"))
    team.inject_fault(service="s3", operation="GetObject", fault="refuse", code="InternalError", message="No", times=50)

    assert team.deliver(team.push("gate"))[0] == 202


def test_a_lost_answer_of_start_execution_is_no_second_execution(team: Team, app_id: str) -> None:
    before = executions(team)
    team.inject_fault(service="states", operation="StartExecution", fault="lose-answer")

    status, answer = team.deliver(team.push("gate"))

    assert status == 202
    assert answer["requests"][0]["duplicate"] is False
    assert executions(team) == before + 1
