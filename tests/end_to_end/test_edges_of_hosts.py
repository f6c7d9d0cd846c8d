"""Deliveries at the edges of what hosts send, over HTTP: who is not trusted, what is unsigned, odd, or a draft."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from amplify_jobs_cli import cli
from tests.end_to_end.test_git_hosts import WORD, deliver
from tests.support.recorded_webhooks import secret_of, signed
from tests.support.team import Team

A, B, NO_COMMIT = "a" * 40, "b" * 40, "0" * 40
HOSTS = ("github", "gitea", "forgejo", "bitbucket-server", "standard")

Deliver = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def app_id(team: Team) -> str:
    return team.app("edges")


@pytest.fixture(scope="module")
def send(team: Team, app_id: str, tmp_path_factory: pytest.TempPathFactory) -> Deliver:
    """Sends a body to the source of a host, signed as that host signs unless `proof` says otherwise."""
    ssm = team.session.client("ssm")
    sources = {}
    for host in HOSTS:
        name = f"/amplify-jobs/secrets/{host}"
        ssm.put_parameter(Name=name, Type="SecureString", Value=secret_of(host, WORD), Overwrite=True)
        sources[host] = {"provider": host, "secrets": [name]}
    pulls = {"pull_request": {"repository": "acme/web", "targets": ["main"], "drafts": False}}
    pushes = {"push": {"repository": "acme/web", "branches": ["main"], "authors": ["nobody"], "paths": ["x/**"]}}
    waiting: dict[str, Any] = {f"pull-{host}": (host, pulls) for host in ("github", "gitea", "forgejo")}
    waiting |= {"main": ("bitbucket-server", {"push": {"repository": "acme/web", "branches": ["main"]}})}
    waiting |= {"named": ("github", pushes)}
    routes = {}
    for name, (host, when) in waiting.items():
        app = app_id if name == "named" else "d0nowhere"
        parameters = {"appId": app, "branchName": "main", "jobType": "RELEASE"}
        if name == "named":
            parameters["jobReason"] = "{message} by {author}"
        request = {"operation": "start_job", "parameters": parameters}
        routes[name] = {"source": host, "when": when, "request": request}
    file: Path = tmp_path_factory.mktemp("routes") / "routes.yaml"
    file.write_text(yaml.safe_dump({"sources": sources, "routes": routes}))
    assert cli.main(["routes", "push", str(file), "--yes"]) == 0
    for function in ("ReceiveWebhookFunction", "ReceiveEventFunction"):
        team.kill(function)
    webhooks = team.url.rpartition("/")[0]

    def sent(host: str, body: dict[str, Any], *, proof: dict[str, str] | None = None, **headers: str) -> Any:
        content = json.dumps(body).encode()
        if proof is None:
            proof = signed(host, secret_of(host, WORD), content, now=datetime.now(UTC), message_id=f"msg_{A}")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return deliver(f"{webhooks}/{host}", {"Content-Type": "application/json", **named, **proof}, content)

    return sent


def executions(team: Team) -> int:
    answer = team.stepfunctions.list_executions(stateMachineArn=team.outputs["stateMachineArn"], maxResults=1000)
    return len(answer["executions"])


def pull_request(action: str, *, draft: bool = False, head: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "action": action,
        "number": 8,
        "pull_request": {
            "title": "a change",
            "state": "open",
            "draft": draft,
            "updated_at": "2026-02-01T10:00:00Z",
            "user": {"login": "mallory"},
            "head": {"label": "feat", "ref": "feat", "sha": A, "repo": {"full_name": "acme/web"}, **(head or {})},
            "base": {"ref": "main", "repo": {"full_name": "acme/web"}},
        },
        "repository": {"full_name": "acme/web", "html_url": "https://git.example.com/acme/web"},
    }


def reasons(answer: dict[str, Any], route: str | None) -> str:
    return "; ".join(ignored["reason"] for ignored in answer["ignored"] if ignored["route"] == route)


@pytest.mark.parametrize("host", ["gitea", "forgejo"])
def test_a_pull_request_of_no_branch_is_not_trusted(team: Team, send: Deliver, host: str) -> None:
    before = executions(team)
    header = {f"X_{host.capitalize()}_Event": "pull_request"}
    agit = pull_request("opened", head={"label": "", "ref": "refs/pull/8/head"})

    status, answer = send(host, agit, **header)

    assert (status, answer["requests"], answer["events"][0]["pullRequest"]["fromFork"]) == (200, [], True)
    assert "comes from a fork" in reasons(answer, f"pull-{host}")
    assert executions(team) == before
    assert send(host, pull_request("opened"), **header)[0] == 202


def test_an_odd_ref_does_not_spoil_the_others_of_its_delivery(team: Team, send: Deliver) -> None:
    changes = [
        {"ref": {"id": "refs/tags/-v1"}, "fromHash": NO_COMMIT, "toHash": A, "type": "ADD"},
        {"ref": {"id": "refs/heads/main"}, "fromHash": B, "toHash": A, "type": "UPDATE"},
    ]
    body = {"changes": changes, "repository": {"slug": "web", "project": {"key": "acme"}}}

    status, answer = send("bitbucket-server", body, X_Event_Key="repo:refs_changed")

    assert (status, [request["route"] for request in answer["requests"]]) == (202, ["main"])
    assert "'refs/tags/-v1' is refused" in reasons(answer, None)
    empty = send("bitbucket-server", {**body, "changes": []}, X_Event_Key="repo:refs_changed")
    assert (empty[0], reasons(empty[1], None)) == (200, "the push lists no branch or tag that it changed")


def test_the_ping_of_test_connection_needs_no_signature_and_lets_nothing_else_in(team: Team, send: Deliver) -> None:
    before = executions(team)
    change = {"ref": {"id": "refs/heads/main"}, "fromHash": B, "toHash": A, "type": "UPDATE"}
    push = {"changes": [change], "repository": {"slug": "web", "project": {"key": "acme"}}}

    status, answer = send("bitbucket-server", {"test": True}, proof={}, X_Event_Key="diagnostics:ping")

    assert (status, [event["kind"] for event in answer["events"]]) == (200, ["ping"])
    assert (answer["requests"], answer["deferred"]) == ([], [])
    assert "main" not in json.dumps(answer)
    for body, key in (
        (push, "diagnostics:ping"),
        ({"test": True, **push}, "diagnostics:ping"),
        ({"test": True}, "repo:refs_changed"),
        (push, "repo:refs_changed"),
    ):
        assert send("bitbucket-server", body, proof={}, X_Event_Key=key)[0] == 401
    for host in ("github", "gitea", "forgejo", "standard"):
        assert send(host, {"test": True}, proof={}, X_Event_Key="diagnostics:ping")[0] == 401
    assert executions(team) == before


def test_an_unsigned_ping_waits_for_nothing(team: Team, send: Deliver) -> None:
    """Not even in the queue: what is not signed costs no more than its answer."""
    team.inject_fault(service="s3", operation="GetObject", fault="refuse", code="InternalError", message="No", times=50)
    team.kill("ReceiveWebhookFunction")

    status, answer = send("bitbucket-server", {"test": True}, proof={}, X_Event_Key="diagnostics:ping")

    assert (status, answer["deferred"]) == (200, [])


def test_a_draft_is_built_when_it_is_ready(team: Team, send: Deliver) -> None:
    header = {"X_GitHub_Event": "pull_request"}
    for action in ("opened", "synchronize", "converted_to_draft"):
        status, answer = send("github", pull_request(action, draft=True), **header)
        assert (status, answer["requests"]) == (200, [])
    assert send("github", pull_request("labeled"), **header)[0] == 200

    status, answer = send("github", pull_request("ready_for_review"), **header)

    assert (status, [request["route"] for request in answer["requests"]]) == (202, ["pull-github"])
    assert send("github", pull_request("ready_for_review"), **header)[1]["requests"][0]["duplicate"] is True


def test_a_request_starts_the_route_that_it_names_and_its_reason_is_passed_on(
    team: Team, send: Deliver, app_id: str
) -> None:
    why = "article 4711 was published"

    status, answer = send("standard", {"route": "named", "requestId": "edges-1", "reason": why})

    assert status == 202, answer
    (request,) = answer["requests"]
    finished = team.told(request["requestId"])
    assert (finished["outcome"], finished["cause"]["source"], finished["cause"]["reason"]) == (
        "SUCCEEDED",
        "standard",
        why,
    )
    assert f"\nAsked because: {why}\n" in team.message(request["requestId"], "SUCCEEDED")[1]
    sent = json.loads(team.execution(request["requestId"])["input"])
    assert sent["parameters"]["jobReason"] == why
    assert send("standard", {"route": "named", "reason": "x" * 256})[0] == 400
    # A git host may not ask for anything, and IAM lets in who invokes the function.
    assert send("github", {"route": "named"}, X_GitHub_Event="push")[0] == 400
    invoked = team.session.client("lambda").invoke(
        FunctionName=team.outputs["receiveEventFunctionArn"], Payload=json.dumps({"route": "named"}).encode()
    )
    assert [one["route"] for one in json.load(invoked["Payload"])["requests"]] == ["named"]
