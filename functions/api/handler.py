"""Answers questions about requests, jobs and deliveries, and starts, stops, retries and replays them (HTTP API)."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.api_resources import ApiResources, ApiSettings
from amplify_jobs.clock import utc_now
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.steering.service import JobsApi
from amplify_jobs.steering.web import build_app, with_entity_tag

logger = function_logger()
metrics = function_metrics()
settings = ApiSettings.from_environment()
resources = ApiResources(settings, utc_now)
app = build_app(JobsApi(resources.reader, resources, settings.badge_key, utc_now))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("ApiCalls", MetricUnit.Count, 1)
    return with_entity_tag(app.resolve(event, context), event.get("headers") or {})
