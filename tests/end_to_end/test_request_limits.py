"""Limits of requests over the bus and a signed webhook: what is not allowed is announced as rejected."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from amplify_jobs_cli import cli
from tests.end_to_end.test_git_hosts import deliver
from tests.support.recorded_webhooks import secret_of, signed
from tests.support.team import Team

WORD, SECRET_NAME = "limits", "/amplify-jobs/secrets/limits"
PARAMETERS = {"appId": "d0nowhere", "branchName": "main", "jobType": "RELEASE"}
OUTRIGHT: dict[str, Any] = {"operation": "start_job", "parameters": PARAMETERS}


def test_the_bus_and_a_source_get_what_is_allowed_and_are_told_of_the_rest(team: Team, tmp_path: Path) -> None:
    push(team, tmp_path)
    url = f"{team.url.rpartition('/')[0]}/limits"

    for body, allowed in (({"route": "limited"}, True), ({"route": "other"}, False), (OUTRIGHT, False)):
        content = json.dumps(body).encode()
        message_id = f"msg_{body.get('route', 'outright')}"
        proof = signed("standard", secret_of("standard", WORD), content, now=datetime.now(UTC), message_id=message_id)
        status, answer = deliver(url, proof, content)
        assert (status, bool(answer["requests"])) == (202 if allowed else 200, allowed), answer
        reasons = [ignored["reason"] for ignored in answer["ignored"] if "allow it" in ignored["reason"]]
        assert bool(reasons) != allowed
        if not allowed:
            assert reasons[0].startswith("source limits may not request ")
            assert rejected(team, reasons[0])["cause"]["source"] == "limits"

    # The name of the source gives a bus event nothing that the source may do.
    put(team, {"route": "limited"}, "limits")
    refused = "the bus may not request route limited; allow it under bus.allow in routes.yaml"
    assert rejected(team, refused)["route"] == "limited"
    put(team, OUTRIGHT, "com.acme.limits")
    assert rejected(team, "not found", "com.acme.limits")["route"] is None


def push(team: Team, folder: Path) -> None:
    secret = secret_of("standard", WORD)
    team.session.client("ssm").put_parameter(Name=SECRET_NAME, Type="SecureString", Value=secret, Overwrite=True)
    source = {"provider": "standard", "secrets": [SECRET_NAME], "allow": {"routes": ["limited"]}}
    route = {"when": {"request": {}}, "request": OUTRIGHT}
    routes = {
        "sources": {"limits": source},
        "bus": {"allow": {"operations": ["start_job"], "apps": ["d0nowhere"]}},
        "routes": {"limited": route, "other": route},
    }
    file = folder / "routes.yaml"
    file.write_text(yaml.safe_dump(routes))
    assert cli.main(["routes", "push", str(file), "--yes", "--no-lookup"]) == 0
    for function in ("ReceiveWebhookFunction", "ReceiveEventFunction"):
        team.kill(function)


def put(team: Team, detail: dict[str, Any], source: str) -> None:
    entry: Any = {
        "EventBusName": team.outputs["busName"],
        "Source": source,
        "DetailType": "Job Requested",
        "Detail": json.dumps(detail),
    }
    team.session.client("events").put_events(Entries=[entry])


def rejected(team: Team, reason: str, source: str | None = None) -> dict[str, Any]:
    """Wait for the announcement of a rejection with a reason."""

    def find() -> dict[str, Any] | None:
        team.collect()
        details = [one["detail"] for one in team.events if one["detail-type"] == "Job Rejected"]
        return next(
            (
                dict(detail)
                for detail in details
                if reason in detail["reason"] and source in (None, detail["cause"]["source"])
            ),
            None,
        )

    return team.until(find, f"no rejection: {reason}")
