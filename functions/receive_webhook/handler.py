"""Receives a git host's delivery: verifies it, decides by the routes, and starts one execution for each request."""

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.webhook_resources import connect_webhooks
from amplify_jobs.errors import DeliveryRefusedError, RetryableError, UnreadableDeliveryError
from amplify_jobs.events.deliveries import first_id
from amplify_jobs.events.http_request import HttpApiRequest, answer
from amplify_jobs.events.webhooks import ALL_ID_HEADERS
from amplify_jobs.intake.accept import WebhookIntake
from amplify_jobs.intake.message import UnverifiedDelivery
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import WebhookSettings

RETRY_AFTER_SECONDS = 30

logger = function_logger()
metrics = function_metrics()
aws = AwsHttp.from_environment()
verifier, resources = connect_webhooks(aws, WebhookSettings.from_environment())
intake = WebhookIntake(verifier, resources.intake, resources.queue)


def receive(event: dict[str, Any]) -> dict[str, Any]:
    with invalid_input_is(UnreadableDeliveryError):
        request = parse(event=event, model=HttpApiRequest)
    source = request.path_parameters.source
    logger.append_keys(
        source=source,
        delivery_id=first_id(request.headers, ALL_ID_HEADERS),
        api_request_id=request.request_context.request_id,
    )
    aws.arrived_at = time.monotonic() - request.waiting_seconds(time.time())
    body, now = request.decoded_body(), datetime.now(UTC)
    result = intake.accept(UnverifiedDelivery(source=source, headers=request.headers, body=body, received_at=now))
    return answer(202 if result.is_accepted else 200, asdict(result))


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
        logger.error("Delivery not accepted", extra={"reason": str(trouble)})  # noqa: TRY400 -- the reason says it all
        message = "amplify-jobs can't accept this delivery now; the log has the reason. Deliver it again later."
        return answer(503, {"message": message}, {"Retry-After": str(RETRY_AFTER_SECONDS)})
