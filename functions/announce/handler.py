"""Publishes that a job started, finished or was rejected, each once to people and once to programs."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.announcing.announcement import Announcement, DetailType
from amplify_jobs.announcing.compose import AppNames, StackInfo, compose
from amplify_jobs.announcing.notification import Notification, event_model, notification_from
from amplify_jobs.announcing.published import PublishedAnnouncements
from amplify_jobs.aws.amplify import Amplify
from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.publisher import Publisher
from amplify_jobs.errors import AmplifyJobsError, NotFoundError
from amplify_jobs.observability import function_logger

logger = function_logger()
metrics = Metrics()
amplify = Amplify.connect()
store = JobsTable.connect(os.environ["JOBS_TABLE"])
publisher = Publisher.connect(topic_arn=os.environ["TOPIC_ARN"], bus_name=os.environ["BUS_NAME"])
place = StackInfo(
    account=os.environ["ACCOUNT_ID"],
    region=os.environ["AWS_REGION"],
    console_url=os.environ["CONSOLE_URL"],
    site_url=os.environ["SITE_URL"],
)


def names(app_id: str | None, branch_name: str | None, known: AppNames) -> AppNames:
    """Ask Amplify, and fill in what was known before; the app is called as it was in the first announcement."""
    if app_id is None:
        return known
    found = AppNames()
    try:
        app_name, domain = amplify.app_name_and_domain(app_id)
        found = AppNames(app_name=app_name, default_domain=domain)
        if branch_name is not None:
            found = found.model_copy(update={"display_name": amplify.branch_display_name(app_id, branch_name)})
    except NotFoundError as error:
        logger.info("The app or the branch does not exist", extra={"reason": str(error)})
        found = found.model_copy(update={"exists": False})
    except AmplifyJobsError as error:
        # A job is announced by what is known of it rather than not at all.
        logger.warning("The names are unknown", extra={"reason": str(error)})
    return found.fill_from(known)


def publish(said: Notification, detail: Announcement, done: PublishedAnnouncements, called: AppNames) -> None:
    for audience, tell in (("programs", publisher.put_event), ("people", publisher.publish_to_topic)):
        labels = said.labels(audience)
        if done.labels.isdisjoint(labels):
            tell(said.detail_type, detail)
            kept = called.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"exists"})
            store.mark_announced(said.request.request_id, labels[0], kept, datetime.now(UTC))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("AnnouncementsTried", MetricUnit.Count, 1)
    said = notification_from(event_model(event).model_validate(event), store, datetime.now(UTC))
    logger.append_keys(**said.request.log_keys(), job_id=said.state.job.job_id if said.state else None)
    done = store.published_announcements(said.request.request_id)
    called = names(said.request.app_id, said.request.branch_name, AppNames.model_validate(done.names))
    detail = compose(said, called, place)
    publish(said, detail, done, called)
    logger.info("Announced", extra={"detail_type": said.detail_type})
    metrics.add_metric("Announcements", MetricUnit.Count, 1)
    metrics.add_metric("RequestsRejected", MetricUnit.Count, int(said.detail_type is DetailType.JOB_REJECTED))
    return {"detailType": said.detail_type, "requestId": said.request.request_id}
