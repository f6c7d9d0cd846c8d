"""Jobs: what a status means, and what is added to the reason of a state."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader

from amplify_jobs.model.job import State, hosting_state
from tests.support.followed_jobs import state


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


@pytest.mark.parametrize(
    ("reason", "noted"), [(None, "A note."), ("", "A note."), ("It failed.", "It failed. A note.")]
)
def test_a_note_follows_the_reason(reason: str | None, noted: str) -> None:
    assert state(reason=reason).with_note("A note.") == state(reason=noted)


@pytest.mark.parametrize(
    ("of", "reason", "text"),
    [
        *((of, "x", "") for of in State if of is not State.FAILED),
        (State.FAILED, "npm ci failed", " The job before had failed: npm ci failed"),
        (State.FAILED, None, " The job before had failed: Amplify gave no reason."),
    ],
)
def test_a_superseded_job_is_cancelled_and_names_the_newer_request(of: State, reason: str | None, text: str) -> None:
    result = state(of, reason=reason).cancelled_for("web-2")
    assert (result.state, result.superseded_by) == (State.CANCELLED, "web-2")
    assert (result.reason or "").rstrip(".") == f"Superseded by request web-2, whose event is newer.{text}".rstrip(".")
