"""Receives events of AWS: decides by the routes, and starts one execution for each request."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.intake_resources import IntakeResources, connect_claims
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import aws_events
from amplify_jobs.intake.message import Origin
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import IntakeSettings

logger = function_logger()
metrics = function_metrics()
aws, settings = AwsHttp.from_environment(), IntakeSettings.from_environment()
resources = IntakeResources.connect(aws, settings, claims=connect_claims(aws, settings))
intake = resources.intake


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("Events", MetricUnit.Count, 1)
    now, invocation_id = datetime.now(UTC), context.aws_request_id
    try:
        delivery = aws_events.parse(event, invocation_id)
        logger.append_keys(source=delivery.source, delivery_id=delivery.delivery_id)
        return asdict(intake.accept(delivery, Origin(delivery.source, delivery.delivery_id, now)))
    except UnreadableDeliveryError as unreadable:
        metrics.add_metric("EventsRejected", MetricUnit.Count, 1)
        resources.executions.start(aws_events.rejection(event, str(unreadable), invocation_id, now))
        # Lambda's retries can't help, but they end in the dead-letter queue, where the event is kept.
        raise
