"""Asks for a job's state, records it, and says how long to wait for the next change; at the end it collects results.

APIs: GetJob, GetCodegenJob, GetBackendJob and GetBackendAPIModels.
"""

import os
import time
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.amplify import Amplify
from amplify_jobs.amplify_calls import NotFound
from amplify_jobs.backend import Backend
from amplify_jobs.collecting import Collector
from amplify_jobs.downloads import Downloads
from amplify_jobs.errors import AmplifyJobsError, ServiceTrouble
from amplify_jobs.following import RESULTS_TRIED_FOR, VISIBLE_AFTER, poll_answer, timed_out, vanished, with_results
from amplify_jobs.job_states import JobStates
from amplify_jobs.jobs import JobKey, JobState, State
from amplify_jobs.objects import Objects
from amplify_jobs.requests import JobRequest
from amplify_jobs.store import Record, Store
from amplify_jobs.ui_builder import UiBuilder
from amplify_jobs.waiting import left_queue

# What is left of the function's time when collecting ends is for recording and answering.
KEPT_SECONDS = 12
logger = Logger()
metrics = Metrics()
states = JobStates(Amplify.connect(), UiBuilder(), Backend())
store = Store.connect(os.environ["JOBS_TABLE"])
collector = Collector(
    ui_builder=states.ui_builder,
    backend=states.backend,
    files=Downloads(os.environ.get("AWS_ENDPOINT_URL") or None),
    objects=Objects(),
    bucket=os.environ["BUCKET_NAME"],
)


def ask(last: JobState, record: Record, request: JobRequest, now: datetime) -> JobState:
    try:
        return states.get_job(last.job)
    except NotFound as error:
        if last.started_at is not None and now - last.started_at < VISIBLE_AFTER:
            raise ServiceTrouble(str(error)) from error
        return vanished(last)
    except AmplifyJobsError as error:
        overdue = timed_out(last, record.left_queue_at, request, now)
        if overdue.state is State.TIMED_OUT:
            return overdue.model_copy(update={"reason": f"{overdue.reason} Amplify's last answer: {error}"})
        raise ServiceTrouble(str(error)) from error


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
    key = JobKey.model_validate(event["key"])
    logger.append_keys(**request.log_keys(), job_id=last.job.job_id)
    metrics.add_metric("Polls", MetricUnit.Count, 1)
    now = datetime.now(UTC)
    record = store.begin_poll(key, now)
    asked = ask(last, record, request, now)
    left_queue_at = left_queue(asked, record.left_queue_at, now)
    state = timed_out(asked, left_queue_at, request, now)
    store.record_state(key, state, left_queue_at)
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
    )
    return answer.model_dump(mode="json", by_alias=True)
