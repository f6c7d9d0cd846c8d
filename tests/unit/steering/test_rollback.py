"""Which job a rollback goes back to, and what is then asked for: the decisions alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amplify_jobs.errors import ConflictError
from amplify_jobs.indexing.answers import RequestState, RequestSummary
from amplify_jobs.model.mirror_order import MirrorOrder
from amplify_jobs.model.request import Cause, JobRequest
from amplify_jobs.steering.rollback import former_job, rollback_request
from amplify_jobs.steering.rollback_order import RollbackOrder

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
MAIN = RollbackOrder(app="web", branch="main")
COMMIT = "4" * 40


def job(number: int, commit: str | None = None, outcome: str = "SUCCEEDED") -> RequestSummary:
    return RequestSummary(
        request_id=f"web-{number}",
        state=RequestState.FINISHED,
        outcome=outcome,
        branch_name="main",
        job_id=str(number),
        ended_at=NOW + timedelta(minutes=number),
        commit_built=commit,
    )


@pytest.mark.parametrize(
    ("requests", "former"),
    [
        ([job(2, "b"), job(1, "a")], "1"),
        # What failed was never live.
        ([job(4, "c", "FAILED"), job(3, "b"), job(2, "x", "CANCELLED"), job(1, "a")], "1"),
        # The same commit again is nothing to go back to.
        ([job(3, "b"), job(2, "b"), job(1, "a")], "1"),
        # The time of the end decides.
        ([job(1, "a"), job(2, "b")], "1"),
        # Deployments have no commit.
        ([job(2), job(1)], "1"),
        # A second rollback goes back to what the first one replaced.
        ([job(3, "a"), job(2, "b"), job(1, "a")], "2"),
    ],
)
def test_what_was_live_before(requests: list[RequestSummary], former: str) -> None:
    assert former_job(requests, MAIN).job_id == former


@pytest.mark.parametrize(
    ("requests", "order", "reason"),
    [
        ([], MAIN, "no job of main of web is known that succeeded"),
        ([job(1, "a", "FAILED")], MAIN, "there is nothing to go back to"),
        ([job(2, "a"), job(1, "a")], MAIN, "nothing else is known that was live on main of web before job 2"),
        ([job(1, "a", "FAILED")], MAIN.model_copy(update={"job": "1"}), "no job 1 of main of web is known that succ"),
        ([job(1, "a")], MAIN.model_copy(update={"job": "7"}), "jobs --app web --branch main lists its jobs"),
    ],
)
def test_nothing_to_go_back_to(requests: list[RequestSummary], order: RollbackOrder, reason: str) -> None:
    with pytest.raises(ConflictError, match=reason):
        former_job(requests, order)


def test_a_job_by_its_number() -> None:
    order = MAIN.model_copy(update={"job": "1"})
    assert former_job([job(3, "a"), job(2, "b"), job(1, "a")], order).request_id == "web-1"


def request(operation: str, parameters: dict[str, Any], mirror: MirrorOrder | None = None) -> JobRequest:
    cause = Cause(source="github", kind="push", commit="0" * 40)
    return JobRequest(
        request_id="web-1", operation=operation, parameters=parameters, mirror=mirror, cause=cause, received_at=NOW
    )


def test_a_mirrored_route_builds_the_commit_that_was_built() -> None:
    order = MirrorOrder(
        source="github", repository="a/b", ref="refs/heads/main", before="1" * 40, commit="0" * 40, branch="main"
    )
    former = request("start_job", {"appId": "d1", "commitId": "0" * 40}, order)
    again = rollback_request(former, job(1, COMMIT), NOW)
    assert again.mirror == order.model_copy(update={"commit": COMMIT, "before": None, "may_go_back": True})
    assert (again.parameters["commitId"], again.cause.commit, again.event_time) == (COMMIT, COMMIT, NOW)


def test_a_deployment_deploys_the_same_version() -> None:
    parameters = {"appId": "d1", "artifact": "s3://bucket/web.zip", "artifactVersion": "v1"}
    assert rollback_request(request("start_deployment", parameters), job(1), NOW).parameters == parameters


@pytest.mark.parametrize(
    ("former", "commit", "reason"),
    [
        (request("start_job", {}), COMMIT, "Revert the change in Git and push, or have the route mirrored"),
        (
            request("start_job", {}, MirrorOrder(source="a", repository="b", ref="c", branch="d")),
            None,
            "did not tell which commit job 1 built",
        ),
        (request("start_deployment", {"artifact": "s3://b/k"}), None, "does not name the version of s3://b/k"),
        (request("start_deployment", {"artifact": "s3://b/k", "artifactVersion": ""}), None, "add artifactVersion: "),
        (request("start_deployment", {"sourceUrl": "https://example.com/?secret"}), None, "what its sourceUrl leads"),
        (request("start_deployment", {"jobId": "3"}), None, "its zip was uploaded"),
        (request("start_codegen_job", {}), None, "is of start_codegen_job, which brings no version of an app live"),
    ],
)
def test_what_can_not_be_brought_back_says_why(former: JobRequest, commit: str | None, reason: str) -> None:
    with pytest.raises(ConflictError, match=reason):
        rollback_request(former, job(1, commit), NOW)
