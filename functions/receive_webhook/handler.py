"""Takes a git host's delivery: verifies it, decides by the routes, and starts one execution for each request."""

import os
import time
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
from amplify_jobs.errors import DeliveryRefusedError, RetryableError
from amplify_jobs.events.http_request import answer, body_of, waiting_seconds
from amplify_jobs.events.webhooks import any_delivery_id
from amplify_jobs.intake.intake import Intake
from amplify_jobs.intake.verify import RawDelivery, Verifier
from amplify_jobs.observability import function_logger

RETRY_AFTER_SECONDS = 30

logger = function_logger()
metrics = Metrics()
aws = AwsHttp.from_environment()
stored_routes = StoredRoutes(aws, bucket=os.environ["BUCKET_NAME"], key=os.environ["ROUTES_KEY"])
intake = Intake(
    stored_routes,
    Executions(aws, os.environ["STATE_MACHINE_ARN"], os.environ["BUCKET_NAME"]),
    IntakeQueue(aws, os.environ["INTAKE_QUEUE_URL"], os.environ["BUCKET_NAME"]),
    Verifier(stored_routes, StoredSources(aws, path=os.environ["SOURCES_PATH"]), Secrets(aws)),
)


def receive(event: dict[str, Any]) -> dict[str, Any]:
    name, headers = event["pathParameters"]["source"], event["headers"]
    logger.append_keys(
        source=name,
        delivery_id=any_delivery_id(headers),
        api_request_id=event.get("requestContext", {}).get("requestId"),
    )
    aws.arrived_at = time.monotonic() - waiting_seconds(event, time.time())
    delivery = RawDelivery(source=name, headers=headers, body=body_of(event), received_at=datetime.now(UTC))
    taken = intake.receive(delivery)
    return answer(202 if taken.accepted else 200, asdict(taken))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("Deliveries", MetricUnit.Count, 1)
    try:
        return receive(event)
    except DeliveryRefusedError as refusal:
        metrics.add_metric("DeliveriesRejected", MetricUnit.Count, 1)
        logger.warning("Delivery refused", extra={"status": refusal.status, "reason": str(refusal)})
        return answer(refusal.status, {"message": str(refusal)})
    except RetryableError as trouble:
        metrics.add_metric("DeliveriesFailed", MetricUnit.Count, 1)
        logger.error("Delivery not taken", extra={"reason": str(trouble)})  # noqa: TRY400 -- the reason says it all
        message = "amplify-jobs can't take this delivery now; its log says why. Deliver it again later."
        return answer(503, {"message": message}, {"Retry-After": str(RETRY_AFTER_SECONDS)})
