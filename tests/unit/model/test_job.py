"""What Amplify says of a job, in one form: every status, whatever is left out, and nonsense."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.job import Job, JobState, PollAnswer, State, Step, hosting_job_state, hosting_state

JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7", job_type="RELEASE")
STARTED, LATER = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 12, 5, tzinfo=UTC)


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


def test_a_job_that_failed() -> None:
    answer = {
        "job": {
            "summary": {"jobId": "7", "jobType": "WEB_HOOK", "status": "FAILED",
                        "startTime": STARTED, "endTime": LATER},
            "steps": [
                {"stepName": "BUILD", "status": "FAILED", "startTime": STARTED, "endTime": LATER,
                 "statusReason": "npm ci failed", "logUrl": "https://example.com/log?X-Amz-Signature=1"},
                {"stepName": "DEPLOY", "status": "CANCELLED"},
            ],
        }
    }  # fmt: skip
    state = hosting_job_state(JOB, answer)
    failed = Step(name="BUILD", status="FAILED", started_at=STARTED, finished_at=LATER, reason="npm ci failed")
    assert state == JobState(
        job=JOB.model_copy(update={"job_type": "WEB_HOOK"}),
        state=State.FAILED,
        status="FAILED",
        started_at=STARTED,
        finished_at=LATER,
        reason="npm ci failed",
        steps=(failed, Step(name="DEPLOY", status="CANCELLED")),
    )
    assert state.failed_step == failed
    assert state.left_queue_at == STARTED


def test_steps_that_wait_do_not_tell_when_the_job_left_the_queue() -> None:
    steps = [{"stepName": "BUILD", "status": "PENDING", "startTime": STARTED}]
    state = hosting_job_state(JOB, {"job": {"summary": {"status": "PENDING"}, "steps": steps}})
    assert state.left_queue_at is None


@pytest.mark.parametrize("steps", [None, [], "none", 5, {"BUILD": {}}, [None, 5, "BUILD"]])
def test_what_is_left_out_or_of_another_type_is_no_error(steps: Any) -> None:
    state = hosting_job_state(JOB, {"job": {"summary": {}, "steps": steps}})
    assert state == JobState(job=JOB, state=State.RUNNING)


@pytest.mark.parametrize("answer", [{}, {"job": None}, {"job": []}, {"job": {}}, {"job": {"summary": "x"}}])
def test_an_answer_that_is_no_job(answer: dict[str, Any]) -> None:
    with pytest.raises(ServiceTrouble, match="without a job"):
        hosting_job_state(JOB, answer)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.sampled_from(["SUCCEED", "FAILED", "PENDING", "BUILD"])
)
anything = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=3)


def members(*names: str, of: st.SearchStrategy[Any] = anything) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, of))


steps = members("stepName", "status", "startTime", "endTime", "statusReason")
summaries = members("jobId", "jobType", "status", "startTime", "endTime")
bodies = st.fixed_dictionaries({}, optional={"summary": summaries | anything, "steps": st.lists(steps) | anything})


@given(st.fixed_dictionaries({}, optional={"job": bodies | anything}) | st.dictionaries(st.text(), anything))
def test_any_answer_is_a_state_or_trouble(answer: dict[str, Any]) -> None:
    try:
        state = hosting_job_state(JOB, answer)
    except ServiceTrouble:
        return
    assert JobState.model_validate_json(state.model_dump_json(by_alias=True)) == state
    assert state.state.is_outcome == (state.status in ("SUCCEED", "FAILED", "CANCELLED"))


def test_what_an_older_version_wrote_and_a_newer_one_adds_is_read() -> None:
    """Executions keep their definition, and their data, while functions become new."""
    job = {"operation": "start_job", "appId": "d1", "branchName": "main", "jobId": "7"}
    answer = PollAnswer.model_validate(
        {
            "version": "1",
            "job": {"job": job, "state": "RUNNING", "new": 1},
            "finished": False,
            "waitSeconds": 5,
            "seen": "0",
            "key": {"pk": "p", "sk": "s"},
            "added": {"by": "a later version"},
        }
    )
    assert answer.job.job.job_type is None
