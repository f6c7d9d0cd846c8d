"""Starts exactly one job for a request, at the service that its operation is of.

APIs: StartJob, StartDeployment, StartCodegenJob, GenerateBackendAPIModels.
"""

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
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

from amplify_jobs.aws.amplify import Amplify
from amplify_jobs.aws.amplify_backend import Backend
from amplify_jobs.aws.dynamodb import dynamodb_client
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.s3 import Objects
from amplify_jobs.aws.task_tokens import TaskTokens
from amplify_jobs.aws.ui_builder import UiBuilder
from amplify_jobs.errors import (
    AmplifyJobsError,
    BranchBusy,
    RequestRejected,
    RetryableError,
    ServiceTrouble,
    StartUnresolved,
    Superseded,
    Throttled,
)
from amplify_jobs.following.poll import deadlines_of, poll_answer
from amplify_jobs.following.wait import Deadlines
from amplify_jobs.model.job import Job, JobState, State
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.parameters import OperationParameters, validated_parameters
from amplify_jobs.model.request import JobRequest, job_request
from amplify_jobs.observability import function_logger
from amplify_jobs.starting.dispatch import JobStarts
from amplify_jobs.starting.retry import start_id
from amplify_jobs.text import sentences

REGION = os.environ["AWS_REGION"]
# For so long after its time to start has run out it is found out what came of a start whose answer was lost.
FOUND_OUT_WITHIN = timedelta(minutes=10)
logger = function_logger()
metrics = Metrics()
objects = Objects()
starts = JobStarts(Amplify.connect(objects), UiBuilder(), Backend(), objects)
store = JobsTable.connect(os.environ["JOBS_TABLE"])
# Longer than the state machine tries one start, so that none of its repeats is taken for a new one.
idempotency = IdempotencyConfig(
    event_key_jmespath="startId", expires_after_seconds=int(timedelta(days=3).total_seconds())
)
answered_starts = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"], boto3_client=dynamodb_client())


def now() -> datetime:
    return datetime.now(UTC)


@cache
def callbacks() -> TaskTokens:
    # Few starts wake anyone: the client is made when one does.
    return TaskTokens.connect()


@idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves it so
    data_keyword_argument="asked", config=idempotency, persistence_store=answered_starts
)
def started_job(*, asked: dict[str, Any]) -> dict[str, Any]:
    request = JobRequest.model_validate(asked["request"])
    job = starts.start(
        asked["startId"],
        request,
        Operation(request.operation).parameters_model().model_validate(asked["parameters"]),
        region=REGION,
        store=store,
        wake=lambda token: callbacks().wake(token),
        now=now,
    )
    return job.model_dump(mode="json", by_alias=True)


def start(request: JobRequest, parameters: OperationParameters, attempt: int) -> Job:
    asked = {
        "startId": start_id(request, attempt),
        "request": request.model_dump(mode="json", by_alias=True),
        "parameters": parameters.model_dump(mode="json", by_alias=True),
    }
    try:
        return Job.model_validate(started_job(asked=asked))
    except IdempotencyAlreadyInProgressError as error:
        raise StartUnresolved("An earlier try of this request has not ended yet, or was cut short.") from error
    except IdempotencyPersistenceLayerError as error:
        raise ServiceTrouble("DynamoDB did not answer for the idempotency table.") from error


def not_started(error: AmplifyJobsError) -> AmplifyJobsError:
    """Tell of it, and give it back to be raised."""
    metrics.add_metric("StartsNotMade", MetricUnit.Count, 1)
    logger.warning("Not started", extra={"error": type(error).__name__, "reason": str(error)})
    return error


def given_up(error: RetryableError, request: JobRequest, deadlines: Deadlines) -> RequestRejected | None:
    """Say why a request is not tried any more; None while its time to start has not run out."""
    # What may have been sent is first looked for, as long as that can succeed.
    is_known = isinstance(error, Throttled | BranchBusy)
    if now() < deadlines.start_by + (timedelta(0) if is_known else FOUND_OUT_WITHIN):
        return None
    minutes = request.start_within_minutes
    unknown = "It is not known whether a job was started" if isinstance(error, StartUnresolved) else None
    return RequestRejected(
        sentences(f"Not started within {minutes} minutes (startWithinMinutes)", unknown, f"Last: {error}")
    )


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    idempotency.register_lambda_context(context)
    metrics.add_metric("StartsTried", MetricUnit.Count, 1)
    try:
        request = job_request(event["request"])
        logger.append_keys(**request.log_keys())
        failed = JobState.model_validate(event["failed"]) if "failed" in event else None
        attempt = int(event["attempt"]) + 1 if failed else 1
        deadlines = deadlines_of(request, (failed.finished_at or failed.started_at) if failed else None)
        parameters = validated_parameters(starts.complete(request))
        job = start(request, parameters.for_retry(failed.job) if failed else parameters, attempt)
    except RetryableError as error:
        metrics.add_metric("StartAge", MetricUnit.Seconds, (now() - request.received_at).total_seconds())
        metrics.add_metric("StartsFailed", MetricUnit.Count, int(isinstance(error, ServiceTrouble)))
        raise not_started(given_up(error, request, deadlines) or error) from None
    except (RequestRejected, Superseded) as error:
        raise not_started(error) from None
    key = store.record_start(REGION, request, job, now())
    if attempt > 1:
        store.link_request_to_job(request.request_id, job, now())
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
        attempt=attempt,
    )
    return answer.model_dump(mode="json", by_alias=True)
