"""The answers of Amplify's services in one form: whatever is left out, and nonsense."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.aws.amplify_responses import hosting_job_state, partial_errors
from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.job import Job, JobState, State, Step

JOB = Job(operation="start_job", app_id="d1a2b3c4d5e6", branch_name="main", job_id="7", job_type="RELEASE")
STARTED, LATER = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 12, 5, tzinfo=UTC)


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


@pytest.mark.parametrize("status", ["CREATED", "PROVISIONING", "CANCELLING", "PAUSED"])
def test_the_status_is_told_as_it_came_whatever_it_means(status: str) -> None:
    assert hosting_job_state(JOB, {"job": {"summary": {"status": status}}}).status == status


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


@pytest.mark.parametrize(
    ("message", "errors"),
    [
        (None, []),
        ("", []),
        ("The generator broke", []),
        ("[]", []),
        ('{"codegenErrors": 5}', []),
        ('{"codegenErrors": [{"schemaName": "A", "error": "no"}, 5]}', [("A", "no")]),
        ('{"codegenErrors": [{}]}', [(None, "UI Builder gave no reason")]),
        ("[" * 100_000, []),
    ],
)
def test_single_failures(message: str | None, errors: list[tuple[str | None, str]]) -> None:
    assert [(error.schema_name, error.error) for error in partial_errors(message)] == errors
