"""Publishes that a job started, finished or was rejected, each once to people and once to programs.

APIs: GetApp, GetBranch, SNS Publish and EventBridge PutEvents.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.announcing.announcement import DetailType
from amplify_jobs.announcing.announcer import Announcer
from amplify_jobs.announcing.compose import StackInfo
from amplify_jobs.announcing.notification import event_model, notification_from
from amplify_jobs.aws.amplify import Amplify
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.publisher import Publisher
from amplify_jobs.clock import utc_now
from amplify_jobs.errors import InvalidEventError
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings


class AnnounceSettings(Settings):
    """The table of jobs, the topic and the bus, and what links are made of."""

    jobs_table: str
    topic_arn: str
    bus_name: str
    account_id: str
    aws_region: str
    console_url: str
    site_url: str


logger, metrics = function_logger(), function_metrics()
settings = AnnounceSettings.from_environment()
jobs = JobsTable.connect(settings.jobs_table)
announcer = Announcer(
    Amplify.connect(),
    jobs,
    Publisher.connect(topic_arn=settings.topic_arn, bus_name=settings.bus_name),
    StackInfo(
        account=settings.account_id,
        region=settings.aws_region,
        console_url=settings.console_url,
        site_url=settings.site_url,
    ),
    logger,
    utc_now,
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@invalid_input_is(InvalidEventError)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("AnnouncementsTried", MetricUnit.Count, 1)
    notification = notification_from(parse(event=event, model=event_model(event)), jobs, utc_now())
    request, state, detail_type = notification.request, notification.state, notification.detail_type
    logger.append_keys(**request.log_keys(), job_id=state.job.job_id if state else None)
    announcer.announce(notification)
    logger.info("Announced", extra={"detail_type": detail_type})
    metrics.add_metric("Announcements", MetricUnit.Count, 1)
    metrics.add_metric("RequestsRejected", MetricUnit.Count, int(detail_type is DetailType.JOB_REJECTED))
    return {"detailType": detail_type, "requestId": request.request_id}
