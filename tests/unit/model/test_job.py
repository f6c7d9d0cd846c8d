"""Jobs: what a status means, keys of records, and states of other versions."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader

from amplify_jobs.model.job import State, hosting_state


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("CREATED", State.WAITING),
        ("PENDING", State.WAITING),
        ("PROVISIONING", State.RUNNING),
        ("RUNNING", State.RUNNING),
        ("CANCELLING", State.RUNNING),
        ("SUCCEED", State.SUCCEEDED),
        ("FAILED", State.FAILED),
        ("CANCELLED", State.CANCELLED),
        # Of the events only.
        ("STARTED", State.RUNNING),
        # Of a future API.
        ("PAUSED", State.RUNNING),
        ("succeed", State.RUNNING),
        ("", State.RUNNING),
    ],
)
def test_what_a_status_means(status: str, state: State) -> None:
    assert hosting_state(status) is state


def test_every_status_of_the_api_is_known() -> None:
    model = Loader(include_default_search_paths=True).load_service_model("amplify", "service-2")
    assert set(model["shapes"]["JobStatus"]["enum"]) == {
        "CREATED", "PENDING", "PROVISIONING", "RUNNING", "FAILED", "SUCCEED", "CANCELLING", "CANCELLED"
    }  # fmt: skip
