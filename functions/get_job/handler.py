"""Asks Amplify for a job's state, records it, and says how long to wait for the next change (API: GetJob)."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.amplify import Amplify, NotFound
from amplify_jobs.errors import AmplifyJobsError, ServiceTrouble
from amplify_jobs.following import VISIBLE_AFTER, poll_answer, timed_out, vanished
from amplify_jobs.jobs import JobKey, JobState, State
from amplify_jobs.requests import JobRequest
from amplify_jobs.store import Record, Store
from amplify_jobs.waiting import left_queue

logger = Logger()
metrics = Metrics()
amplify = Amplify.connect()
store = Store.connect(os.environ["JOBS_TABLE"])


def ask(last: JobState, record: Record, request: JobRequest, now: datetime) -> JobState:
    try:
        return amplify.get_job(last.job)
    except NotFound as error:
        if last.started_at is not None and now - last.started_at < VISIBLE_AFTER:
            raise ServiceTrouble(str(error)) from error
        return vanished(last)
    except AmplifyJobsError as error:
        overdue = timed_out(last, record.left_queue_at, request, now)
        if overdue.state is State.TIMED_OUT:
            return overdue.model_copy(update={"reason": f"{overdue.reason} Amplify's last answer: {error}"})
        raise ServiceTrouble(str(error)) from error


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = JobRequest.model_validate(event["request"])
    last = JobState.model_validate(event["job"])
    key = JobKey.model_validate(event["key"])
    logger.append_keys(**request.log_keys(), job_id=last.job.job_id)
    metrics.add_metric("Polls", MetricUnit.Count, 1)
    now = datetime.now(UTC)
    record = store.begin_poll(key, now)
    asked = ask(last, record, request, now)
    left_queue_at = left_queue(asked, record.left_queue_at, now)
    state = timed_out(asked, left_queue_at, request, now)
    store.record_state(key, state, left_queue_at)
    logger.info("Polled", extra={"state": state.state, "status": state.status, "polls": record.polls})
    if state.state.is_outcome:
        outcome = "".join(word.capitalize() for word in state.state.split("_"))
        metrics.add_metric(f"Jobs{outcome}", MetricUnit.Count, 1)
        metrics.add_metric("PollsPerJob", MetricUnit.Count, record.polls)
        if state.finished_at is not None:
            delay = max((now - state.finished_at).total_seconds(), 0)
            metrics.add_metric("DetectionDelay", MetricUnit.Seconds, delay)
    answer = poll_answer(
        state,
        key=key,
        changes=record.changes,
        polls=record.polls,
        left_queue_at=left_queue_at,
        earlier=() if state.state.is_outcome else store.earlier_jobs(key),
        request=request,
        now=now,
    )
    return answer.model_dump(mode="json", by_alias=True)
