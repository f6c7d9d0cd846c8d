"""Sends reports to their targets, in the order of each subject."""

import time
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.index_queue import IndexQueue
from amplify_jobs.aws.outgoing_http import OutgoingHttp
from amplify_jobs.aws.report_calls import ReportCalls
from amplify_jobs.aws.report_queue import ReportQueue
from amplify_jobs.aws.report_records import ReportRecords
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.aws.target_notices import TargetNotices
from amplify_jobs.clock import utc_now
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.reporting.batch import ReportBatch
from amplify_jobs.reporting.sending import Sender
from amplify_jobs.settings import Settings


class SendReportSettings(Settings):
    """The environment variables of send_report."""

    aws_endpoint_url: str | None = None
    bucket_name: str
    routes_key: str
    report_queue_url: str
    index_queue_url: str
    jobs_table: str
    topic_arn: str
    chat_topic_arn: str


logger = function_logger()
metrics = function_metrics()
settings = SendReportSettings.from_environment()
aws = AwsHttp.from_environment()
queue = ReportQueue(aws, settings.report_queue_url)
routes = StoredRoutes(aws, settings.bucket_name, settings.routes_key)
sender = Sender(
    records=ReportRecords(Table(dynamodb_client(), settings.jobs_table), utc_now),
    secrets=Secrets(aws),
    http=ReportCalls(OutgoingHttp(settings.aws_endpoint_url or None), settings.chat_topic_arn),
    notices=TargetNotices.connect(settings.topic_arn),
    clock=time.time,
)
batch = ReportBatch(routes, sender, queue, IndexQueue(aws, settings.index_queue_url))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return batch.process(event)
