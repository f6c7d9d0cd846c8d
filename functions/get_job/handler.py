"""Asks for a job's state, records it, and says how long to wait for the next change; at the end it collects results.

APIs: GetJob, GetCodegenJob, GetBackendJob and GetBackendAPIModels.
"""

import os
import time
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.download import Downloads
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.s3 import Objects
from amplify_jobs.aws.services import connect_services
from amplify_jobs.errors import AmplifyJobsError, NotFoundError, ServiceTrouble
from amplify_jobs.following.collect import Collector
from amplify_jobs.following.poll import (
    RESULTS_TRIED_FOR,
    STOP_TRIED_FOR,
    VISIBLE_AFTER,
    deadlines_of,
    poll_answer,
    stopped_in_time_out,
    timed_out,
    vanished,
    waiting_since,
    with_results,
)
from amplify_jobs.following.record import Record
from amplify_jobs.following.services import JobServices
from amplify_jobs.following.wait import Deadlines, left_queue
from amplify_jobs.model.job import JobState, RecordKey, State
from amplify_jobs.model.request import JobRequest, OnTimeout
from amplify_jobs.observability import function_logger

# What is left of the function's time when collecting ends is for recording and answering.
KEPT_SECONDS = 12
logger = function_logger()
metrics = Metrics()
connected = connect_services()
services = JobServices(connected)
store = JobsTable.connect(os.environ["JOBS_TABLE"])
collector = Collector(
    connected,
    files=Downloads(os.environ.get("AWS_ENDPOINT_URL") or None),
    objects=Objects(),
    bucket=os.environ["BUCKET_NAME"],
)
LEFT_ALONE = "amplify-jobs stopped following it and did not stop it."
STOPPED = "amplify-jobs stopped it."


def ask(last: JobState, record: Record, deadlines: Deadlines, now: datetime) -> JobState:
    try:
        asked = services.get_job(last.job)
    except NotFoundError as error:
        was_seen = record.state is not None or record.changes > 0
        if not was_seen and last.started_at is not None and now - last.started_at < VISIBLE_AFTER:
            raise ServiceTrouble(str(error)) from error
        return vanished(last)
    except AmplifyJobsError as error:
        overdue = timed_out(last, record.left_queue_at, deadlines, now)
        if overdue.state is State.TIMED_OUT:
            return overdue.with_note(f"Amplify's last answer: {error}")
        raise ServiceTrouble(str(error)) from error
    return asked.model_copy(update={"started_at": asked.started_at or last.started_at})


def why_cancelled(
    asked: JobState, record: Record, request: JobRequest, deadlines: Deadlines, left_queue_at: datetime | None
) -> JobState:
    if record.state is State.TIMED_OUT and may_stop(request, record):
        # An earlier poll stopped it, and was cut short.
        return stopped_in_time_out(asked, left_queue_at, deadlines).with_note(STOPPED)
    if request.supersede and (newer := store.superseding_request(request.request_id)) is not None:
        return asked.cancelled_for(newer)
    return asked


def may_stop(request: JobRequest, record: Record) -> bool:
    # What is not recorded as started for this request is somebody else's.
    return request.on_timeout is OnTimeout.STOP and record.request_id == request.request_id


def stopped(state: JobState, deadline: datetime, now: datetime) -> JobState:
    try:
        services.stop_job(state.job)
    except AmplifyJobsError as error:
        # A refusal, too, may only mean that it has ended since, or was stopped by a call whose answer was lost.
        if now - deadline < STOP_TRIED_FOR:
            raise ServiceTrouble(str(error)) from error
        return state.with_note(f"amplify-jobs stopped following it and could not stop it: {error}")
    return state.with_note(STOPPED)


def collected(state: JobState, request: JobRequest, now: datetime, context: LambdaContext) -> JobState:
    if state.state is not State.SUCCEEDED or state.job.sends_events:
        return state
    seconds = max(context.get_remaining_time_in_millis() / 1000 - KEPT_SECONDS, 1)
    found = collector.collect(state.job, request, until=time.monotonic() + seconds)
    for missing in found.results.missing:
        logger.warning("Not stored", extra={"file": missing.name, "reason": missing.reason})
    if found.try_again and state.finished_at is not None and now - state.finished_at < RESULTS_TRIED_FOR:
        raise ServiceTrouble("The job's results can't all be had now.")
    return with_results(state, found.results)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = JobRequest.model_validate(event["request"])
    last = JobState.model_validate(event["job"])
    key = RecordKey(event["key"])
    logger.append_keys(**request.log_keys(), job_id=last.job.job_id)
    metrics.add_metric("Polls", MetricUnit.Count, 1)
    now = datetime.now(UTC)
    # An execution that began before jobs were started again does not count them.
    attempt = int(event.get("attempt", 1))
    record = store.record_poll(key, now)
    deadlines = deadlines_of(request, waiting_since(last, attempt))
    asked = ask(last, record, deadlines, now)
    left_queue_at = left_queue(asked, record.left_queue_at, now)
    if asked.state is State.CANCELLED:
        state = why_cancelled(asked, record, request, deadlines, left_queue_at)
    else:
        state = timed_out(asked, left_queue_at, deadlines, now)
    store.record_state(key, state, left_queue_at)
    if state.state is State.TIMED_OUT and asked.state is not State.CANCELLED:
        due = deadlines.next_after(left_queue_at)
        state = stopped(state, due, now) if may_stop(request, record) else state.with_note(LEFT_ALONE)
    state = collected(state, request, now, context)
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
        attempt=attempt,
    )
    return answer.model_dump(mode="json", by_alias=True)
