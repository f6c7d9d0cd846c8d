"""Takes deliveries and events out of the intake queue, in the order of each repository, and starts their executions."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.webhook_resources import connect_webhooks
from amplify_jobs.intake.drain import IntakeDrain
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import WebhookSettings

logger = function_logger()
metrics = function_metrics()
verifier, resources = connect_webhooks(AwsHttp.from_environment(), WebhookSettings.from_environment())
drain = IntakeDrain(resources.queue, verifier, resources.processor, resources.log)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return drain.process(event)
