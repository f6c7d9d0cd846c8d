"""Every git host's recorded push, signed as that host signs, over HTTP to an execution and its announcement."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from amplify_jobs_cli import cli
from tests.support.recorded_webhooks import NOT_HERE, SHARED, corpus_body, rows, secret_of, signed
from tests.support.team import Team

WORD = "It's a Secret to Everybody"
# It has a plain token instead of a signing token, and sends no id.
OLD_GITLAB = "old-gitlab"


def pushes() -> dict[str, dict[str, Any]]:
    """One recorded push of a branch of each host."""
    rows_by_provider: dict[str, dict[str, Any]] = {}
    for row in rows():
        events = row["expected_events"]
        if row["provider"] != "codecommit" and len(events) == 1 and _builds(events[0]):
            rows_by_provider.setdefault(row["provider"], row)
    return rows_by_provider


def _builds(event: dict[str, Any]) -> bool:
    return event["kind"] == "push" and not event["deleted"] and bool(event["commit"])


PUSHES = pushes() if SHARED.exists() else {}


@pytest.fixture(scope="module")
def sources(team: Team, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A source and a route for each host; the app is unknown, so every request ends as rejected and announced."""
    ssm = team.session.client("ssm")
    routes: dict[str, Any] = {"sources": {}, "routes": {}}
    for host in [*PUSHES, "standard", OLD_GITLAB]:
        name = f"/amplify-jobs/secrets/{host}"
        secret = WORD if host == OLD_GITLAB else secret_of(host, WORD)
        ssm.put_parameter(Name=name, Type="SecureString", Value=secret, Overwrite=True)
        routes["sources"][host] = {"provider": "gitlab" if host == OLD_GITLAB else host, "secrets": [name]}
        if host == "standard":
            # Its body asks for a job outright, or names a route.
            continue
        routes["routes"][f"any-{host}"] = {
            "source": host,
            "when": {"push": {"repository": "**"}},
            "request": {
                "operation": "start_job",
                "parameters": {"appId": "d0nowhere", "branchName": "{branch}", "jobType": "RELEASE"},
            },
        }
    file: Path = tmp_path_factory.mktemp("routes") / "routes.yaml"
    file.write_text(yaml.safe_dump(routes))
    assert cli.main(["routes", "push", str(file), "--yes", "--no-lookup"]) == 0
    team.kill("ReceiveWebhookFunction")
    return team.url.rpartition("/")[0]


def deliver(url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.skipif(not PUSHES, reason=NOT_HERE)
@pytest.mark.parametrize("host", sorted(PUSHES))
def test_a_push_at_any_host_becomes_a_request(team: Team, sources: str, host: str) -> None:
    row = PUSHES[host]
    body = corpus_body(row["file"])
    proof = signed(host, secret_of(host, WORD), body, now=datetime.now(UTC))
    unsigned = {name: value for name, value in row["headers"].items() if name.lower() not in {n.lower() for n in proof}}

    assert deliver(f"{sources}/{host}", unsigned, body)[0] == 401
    status, answer = deliver(f"{sources}/{host}", {**unsigned, **proof}, body)

    assert status == 202, answer
    (expected,) = row["expected_events"]
    (event,) = answer["events"]
    assert (event["repository"], event["branch"], event["commit"]) == (
        expected["repo_full_name"],
        expected["branch"],
        expected["commit"],
    )
    (request,) = answer["requests"]
    assert "not found" in team.told(request["requestId"], "Job Rejected")["reason"]


# A branch is moved to and fro, deleted and made again, and moved once more: (before, after) of each push.
A, B = "a" * 40, "b" * 40
MOVES = [(A, B), (B, A), (A, B), (B, None), (None, B), (B, A)]


def gitlab_push(recorded: dict[str, Any], before: str | None, after: str | None) -> dict[str, Any]:
    none = "0" * 40
    return {**recorded, "before": before or none, "after": after or none, "checkout_sha": after}


def bitbucket_push(recorded: dict[str, Any], before: str | None, after: str | None) -> dict[str, Any]:
    (change,) = recorded["push"]["changes"]
    shown = change["new"]
    old, new = (
        {**shown, "target": {**shown["target"], "hash": commit}} if commit else None for commit in (before, after)
    )
    changed = {**change, "old": old, "new": new, "created": old is None, "closed": new is None, "forced": False}
    return {**recorded, "push": {"changes": [changed]}}


@pytest.mark.skipif(not PUSHES, reason=NOT_HERE)
@pytest.mark.parametrize(
    ("host", "move", "id_header"),
    [("gitlab", gitlab_push, "Idempotency-Key"), ("bitbucket", bitbucket_push, "X-Request-UUID")],
)
def test_a_branch_moved_to_and_fro_is_built_each_time_and_a_retry_never(
    team: Team,
    sources: str,
    host: str,
    move: Callable[[dict[str, Any], str | None, str | None], dict[str, Any]],
    id_header: str,
) -> None:
    row = PUSHES[host]
    recorded = json.loads(corpus_body(row["file"]))
    deliveries = []
    for number, (before, after) in enumerate(MOVES):
        delivery_id = f"{host}-{number}-{uuid4()}"
        body = json.dumps(move(recorded, before, after)).encode()
        proof = signed(host, secret_of(host, WORD), body, now=datetime.now(UTC), message_id=delivery_id)
        deliveries.append(({**row["headers"], id_header: delivery_id, **proof}, body))

    first = [deliver(f"{sources}/{host}", headers, body)[1] for headers, body in deliveries]
    again = [deliver(f"{sources}/{host}", headers, body)[1] for headers, body in reversed(deliveries)]

    requests = [request for answer in first for request in answer["requests"]]
    assert [request["duplicate"] for request in requests] == [False] * 5
    assert len({request["requestId"] for request in requests}) == 5
    repeats = [request for answer in reversed(again) for request in answer["requests"]]
    assert repeats == [{**request, "duplicate": True} for request in requests]


@pytest.mark.skipif("gitlab" not in PUSHES, reason=NOT_HERE)
def test_a_host_that_sends_no_id_and_no_time_is_never_taken_to_repeat_itself(team: Team, sources: str) -> None:
    body = corpus_body(PUSHES["gitlab"]["file"])
    answers = [deliver(f"{sources}/{OLD_GITLAB}", {"X-Gitlab-Token": WORD}, body)[1] for _ in range(2)]
    requests = [request for answer in answers for request in answer["requests"]]
    assert [request["duplicate"] for request in requests] == [False, False]


def test_standard_webhooks_ask_for_a_job_outright(team: Team, sources: str) -> None:
    parameters = {"appId": "d0nowhere", "branchName": "main", "jobType": "RELEASE"}
    body = json.dumps({"operation": "start_job", "parameters": parameters}).encode()
    proof = signed("standard", secret_of("standard", WORD), body, now=datetime.now(UTC), message_id="msg_cms_1")
    stale = signed("standard", secret_of("standard", WORD), body, message_id="msg_cms_1")

    assert deliver(f"{sources}/standard", stale, body)[0] == 401
    status, answer = deliver(f"{sources}/standard", proof, body)

    assert status == 202, answer
    (request,) = answer["requests"]
    assert "not found" in team.told(request["requestId"], "Job Rejected")["reason"]
    assert deliver(f"{sources}/standard", proof, body)[1]["requests"][0]["duplicate"] is True
