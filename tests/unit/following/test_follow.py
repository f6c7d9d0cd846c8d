"""Which events tell of a job that nobody has, and the request that follows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.following.follow import END_EVENT_DELAY, follow_request, is_new_job
from amplify_jobs.following.record import Owner
from amplify_jobs.following.status_change import StatusChangeEvent
from amplify_jobs.model.parameters import FollowJobParameters, validated_parameters
from amplify_jobs.model.request import OnTimeout

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def event(status: str = "STARTED", time: datetime = NOON, **detail: Any) -> StatusChangeEvent:
    members = {"appId": "d1", "branchName": "main", "jobId": "4", "jobStatus": status, **detail}
    return StatusChangeEvent.model_validate({"region": "eu-west-1", "time": time, "detail": members})


@pytest.mark.parametrize(
    ("status", "owner", "is_new"),
    [
        ("STARTED", None, True),
        ("FAILED", None, True),
        # Followed, given up, or of a start that is recorded.
        ("STARTED", Owner("web-1"), False),
        ("FAILED", Owner("web-1"), False),
        # An old event, and one of another job: the branch was deleted and made again.
        ("STARTED", Owner("web-1", NOON), False),
        ("STARTED", Owner("web-1", NOON - SECOND), True),
        ("SUCCEED", Owner("web-1", NOON - SECOND), False),
        ("SUCCEED", Owner("web-1", NOON - END_EVENT_DELAY), False),
        ("SUCCEED", Owner("web-1", NOON - END_EVENT_DELAY - SECOND), True),
    ],
)
def test_a_job_is_new_if_no_request_has_it(status: str, owner: Owner | None, is_new: bool) -> None:
    assert is_new_job(event(status), owner) is is_new


def test_all_events_of_a_job_make_one_request() -> None:
    first = follow_request(event(), None, NOON)
    assert follow_request(event("SUCCEED", NOON + SECOND, jobId="0004"), None, NOON).request_id == first.request_id
    assert (first.on_timeout, first.retry, first.supersede, first.route) == (OnTimeout.LEAVE, 0, False, None)
    assert first.timeout_minutes == 180


PLACES = st.tuples(
    st.from_regex(r"d[a-z0-9]{1,19}", fullmatch=True), st.text(min_size=1, max_size=255), st.integers(1, 10**6)
)


@given(PLACES, PLACES)
def test_two_jobs_have_two_requests_with_valid_parameters(
    one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    requests = [
        follow_request(event(appId=app, branchName=branch, jobId=str(number)), None, NOON)
        for app, branch, number in (one, other)
    ]
    assert (requests[0].request_id == requests[1].request_id) == (one == other)
    parameters = validated_parameters(requests[0])
    assert isinstance(parameters, FollowJobParameters)
    assert (parameters.app_id, parameters.branch_name, parameters.job_id) == (one[0], one[1], str(one[2]))


def test_the_job_of_a_branch_that_was_made_again_has_another_request() -> None:
    again = follow_request(event(), Owner("web-1", NOON - SECOND), NOON)
    assert again.request_id != follow_request(event(), None, NOON).request_id
    assert again.parameters["predecessor"] == "web-1"
