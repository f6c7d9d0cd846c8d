"""Takes a git host's delivery: verifies it, decides by the routes, and starts one execution for each request."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws_http import AwsHttp
from amplify_jobs.configuration import StoredRoutes, StoredSources
from amplify_jobs.errors import DeliveryRefused, ServiceTrouble, TryAgain
from amplify_jobs.executions import Executions
from amplify_jobs.http_api import answer, body_of
from amplify_jobs.intake import Intake
from amplify_jobs.intake_queue import IntakeQueue
from amplify_jobs.logs import function_logger
from amplify_jobs.routes import Source
from amplify_jobs.secrets import Secrets
from amplify_jobs.webhooks import provider
from amplify_jobs.webhooks.deliveries import any_delivery_id
from amplify_jobs.webhooks.identity import delivery_told_apart

RETRY_AFTER_SECONDS = 30

logger = function_logger()
metrics = Metrics()
aws = AwsHttp.from_environment()
stored_routes = StoredRoutes(aws, bucket=os.environ["BUCKET_NAME"], key=os.environ["ROUTES_KEY"])
stored_sources = StoredSources(aws, path=os.environ["SOURCES_PATH"])
secrets = Secrets(aws)
intake = Intake(
    stored_routes,
    Executions(aws, os.environ["STATE_MACHINE_ARN"], os.environ["BUCKET_NAME"]),
    IntakeQueue(aws, os.environ["INTAKE_QUEUE_URL"]),
)


def source_of(name: str) -> tuple[Source, ServiceTrouble | None]:
    """A source, and the trouble with the routes if there is any: then its copy serves."""
    try:
        return stored_routes.current().source(name), None
    except ServiceTrouble as trouble:
        return stored_sources.source(name), trouble


def receive(event: dict[str, Any]) -> dict[str, Any]:
    name, headers = event["pathParameters"]["source"], event["headers"]
    # Which host it is stands in the source, which may be what can't be read.
    logger.append_keys(source=name, delivery_id=any_delivery_id(headers))
    source, trouble = source_of(name)
    host, body = provider(source.provider), body_of(event)
    logger.append_keys(delivery_id=host.delivery_id(headers))
    now = datetime.now(UTC)
    secrets.verify(source.secrets, lambda values: host.verify(headers, body, values, now))
    delivery = delivery_told_apart(host.parse(headers, body), uuid4().hex)
    delivery_id = delivery.delivery_id or host.delivery_id(headers)
    taken = intake.take(delivery, source=name, delivery_id=delivery_id, received_at=now, trouble=trouble)
    return answer(202 if taken.accepted else 200, asdict(taken))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("Deliveries", MetricUnit.Count, 1)
    try:
        return receive(event)
    except DeliveryRefused as refusal:
        metrics.add_metric("DeliveriesRejected", MetricUnit.Count, 1)
        logger.warning("Delivery refused", extra={"status": refusal.status, "reason": str(refusal)})
        return answer(refusal.status, {"message": str(refusal)})
    except TryAgain as trouble:
        metrics.add_metric("DeliveriesFailed", MetricUnit.Count, 1)
        logger.error("Delivery not taken", extra={"reason": str(trouble)})  # noqa: TRY400 -- the reason says it all
        message = "amplify-jobs can't take this delivery now; its log says why. Deliver it again later."
        return answer(503, {"message": message}, {"Retry-After": str(RETRY_AFTER_SECONDS)})
