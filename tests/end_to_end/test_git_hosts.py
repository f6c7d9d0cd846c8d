"""Every git host's recorded push, signed as that host signs, over HTTP to an execution and its announcement."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from amplify_jobs import cli
from tests.end_to_end.team import Team
from tests.unit.recorded_webhooks import NOT_HERE, SHARED, corpus_body, rows, secret_of, signed

WORD = "It's a Secret to Everybody"


def pushes() -> dict[str, dict[str, Any]]:
    """One recorded push of a branch of each host."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows():
        happened = row["expected_events"]
        if row["provider"] != "codecommit" and len(happened) == 1 and _builds(happened[0]):
            found.setdefault(row["provider"], row)
    return found


def _builds(happened: dict[str, Any]) -> bool:
    return happened["kind"] == "push" and not happened["deleted"] and bool(happened["commit"])


PUSHES = pushes() if SHARED.exists() else {}


@pytest.fixture(scope="module")
def sources(team: Team, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A source and a route for each host; the app is unknown, so every request ends as rejected and announced."""
    ssm = team.session.client("ssm")
    routes: dict[str, Any] = {"sources": {}, "routes": {}}
    for host in [*PUSHES, "standard"]:
        name = f"/amplify-jobs/secrets/{host}"
        ssm.put_parameter(Name=name, Type="SecureString", Value=secret_of(host, WORD), Overwrite=True)
        routes["sources"][host] = {"provider": host, "secrets": [name]}
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
