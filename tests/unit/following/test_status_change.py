"""Amplify's events about its jobs: what is understood, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.following.status_change import NotUnderstoodError, StatusChange, status_change

DETAIL = {"appId": "dabcde12345678", "branchName": "master", "jobId": "4", "jobStatus": "SUCCEED"}


@pytest.mark.parametrize("more", [{}, {"jobStep": "BUILD"}, {"jobStatus": "STARTED"}])
def test_events_as_captured(more: dict[str, str]) -> None:
    change = status_change({"detail": {**DETAIL, **more}})
    assert (change.app_id, change.branch_name, change.job_id) == ("dabcde12345678", "master", "4")
    assert change.job_status == more.get("jobStatus", "SUCCEED")


def test_every_fault_is_named() -> None:
    with pytest.raises(NotUnderstoodError, match=r"^detail\.appId: .*; detail\.jobId: .*; detail\.jobStatus: "):
        status_change({"detail": {"appId": "", "branchName": "master", "jobId": "x"}})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*DETAIL, "x"]), inner),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional={"detail": anything}))
def test_any_event_is_understood_or_named_as_not(event: dict[str, Any]) -> None:
    said = "detail"
    try:
        change = status_change(event)
    except NotUnderstoodError as error:
        said = str(error)
    else:
        assert StatusChange.model_validate(event["detail"]) == change
    assert said.startswith("detail")
