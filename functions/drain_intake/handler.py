"""Takes deliveries and events out of the intake queue, in the order of each repository, and starts their executions."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.executions import Executions
from amplify_jobs.aws.index_queue import IndexQueue
from amplify_jobs.aws.intake_queue import IntakeQueue
from amplify_jobs.aws.ref_records import StoredRefRecords
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes, StoredSources
from amplify_jobs.intake.claims import Claims
from amplify_jobs.intake.drain import IntakeDrain
from amplify_jobs.intake.process import EventProcessor
from amplify_jobs.intake.record import DeliveryLog
from amplify_jobs.intake.verify import Verifier
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings


class DrainIntakeSettings(Settings):
    """The environment variables of drain_intake."""

    bucket_name: str
    routes_key: str
    sources_path: str
    state_machine_arn: str
    intake_queue_url: str
    index_queue_url: str
    jobs_table: str


logger = function_logger()
metrics = function_metrics()
settings = DrainIntakeSettings.from_environment()
aws = AwsHttp.from_environment()
routes = StoredRoutes(aws, settings.bucket_name, settings.routes_key)
executions = Executions(aws, settings.state_machine_arn, settings.bucket_name)
claims = Claims(StoredRefRecords(aws, settings.jobs_table)) if settings.jobs_table else None
drain = IntakeDrain(
    IntakeQueue(aws, settings.intake_queue_url, settings.bucket_name),
    Verifier(routes, StoredSources(aws, settings.sources_path), Secrets(aws)),
    EventProcessor(routes, executions, claims),
    DeliveryLog(IndexQueue(aws, settings.index_queue_url)),
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return drain.process(event)
