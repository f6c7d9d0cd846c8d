"""A replay is the same request under an id of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from amplify_jobs.errors import RequestRejected
from amplify_jobs.model.replay import make_replay, original_id

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def request(request_id: str) -> dict[str, Any]:
    return {
        "requestId": request_id,
        "route": "web",
        "operation": "start_job",
        "parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE"},
        "cause": {"source": "github", "kind": "push"},
        "receivedAt": "2026-11-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("request_id", "number", "replayed"),
    [("web-1f", 1, "web-1f-r1"), ("web-1f-r1", 2, "web-1f-r2"), ("web-1f-r12", 13, "web-1f-r13"), ("r1", 1, "r1-r1")],
)
def test_the_id_counts_replays_of_the_original(request_id: str, number: int, replayed: str) -> None:
    result = make_replay(request(request_id), number, NOW)

    assert result.request_id == replayed
    assert original_id(result.request_id) == original_id(request_id)
    assert result.received_at == NOW
    assert result.parameters == request(request_id)["parameters"]


@pytest.mark.parametrize("raw", [None, {}, {"requestId": "x"}, request("x" * 80), request("UPPER")])
def test_what_can_not_be_replayed_is_rejected(raw: Any) -> None:
    with pytest.raises(RequestRejected):
        make_replay(raw, 1, NOW)


def test_what_followed_a_job_is_not_replayed() -> None:
    """Its job has an owner, and there would be nothing to announce."""
    with pytest.raises(RequestRejected, match="start a job in Amplify instead"):
        make_replay({**request("follow-1"), "operation": "follow_job"}, 1, NOW)
