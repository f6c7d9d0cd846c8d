"""Takes a git host's delivery: verifies it, decides by the routes, and starts one execution for each request."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws_http import AwsHttp
from amplify_jobs.configuration import StoredRoutes
from amplify_jobs.errors import DeliveryRefused, TryAgain
from amplify_jobs.executions import Executions
from amplify_jobs.http_api import answer, body_of
from amplify_jobs.matching import Ignored, Matched, decide, requested_job
from amplify_jobs.requests import JobRequest
from amplify_jobs.secrets import Secrets
from amplify_jobs.webhooks import provider

RETRY_AFTER_SECONDS = 30

logger = Logger()
metrics = Metrics()
aws = AwsHttp.from_environment()
stored_routes = StoredRoutes(aws, bucket=os.environ["BUCKET_NAME"], key=os.environ["ROUTES_KEY"])
secrets = Secrets(aws)
executions = Executions(aws, os.environ["STATE_MACHINE_ARN"])


def start(request: JobRequest) -> dict[str, Any]:
    logger.append_keys(**request.log_keys())
    duplicate = not executions.start(request)
    logger.info("Duplicate of an earlier request" if duplicate else "Accepted", extra={"route": request.route})
    metrics.add_metric("RequestsDuplicate" if duplicate else "RequestsAccepted", MetricUnit.Count, 1)
    return {
        "requestId": request.request_id,
        "route": request.route,
        "operation": request.operation,
        "duplicate": duplicate,
    }


def receive(event: dict[str, Any]) -> dict[str, Any]:
    routes, name = stored_routes.current(), event["pathParameters"]["source"]
    source = routes.source(name)
    host, headers, body = provider(source.provider), event["headers"], body_of(event)
    logger.append_keys(source=name, delivery_id=host.delivery_id(headers))
    now = datetime.now(UTC)
    secrets.verify(source.secrets, lambda values: host.verify(headers, body, values, now))
    delivery = host.parse(headers, body)
    decisions = [(happened, decision) for happened in delivery.events for decision in decide(routes, name, happened)]
    delivery_id = delivery.delivery_id or host.delivery_id(headers)
    requests = [
        requested_job(decision, happened, source=name, delivery_id=delivery_id, received_at=now)
        for happened, decision in decisions
        if isinstance(decision, Matched)
    ]
    ignored = [decision for _, decision in decisions if isinstance(decision, Ignored)]
    ignored += [Ignored(None, delivery.ignored)] if delivery.ignored else []
    content = {
        "events": [happened.for_answer() for happened in delivery.events],
        "requests": [start(request) for request in requests],
        "ignored": [asdict(reason) for reason in ignored],
    }
    logger.info("Delivery taken", extra={"requests": len(requests), "ignored": len(ignored)})
    return answer(202 if requests else 200, content)


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
