"""Wakes the execution of a job that has ended, and begins to follow jobs that somebody else started.

APIs: SendTaskSuccess, StartExecution.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.executions import Executions
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.aws.task_tokens import TaskTokens
from amplify_jobs.clock import utc_now
from amplify_jobs.errors import InvalidEventError
from amplify_jobs.following.follow import Follower
from amplify_jobs.following.status_change import StatusChangeEvent
from amplify_jobs.following.wake import Waker, event_model
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings


class OnStatusChangeSettings(Settings):
    """The table of jobs, the routes, and the state machine."""

    jobs_table: str
    bucket_name: str
    routes_key: str
    state_machine_arn: str
    follow_without_routes: bool


logger, metrics = function_logger(), function_metrics()
settings = OnStatusChangeSettings.from_environment()
jobs = JobsTable.connect(settings.jobs_table)
waker = Waker(jobs, TaskTokens.connect(), utc_now)
aws = AwsHttp.from_environment()
follower = Follower(
    jobs,
    StoredRoutes(aws, settings.bucket_name, settings.routes_key),
    Executions(aws, settings.state_machine_arn, settings.bucket_name),
    settings.follow_without_routes,
    utc_now,
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@invalid_input_is(InvalidEventError)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("StatusChanges", MetricUnit.Count, 1)
    change = parse(event=event, model=event_model(event))
    logger.append_keys(**change.log_keys())
    ended = waker.ended_jobs(change)
    awake = sum([waker.wake(job) for job in ended])
    # An execution that waited has the job.
    followed = not awake and isinstance(change, StatusChangeEvent) and follower.follow(change)
    extra = {"jobs": len(ended), "woke": awake, "followed": followed, "event": event.get("detail-type")}
    logger.info("Status change handled", extra=extra)
    metrics.add_metric("JobsFollowed", MetricUnit.Count, int(followed))
    return {"woke": awake > 0}
