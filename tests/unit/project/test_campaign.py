"""The campaign's plan is its seed's, leaves no fault out, and its invariants see what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from campaign.findings import Delivered, Execution, Seen, lost, repeats, violations
from campaign.plan import CALLS, EVENT_FAULTS, FAULTS, FUNCTIONS, plan
from local.server.faults import Faults


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_is_its_seed_s_and_has_every_fault_on_every_call(seed: int) -> None:
    result = plan(seed, 100)
    assert result == plan(seed, 100) != plan(seed + 1, 100)
    hit = {(fault["service"], fault["operation"], fault["fault"]) for _, fault in result.faults}
    faults_of_calls = {(*call, fault) for call in CALLS for fault in FAULTS} | {
        ("amplify", "StatusEvent", fault) for fault in EVENT_FAULTS
    }
    assert faults_of_calls - hit == {("lambda", "Invoke", "nonsense")}
    assert any(fault["fault"] == "quota" for _, fault in result.faults)
    assert {function for _, function in result.kills} == set(FUNCTIONS)
    assert {failure.get("status") for _, failure in result.report_failures} == {None, 429, 500, 503}
    assert all(1 <= len(push.deliveries) <= 3 for push in result.pushes)


def test_every_fault_of_a_plan_can_be_injected() -> None:
    faults = Faults()
    for _, fault in plan(1, 100).faults:
        faults.inject(fault)


GOOD = Seen(
    deliveries=[Delivered(0, "d0", 202, 0.1, deferred=False), Delivered(1, "d1", 503, 0.1, deferred=False, why="SQS")],
    executions=[Execution("r0", "SUCCEEDED", 0)],
    jobs_by_branch={(0, 0): 1, (0, 1): 0},
    executions_by_branch={(0, 0): 1},
    told_programs=Counter({("r0", "SUCCEEDED"): 2}),
    told_people=Counter({"r0": 1}),
    messages={"IntakeQueue": 0},
    statuses={"r0": ["pending", "success", "success"]},
    deployments={"r0": [["in_progress", "success"]]},
    newest={"r0"},
)


def test_what_is_good_has_no_violation_and_what_was_refused_is_named() -> None:
    assert list(violations(GOOD)) == []
    assert lost(GOOD) == [1]
    assert repeats(GOOD) == (1, 0, 1)


def test_a_request_of_an_older_job_may_have_no_deployment() -> None:
    assert list(violations(replace(GOOD, deployments={}, newest=()))) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"executions": [], "executions_by_branch": {}, "jobs_by_branch": {}},
            "push 0 was answered 2xx and has no execution",
        ),
        ({"executions": [Execution("r0", "FAILED", 0)]}, "execution r0 is FAILED"),
        ({"executions": [Execution("r0", "RUNNING", 0)]}, "execution r0 is RUNNING"),
        ({"executions": [Execution("r0", "SUCCEEDED", 0)] * 2}, "push 0 has 2 executions"),
        ({"jobs_by_branch": {(0, 0): 2}}, "branch 0 of app 0 has 2 jobs for 1 executions"),
        ({"jobs_by_branch": {}}, "branch 0 of app 0 has 0 jobs for 1 executions"),
        ({"jobs_by_branch": {(0, 0): 1, (0, 1): 1}}, "branch 1 of app 0 has 1 jobs for 0 executions"),
        ({"told_programs": Counter()}, "programs were told 0 ends of r0"),
        (
            {"told_programs": Counter({("r0", "SUCCEEDED"): 1, ("r0", "FAILED"): 1})},
            "programs were told 2 ends of r0",
        ),
        ({"told_people": Counter()}, "people were not told the end of r0"),
        ({"statuses": {}}, "the status of r0 is None instead of success"),
        ({"statuses": {"r0": ["success", "pending"]}}, "the status of r0 is pending instead of success"),
        ({"deployments": {}}, "r0 has no deployment"),
        ({"deployments": {"r0": [["success"], ["success"]]}}, "r0 has 2 deployments"),
        ({"deployments": {"r0": [["in_progress"]]}}, "the deployment of r0 is in_progress instead of success"),
        ({"messages": {"DeadLetterQueue": 1}}, "1 messages are left in DeadLetterQueue"),
        (
            {
                "deliveries": [
                    Delivered(0, "d0", 202, 0.1, deferred=False),
                    Delivered(0, "d0", 500, 0.1, deferred=False),
                ]
            },
            "delivery d0 was answered 500, and no log line says why",
        ),
    ],
)
def test_an_invariant_that_is_broken_is_said(change: dict[str, Any], text: str) -> None:
    assert text in list(violations(replace(GOOD, **change)))
