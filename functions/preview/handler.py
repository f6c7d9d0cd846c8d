"""Makes the branch of an app that shows a pull request before its job starts, or takes it away when it is closed.

APIs: GetBranch, CreateBranch, UpdateBranch, DeleteBranch, ListJobs and StopJob.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.jobs_table.previews import PreviewRecords
from amplify_jobs.aws.preview_branches import PreviewBranches
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.clock import utc_now
from amplify_jobs.errors import AmplifyJobsError, RequestRejected, RetryableError, Superseded
from amplify_jobs.model.operations import REMOVE_PREVIEW
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.previewing.preview import Change, Previewing, not_removed
from amplify_jobs.settings import Settings
from amplify_jobs.starting.failure import count_failed_try, log_failure
from amplify_jobs.starting.start import StartRequest


class PreviewSettings(Settings):
    """The environment variables of preview."""

    bucket_name: str
    routes_key: str
    jobs_table: str


logger = function_logger()
metrics = function_metrics()
settings = PreviewSettings.from_environment()
aws = AwsHttp.from_environment()
previewing = Previewing(
    StoredRoutes(aws, settings.bucket_name, settings.routes_key),
    Secrets(aws),
    PreviewRecords(Table(dynamodb_client(), settings.jobs_table)),
    PreviewBranches.connect(),
    utc_now,
)


def failure(call: StartRequest, error: AmplifyJobsError) -> AmplifyJobsError:
    is_removal = call.request.operation == REMOVE_PREVIEW and isinstance(error, RequestRejected)
    return log_failure("No preview", not_removed(call.request, error) if is_removal else error)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("PreviewsTried", MetricUnit.Count, 1)
    with invalid_input_is(RequestRejected, root="request"):
        call = parse(event=event, model=StartRequest)
    logger.append_keys(**call.request.log_keys())
    try:
        change = previewing.run(call.request)
    except RetryableError as error:
        # A branch that can't be made holds up a start: the alarms of starts tell of it.
        raise failure(call, count_failed_try(call, error, utc_now())) from None
    except (RequestRejected, Superseded) as error:
        raise failure(call, error) from None
    metrics.add_metric("PreviewsCreated", MetricUnit.Count, int(change is Change.CREATED))
    metrics.add_metric("PreviewsRemoved", MetricUnit.Count, int(change is Change.REMOVED))
    logger.info("Preview", extra={"change": change})
    return {"change": change, "isPreview": change is not Change.KEPT}
