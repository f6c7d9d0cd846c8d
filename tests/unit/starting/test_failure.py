"""Tries that started nothing: what the alarms of starts count, and which error the state machine gets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from amplify_jobs.errors import (
    BranchBusy,
    NotSetUpError,
    RequestRejected,
    RetryableError,
    ServiceTrouble,
    StartUnresolved,
    Throttled,
)
from amplify_jobs.starting import failure
from amplify_jobs.starting.start import StartRequest
from tests.support.starting import NOON, make_request

REQUEST = StartRequest(request=make_request("web-1", "start_job", {"appId": "d1"}, start_within_minutes=60))


@pytest.fixture
def metrics() -> Iterator[dict[str, Any]]:
    """The metrics that are counted; nothing of them is left to others."""
    failure.metrics.clear_metrics()
    yield failure.metrics.metric_set
    failure.metrics.clear_metrics()


@pytest.mark.parametrize(
    ("error", "raised", "failures"),
    [
        (Throttled("slow down"), Throttled, 0),
        (BranchBusy("another job"), BranchBusy, 0),
        (StartUnresolved("no answer"), StartUnresolved, 0),
        (ServiceTrouble("DynamoDB failed"), ServiceTrouble, 1),
        # The state machine catches errors by the name of their own class, and knows none of this one.
        (NotSetUpError("no routes"), ServiceTrouble, 1),
    ],
)
def test_a_try_has_an_age_and_a_service_that_fails_is_counted(
    metrics: dict[str, Any], error: RetryableError, raised: type[RetryableError], failures: int
) -> None:
    result = failure.count_failed_try(REQUEST, error, NOON + timedelta(minutes=5))
    assert (type(result), str(result)) == (raised, str(error))
    assert metrics["StartAge"]["Value"] == [300]
    assert metrics["StartsFailed"]["Value"] == [failures]


def test_a_try_after_the_time_to_start_is_a_rejection_that_counts_as_its_error(metrics: dict[str, Any]) -> None:
    result = failure.count_failed_try(REQUEST, ServiceTrouble("DynamoDB failed"), NOON + timedelta(minutes=71))
    assert isinstance(result, RequestRejected)
    assert "Last: DynamoDB failed" in str(result)
    assert metrics["StartsFailed"]["Value"] == [1]
