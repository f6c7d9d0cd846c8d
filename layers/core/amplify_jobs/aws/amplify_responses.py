"""Reads the answers of Amplify's three services about a job: GetJob, GetCodegenJob and GetBackendJob."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amplify_jobs.errors import ServiceTrouble
from amplify_jobs.model.job import Job, JobOrigin, JobState, State, Step, StepAddress, hosting_state
from amplify_jobs.model.repository_address import parse_repository_address
from amplify_jobs.model.request import CAUSE_MESSAGE_LIMIT
from amplify_jobs.model.results import PartialError, Results, merge_errors
from amplify_jobs.text import presentable

# Amplify's jobs have three to five; a name or a status is a word.
_MOST_STEPS = 10
_WORD_LIMIT = 100

_COMMIT = re.compile(r"[0-9a-f]{7,64}")

# The final statuses of UI Builder (CodegenJobStatus) and of Amplify Backend, which the API leaves untyped.
_GENERATOR_STATES = {
    "SUCCEEDED": State.SUCCEEDED,
    "COMPLETED": State.SUCCEEDED,
    "FAILED": State.FAILED,
}


def generator_state(status: str) -> State:
    """Give the state of a codegen job (API: CodegenJob.status) or of a backend's job by its status."""
    return _GENERATOR_STATES.get(status.upper(), State.RUNNING)


def hosting_job_state(job: Job, answer: Mapping[str, Any]) -> JobState:
    """Normalise an answer of Amplify's GetJob.

    Every member of the answer is optional, since real ones leave out what the API page calls required.
    Raises ServiceTrouble if the answer is no job at all.
    """
    body = answer.get("job")
    summary = body.get("summary") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(summary, Mapping):
        raise ServiceTrouble("Amplify's GetJob answered without a job")
    status = text_or_none(summary.get("status"))
    steps = body.get("steps")
    steps = [_step(step) for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []
    # The first ones say when the job left the queue; one that failed is the last that ran.
    steps = tuple(steps[:_MOST_STEPS])
    return JobState(
        job=job.model_copy(update={"job_type": _word_or_none(summary.get("jobType")) or job.job_type}),
        state=hosting_state(status) if status else State.RUNNING,
        status=_word_or_none(status),
        started_at=_time_or_none(summary.get("startTime")),
        finished_at=_time_or_none(summary.get("endTime")),
        reason=next((step.reason for step in steps if step.status == "FAILED" and step.reason), None),
        steps=steps,
    )


def job_with_origin(job: Job, answer: Mapping[str, Any], app: Mapping[str, Any]) -> Job:
    """Add to a job what GetJob and GetApp tell of it. Raises ServiceTrouble if the first answer is no job at all."""
    state = hosting_job_state(job, answer)
    summary = answer["job"]["summary"]
    commit, message = text_or_none(summary.get("commitId")), text_or_none(summary.get("commitMessage"))
    host, repository = parse_repository_address(text_or_none(app.get("repository")) or "") or (None, None)
    origin = JobOrigin(
        started_at=state.started_at,
        # Of a job that nobody named a commit for, Amplify says HEAD.
        commit=commit if commit and _COMMIT.fullmatch(commit) else None,
        message=message[:CAUSE_MESSAGE_LIMIT] if message else None,
        host=host,
        repository=repository,
    )
    return state.job.model_copy(update={"origin": origin})


def step_addresses(answer: Mapping[str, Any]) -> tuple[StepAddress, ...]:
    """The steps of an answer of Amplify's GetJob, with the addresses of their logs."""
    body = answer.get("job")
    listed = body.get("steps") if isinstance(body, Mapping) else None
    steps = [step for step in listed if isinstance(step, Mapping)] if isinstance(listed, list) else []
    return tuple(StepAddress(_step(step), text_or_none(step.get("logUrl"))) for step in steps[:_MOST_STEPS])


def codegen_job_state(job: Job, answer: Mapping[str, Any]) -> JobState:
    """Normalise an answer of UI Builder's GetCodegenJob. Raises ServiceTrouble if the answer is no job at all."""
    body = answer.get("job")
    # The job is the body of the answer: any JSON object would be one.
    if not isinstance(body, Mapping) or not (body.get("id") or body.get("status")):
        raise ServiceTrouble("UI Builder's GetCodegenJob answered without a job")
    status, message = text_or_none(body.get("status")), text_or_none(body.get("statusMessage"))
    state = generator_state(status) if status else State.RUNNING
    errors = partial_errors(message)
    if state is State.FAILED and errors:
        message = "; ".join(f"{error.schema_name or '?'}: {error.error}" for error in errors)
    return JobState(
        job=job,
        state=state,
        status=_word_or_none(status),
        started_at=_time_or_none(body.get("createdAt")),
        finished_at=_time_or_none(body.get("modifiedAt")) if state.is_outcome else None,
        reason=presentable(message) if state is State.FAILED else None,
        results=Results(partial_errors=merge_errors(errors)) if errors else None,
    )


def backend_job_state(job: Job, answer: Mapping[str, Any]) -> JobState:
    """Normalise an answer of Amplify Backend's GetBackendJob, whose times are texts of no documented form."""
    status, error = text_or_none(answer.get("Status")), text_or_none(answer.get("Error"))
    state = generator_state(status) if status else State.RUNNING
    return JobState(
        job=job,
        state=state,
        status=_word_or_none(status),
        started_at=_parsed_time_or_none(answer.get("CreateTime")),
        finished_at=_parsed_time_or_none(answer.get("UpdateTime")) if state.is_outcome else None,
        reason=presentable(error) if state is State.FAILED else None,
    )


def partial_errors(message: str | None) -> tuple[PartialError, ...]:
    """Read the single failures in a codegen job's statusMessage: {"codegenErrors": [{schemaName, error}]}."""
    try:
        entries = json.loads(message or "")["codegenErrors"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
    if not isinstance(entries, list):
        return ()
    return tuple(
        PartialError(
            schema_name=text_or_none(entry.get("schemaName")),
            error=text_or_none(entry.get("error")) or "UI Builder gave no reason",
        )
        for entry in entries
        if isinstance(entry, dict)
    )


def _step(step: Mapping[str, Any]) -> Step:
    return Step(
        name=_word_or_none(step.get("stepName")) or "?",
        status=_word_or_none(step.get("status")) or "?",
        started_at=_time_or_none(step.get("startTime")),
        finished_at=_time_or_none(step.get("endTime")),
        reason=presentable(text_or_none(step.get("statusReason"))),
    )


def _parsed_time_or_none(value: object) -> datetime | None:
    """A time in ISO 8601, or in seconds or milliseconds since 1970."""
    text = text_or_none(value) or ""
    try:
        if not text.isascii() or not text.isdigit():
            time = datetime.fromisoformat(text)
            return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        seconds = int(text) / (1000 if len(text) > 11 else 1)
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


# botocore does not hold what it is answered against its model: a member of another type counts as left out.


def text_or_none(value: object) -> str | None:
    """Take a member that is a text; an empty one counts as left out."""
    return value if isinstance(value, str) and value else None


def _word_or_none(value: object) -> str | None:
    return presentable(text_or_none(value), _WORD_LIMIT)


def _time_or_none(value: object) -> datetime | None:
    return value if isinstance(value, datetime) and value.tzinfo is not None else None
