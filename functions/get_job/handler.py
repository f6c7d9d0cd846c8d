"""Polls a job: asks for its state, records it, and answers how long to wait; at the end it collects results.

APIs: GetJob, StopJob, GetCodegenJob, GetBackendJob and GetBackendAPIModels.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.download import Downloads
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.s3 import Objects
from amplify_jobs.aws.services import connect_services
from amplify_jobs.clock import utc_now
from amplify_jobs.errors import InvalidEventError
from amplify_jobs.following.answer import FollowedJob
from amplify_jobs.following.collect import Collector
from amplify_jobs.following.log_analysis import LogAnalysis
from amplify_jobs.following.poll import Poll, PollResult
from amplify_jobs.model.operations import Operation
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings


class GetJobSettings(Settings):
    """The table of jobs, the bucket of results, and the local cloud's address."""

    jobs_table: str
    bucket_name: str
    aws_endpoint_url: str | None = None


# When collecting ends, so much of the function's time is left for recording and answering.
RESERVED_SECONDS = 12
logger, metrics = function_logger(), function_metrics()
settings = GetJobSettings.from_environment()
services = connect_services()
files, objects = Downloads(settings.aws_endpoint_url or None), Objects()
poll = Poll(
    services,
    JobsTable.connect(settings.jobs_table),
    Collector(services, files=files, objects=objects, bucket=settings.bucket_name),
    LogAnalysis(builds=services[Operation.START_JOB], files=files, objects=objects, bucket=settings.bucket_name),
    logger,
    now=utc_now,
)


def count_outcome(result: PollResult) -> None:
    state = result.answer.job.state
    if not state.is_outcome:
        return
    metrics.add_metric(f"Jobs{state.title().replace('_', '')}", MetricUnit.Count, 1)
    metrics.add_metric("PollsPerJob", MetricUnit.Count, result.polls)
    if result.detection_delay is not None:
        metrics.add_metric("DetectionDelay", MetricUnit.Seconds, result.detection_delay.total_seconds())


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@invalid_input_is(InvalidEventError)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("Polls", MetricUnit.Count, 1)
    followed = parse(event=event, model=FollowedJob)
    logger.append_keys(**followed.request.log_keys(), job_id=followed.job.job.job_id)
    result = poll.poll(followed, lambda: context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS)
    state = result.answer.job
    logger.info("Polled", extra={"state": state.state, "status": state.status, "polls": result.polls})
    count_outcome(result)
    return result.answer.model_dump(mode="json", by_alias=True)
