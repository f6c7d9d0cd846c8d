"""Plans the reports of an announcement: which targets of routes.yaml get it."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.report_queue import ReportQueue
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.reporting.planner import Planner
from amplify_jobs.reporting.planning import target_of_replay
from amplify_jobs.reporting.report import Report
from amplify_jobs.settings import Settings


class PlanReportsSettings(Settings):
    """The environment variables of plan_reports."""

    bucket_name: str
    routes_key: str
    report_queue_url: str


logger = function_logger()
metrics = function_metrics()
settings = PlanReportsSettings.from_environment()
aws = AwsHttp.from_environment()
planner = Planner(
    StoredRoutes(aws, settings.bucket_name, settings.routes_key), ReportQueue(aws, settings.report_queue_url)
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    report = Report.from_event(event["detail-type"], event["detail"])
    planned = planner.plan(report, only=target_of_replay(event.get("replay-name")))
    metrics.add_metric("ReportsPlanned", MetricUnit.Count, planned)
    return {"planned": planned}
