"""Starts exactly one job for a request, at the service that its operation is of, or takes over one to follow.

APIs: StartJob, StartDeployment, StartCodegenJob, GenerateBackendAPIModels.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import idempotent_function
from aws_lambda_powertools.utilities.idempotency.serialization.pydantic import PydanticSerializer
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.s3 import Objects
from amplify_jobs.aws.services import connect_services
from amplify_jobs.aws.start_records import idempotency_of_starts, start_record_errors, start_records
from amplify_jobs.aws.task_tokens import TaskTokens
from amplify_jobs.clock import utc_now
from amplify_jobs.errors import AlreadyFollowed, AmplifyJobsError, RequestRejected, RetryableError, Superseded
from amplify_jobs.following.answer import FollowedJob, first_state, poll_answer
from amplify_jobs.following.record import Record
from amplify_jobs.model.job import Job
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings
from amplify_jobs.starting.failure import count_failed_try, log_failure
from amplify_jobs.starting.start import Start, StartRequest
from amplify_jobs.starting.starter import StartCommand, StartResources


class StartJobSettings(Settings):
    """The environment of start_job."""

    aws_region: str
    jobs_table: str
    idempotency_table: str


settings = StartJobSettings.from_environment()
logger = function_logger()
metrics = function_metrics()
dynamodb = dynamodb_client()
jobs = JobsTable(Table(dynamodb, settings.jobs_table))
services = connect_services()
tokens = TaskTokens.connect(late=True)
start = Start(services, StartResources(settings.aws_region, jobs, Objects(), tokens.wake, utc_now))
idempotency, records = idempotency_of_starts(), start_records(settings.idempotency_table, dynamodb)


# Its name and the module's are part of the records' ids.
@start_record_errors()
@idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves it so
    data_keyword_argument="command",
    config=idempotency,
    persistence_store=records,
    output_serializer=PydanticSerializer,
)
def started_job(*, command: StartCommand) -> Job:
    return start.run(command)


def not_started(error: AmplifyJobsError) -> AmplifyJobsError:
    metrics.add_metric("StartsNotMade", MetricUnit.Count, int(not isinstance(error, AlreadyFollowed)))
    return log_failure("Not started", error)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    idempotency.register_lambda_context(context)
    metrics.add_metric("StartsTried", MetricUnit.Count, 1)
    try:
        with invalid_input_is(RequestRejected, root="request"):
            start_request = parse(event=event, model=StartRequest)
        logger.append_keys(**start_request.request.log_keys())
        job: Job = started_job(command=start.prepare(start_request))
    except RetryableError as error:
        raise not_started(count_failed_try(start_request, error, utc_now())) from None
    except (RequestRejected, Superseded, AlreadyFollowed) as error:
        raise not_started(error) from None
    key = start.record(start_request, job)
    logger.append_keys(job_id=job.job_id)
    logger.info("Started")
    metrics.add_metric("JobsStarted", MetricUnit.Count, int(job.origin is None))
    followed = FollowedJob(
        request=start_request.request, job=first_state(job, utc_now()), key=key, attempt=start_request.attempt
    )
    # A change that was counted before this, or since, has not been seen: only a poll sees.
    return poll_answer(followed, Record(), jobs.earlier_jobs(key), utc_now()).model_dump(mode="json", by_alias=True)
