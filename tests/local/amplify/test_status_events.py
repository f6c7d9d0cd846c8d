"""Status events can be lost, delayed, doubled and reordered, each as often as the fault says."""

from __future__ import annotations

from typing import Any

import pytest

from local.amplify.status_events import StatusEvents
from local.server.faults import Faults
from tests.support.waiting import eventually


def event(number: int, branch: str = "main") -> dict[str, Any]:
    detail = {"branchName": branch, "number": number}
    return {"detail-type": "Amplify Deployment Status Change", "detail": detail}


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        (None, [1, 2, 3]),
        ({"fault": "lose"}, [2, 3]),
        ({"fault": "lose", "times": 2}, [3]),
        ({"fault": "lose", "match": {"branchName": "other"}}, [1, 2, 3]),
        ({"fault": "duplicate"}, [1, 1, 2, 3]),
        ({"fault": "reorder", "seconds": 60}, [2, 1, 3]),
        ({"fault": "reorder", "seconds": 60, "times": 2}, [3, 1, 2]),
        ({"fault": "delay", "seconds": 60}, [2, 3]),
    ],
)
def test_events_arrive_as_the_fault_says(fault: dict[str, Any] | None, arrived: list[int]) -> None:
    faults = Faults()
    values: list[int] = []
    if fault:
        faults.inject({"service": "amplify", "operation": "StatusEvent", **fault})
    events = StatusEvents(faults, lambda event: values.append(event["detail"]["number"]))
    for number in (1, 2, 3):
        events.emit(event(number))
    events.close()
    assert values == arrived


@pytest.mark.parametrize("fault", ["delay", "reorder"])
def test_what_is_held_back_arrives_in_the_end(fault: str) -> None:
    faults = Faults()
    values: list[Any] = []
    faults.inject({"service": "amplify", "operation": "StatusEvent", "fault": fault, "seconds": 0.01})
    events = StatusEvents(faults, values.append)
    events.emit(event(1))
    assert eventually(lambda: values) == [event(1)]
    events.close()
