"""Takes AWS events and what waits in the intake queue: decides by the routes, and starts an execution per request."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.executions import Executions
from amplify_jobs.aws.intake_queue import IntakeQueue
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes, StoredSources
from amplify_jobs.errors import UnreadableDeliveryError
from amplify_jobs.events import aws_events
from amplify_jobs.intake.intake import Intake, is_batch
from amplify_jobs.intake.verify import Verifier
from amplify_jobs.observability import function_logger

logger = function_logger()
metrics = Metrics()
aws = AwsHttp.from_environment()
executions = Executions(aws, os.environ["STATE_MACHINE_ARN"], os.environ["BUCKET_NAME"])
stored_routes = StoredRoutes(aws, bucket=os.environ["BUCKET_NAME"], key=os.environ["ROUTES_KEY"])
intake = Intake(
    stored_routes,
    executions,
    IntakeQueue(aws, os.environ["INTAKE_QUEUE_URL"], os.environ["BUCKET_NAME"]),
    Verifier(stored_routes, StoredSources(aws, path=os.environ["SOURCES_PATH"]), Secrets(aws)),
)


def receive(event: Any, invocation_id: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    try:
        delivery = aws_events.parse(event, invocation_id)
        logger.append_keys(source=delivery.source, delivery_id=delivery.delivery_id)
        taken = intake.take(delivery, source=delivery.source, delivery_id=delivery.delivery_id, received_at=now)
    except UnreadableDeliveryError as unreadable:
        metrics.add_metric("EventsRejected", MetricUnit.Count, 1)
        executions.start(aws_events.rejection(event, str(unreadable), invocation_id, now))
        # Lambda's retries can't help, but they end in the dead-letter queue, where the event is kept.
        raise
    return asdict(taken)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    if is_batch(event):
        return intake.drain(event["Records"])
    metrics.add_metric("Events", MetricUnit.Count, 1)
    return receive(event, context.aws_request_id)
