"""Starts exactly one Amplify Hosting job for a request (API: StartJob)."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.amplify import Amplify
from amplify_jobs.errors import BranchBusy, RequestRejected, ServiceTrouble, StartUnresolved, Throttled, TryAgain
from amplify_jobs.following import deadlines_of, poll_answer
from amplify_jobs.jobs import Job, JobState, State, job_key
from amplify_jobs.requests import JobRequest, job_request, validated_parameters
from amplify_jobs.start_once import start_once
from amplify_jobs.store import Store, dynamodb_client

REGION = os.environ["AWS_REGION"]
logger = Logger()
metrics = Metrics()
amplify = Amplify.connect()
store = Store.connect(os.environ["JOBS_TABLE"])
# As long as an execution can live, so that none of its own repeats is taken for a new request.
idempotency = IdempotencyConfig(
    event_key_jmespath="requestId", expires_after_seconds=int(timedelta(days=3).total_seconds())
)
answered_starts = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"], boto3_client=dynamodb_client())


def now() -> datetime:
    return datetime.now(UTC)


@idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves it so
    data_keyword_argument="request", config=idempotency, persistence_store=answered_starts
)
def started_job(*, request: dict[str, Any]) -> dict[str, Any]:
    parsed = JobRequest.model_validate(request)
    parameters = validated_parameters(parsed)
    job = start_once(
        parsed.request_id,
        parameters,
        operation=parsed.operation,
        region=REGION,
        amplify=amplify,
        store=store,
        now=now,
    )
    return job.model_dump(mode="json", by_alias=True)


def start(request: JobRequest) -> Job:
    try:
        return Job.model_validate(started_job(request=request.model_dump(mode="json", by_alias=True)))
    except IdempotencyAlreadyInProgressError as error:
        raise StartUnresolved("An earlier try of this request has not ended yet, or was cut short.") from error
    except IdempotencyPersistenceLayerError as error:
        raise ServiceTrouble("DynamoDB did not answer for the idempotency table.") from error
    except (Throttled, BranchBusy) as error:
        if now() < deadlines_of(request).start_by:
            raise
        minutes = request.start_within_minutes
        raise RequestRejected(f"Not started within {minutes} minutes (startWithinMinutes). Last: {error}") from error


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    idempotency.register_lambda_context(context)
    metrics.add_metric("StartsTried", MetricUnit.Count, 1)
    try:
        request = job_request(event["request"])
        logger.append_keys(**request.log_keys())
        job = start(request)
    except (TryAgain, RequestRejected) as error:
        metrics.add_metric("StartsNotMade", MetricUnit.Count, 1)
        logger.warning("Not started", extra={"error": type(error).__name__, "reason": str(error)})
        raise
    key = job_key(REGION, job.app_id, job.branch_name, job.job_id)
    store.record_start(key, request.request_id, job, now())
    logger.append_keys(job_id=job.job_id)
    logger.info("Started")
    metrics.add_metric("JobsStarted", MetricUnit.Count, 1)
    answer = poll_answer(
        JobState(job=job, state=State.WAITING, started_at=now()),
        key=key,
        # A change that was counted before this, or since, has not been seen: only a poll sees.
        changes=0,
        polls=0,
        left_queue_at=None,
        earlier=store.earlier_jobs(key),
        request=request,
        now=now(),
    )
    return answer.model_dump(mode="json", by_alias=True)
