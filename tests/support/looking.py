"""Looks for missed pushes, by the state machine of the stack."""

from __future__ import annotations

import json
from typing import Any

from tests.support.team import Team


def reconcile(team: Team, **order: Any) -> list[dict[str, Any]]:
    """Start the state machine of the schedule, and give what each batch found."""
    states = team.stepfunctions
    machine = team.outputs["reconcileStateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps(order))["executionArn"]

    def ended() -> dict[str, Any] | None:
        description: Any = states.describe_execution(executionArn=execution)
        return None if description["status"] == "RUNNING" else description

    description = team.until(ended, "the execution of reconcile does not end")
    assert description["status"] == "SUCCEEDED", description
    document: list[dict[str, Any]] = json.loads(description["output"])
    return document
