"""Starts exactly one job for a request, at the service that its operation is of, or takes over one to follow.

APIs: StartJob, StartDeployment, StartCodegenJob, GenerateBackendAPIModels.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

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
from aws_lambda_powertools.utilities.idempotency.serialization.pydantic import PydanticSerializer
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.s3 import Objects
from amplify_jobs.aws.services import connect_services
from amplify_jobs.aws.task_tokens import TaskTokens
from amplify_jobs.errors import (
    AlreadyFollowed,
    AmplifyJobsError,
    RequestRejected,
    RetryableError,
    ServiceTrouble,
    StartUnresolved,
    Superseded,
)
from amplify_jobs.following.answer import FollowedJob, poll_answer
from amplify_jobs.following.record import Record
from amplify_jobs.model.job import Job, JobState, State
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings
from amplify_jobs.starting.start import Start, StartRequest
from amplify_jobs.starting.starter import StartCommand, StartResources


class StartJobSettings(Settings):
    """The environment of start_job."""

    aws_region: str
    jobs_table: str
    idempotency_table: str


def now() -> datetime:
    return datetime.now(UTC)


@cache
def task_tokens() -> TaskTokens:
    # Few starts wake an execution: the first one that does makes the client.
    return TaskTokens.connect()


def wake(token: str) -> bool:
    return task_tokens().wake(token)


settings = StartJobSettings.from_environment()
logger = function_logger()
metrics = function_metrics()
dynamodb = dynamodb_client()
jobs = JobsTable(Table(dynamodb, settings.jobs_table))
services = connect_services()
start = Start(services, StartResources(settings.aws_region, jobs, Objects(), wake, now))
# Longer than the state machine tries one start, so that none of its repeats counts as a new one.
idempotency = IdempotencyConfig(
    event_key_jmespath="start_id", expires_after_seconds=int(timedelta(days=3).total_seconds())
)
start_records = DynamoDBPersistenceLayer(table_name=settings.idempotency_table, boto3_client=dynamodb)


# Its name and the module's are part of the records' ids.
@idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves it so
    data_keyword_argument="command",
    config=idempotency,
    persistence_store=start_records,
    output_serializer=PydanticSerializer,
)
def started_job(*, command: StartCommand) -> Job:
    return start.run(command)


def run_once(command: StartCommand) -> Job:
    try:
        job: Job = started_job(command=command)
    except IdempotencyAlreadyInProgressError as error:
        raise StartUnresolved("An earlier invocation for this request is still running, or was interrupted.") from error
    except IdempotencyPersistenceLayerError as error:
        raise ServiceTrouble("DynamoDB did not answer for the idempotency table.") from error
    return job


def not_started(error: AmplifyJobsError) -> AmplifyJobsError:
    metrics.add_metric("StartsNotMade", MetricUnit.Count, int(not isinstance(error, AlreadyFollowed)))
    logger.warning("Not started", extra={"error": type(error).__name__, "reason": str(error)})
    return error


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    idempotency.register_lambda_context(context)
    metrics.add_metric("StartsTried", MetricUnit.Count, 1)
    try:
        with invalid_input_is(RequestRejected, root="request"):
            start_request = parse(event=event, model=StartRequest)
        logger.append_keys(**start_request.request.log_keys())
        job = run_once(start.prepare(start_request))
    except RetryableError as error:
        metrics.add_metric("StartAge", MetricUnit.Seconds, (now() - start_request.request.received_at).total_seconds())
        metrics.add_metric("StartsFailed", MetricUnit.Count, int(isinstance(error, ServiceTrouble)))
        raise not_started(start_request.rejection_if_late(error, now()) or error) from None
    except (RequestRejected, Superseded, AlreadyFollowed) as error:
        raise not_started(error) from None
    key = start.record(start_request, job)
    logger.append_keys(job_id=job.job_id)
    logger.info("Started")
    metrics.add_metric("JobsStarted", MetricUnit.Count, int(job.origin is None))
    # A change that was counted before this, or since, has not been seen: only a poll sees.
    started_at = (job.origin.started_at if job.origin else None) or now()
    state = JobState(job=job, state=State.WAITING, started_at=started_at)
    followed = FollowedJob(request=start_request.request, job=state, key=key, attempt=start_request.attempt)
    answer = poll_answer(followed, Record(), jobs.earlier_jobs(key), now())
    return answer.model_dump(mode="json", by_alias=True)
