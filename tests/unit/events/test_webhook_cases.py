"""Deliveries of public bug reports: what each means, and whether the route makes a new request of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_jobs.events.event import Event
from amplify_jobs.events.evidence import add_delivery_evidence
from amplify_jobs.events.webhooks import provider
from amplify_jobs.routing.job_request import make_job_request
from amplify_jobs.routing.matching import Matched, decide
from amplify_jobs.routing.routes import Routes
from tests.support.recorded_webhooks import NOW, parse

CASES = Path(__file__).parents[4] / "shared" / "cases" / "webhooks"
NOT_HERE = "the cases are not beside the repository (../shared/cases/webhooks)"
ROUTE = "web"
REQUEST = {
    "operation": "start_job",
    "parameters": {"appId": "d1a2b3c4d5e6", "branchName": "main", "jobType": "RELEASE"},
}


def cases() -> list[Any]:
    """Parameters of a test: the cases, by their files' names."""
    if not CASES.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=NOT_HERE))]
    files = sorted(CASES.glob("*.case.json"))
    return [pytest.param(json.loads(file.read_text()), id=file.name.removesuffix(".case.json")) for file in files]


@pytest.mark.parametrize("case", cases())
def test_cases_of_bug_reports_have_the_expected_result(case: dict[str, Any]) -> None:
    routes = Routes.model_validate({"routes": {ROUTE: {"when": case["when"], "request": REQUEST}}})
    earlier: set[str] = set()
    for number, (delivery, expected) in enumerate(zip(case["deliveries"], case["expected"], strict=True), start=1):
        headers, body = delivery.get("headers", {}), json.dumps(delivery["body"]).encode()
        if "secrets" in case:
            provider(case["provider"]).verify(headers, body, case["secrets"], NOW)
        result = add_delivery_evidence(parse(case["provider"], headers, body), str(number))
        wishes = [want for want in expected if "decision" in want]
        assert len(result.events) == len(wishes), number
        for event, want in zip(result.events, wishes, strict=True):
            assert subset_of(want.get("event", {}), event.for_answer()) == want.get("event", {}), number
            ids = request_ids(routes, case["provider"], event)
            assert bool(ids) == (want["decision"] == "match"), number
            assert not ids or (ids.isdisjoint(earlier) == want["new_request"]), number
            earlier |= ids
        # `no events` stands for any reason; another text is the reason.
        for want in expected:
            if "nothing" in want:
                assert result.ignored, number
                assert want["nothing"] in (result.ignored, "no events"), number


def request_ids(routes: Routes, source: str, event: Event) -> set[str]:
    """The ids of the requests that the routes make of an event."""
    matched = [decision for decision in decide(routes, source, event) if isinstance(decision, Matched)]
    requests = [
        make_job_request(decision, event, source=source, delivery_id=None, received_at=NOW) for decision in matched
    ]
    return {request.request_id for request in requests}


def subset_of(expected: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    """The members of `found`, at every depth, that `wanted` names."""
    return {
        key: subset_of(value, members[key])
        if isinstance(value, dict) and isinstance(members[key], dict)
        else members[key]
        for key, value in expected.items()
    }
