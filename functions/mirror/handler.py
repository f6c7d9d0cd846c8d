"""Brings the commit of a request to the branch of a mirror from which Amplify builds, or deletes that branch."""

import tempfile
import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.git_remotes import GitRemotes
from amplify_jobs.aws.jobs_table.mirrored import MirroredBranches
from amplify_jobs.aws.public_http import PublicHttp
from amplify_jobs.aws.running_executions import RunningExecutions
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.clock import utc_now
from amplify_jobs.errors import RequestRejected, RetryableError, Superseded
from amplify_jobs.mirroring.mirror import Mirroring, Resources
from amplify_jobs.mirroring.relay import Arrival
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Names, Settings
from amplify_jobs.starting.failure import count_failed_try, log_failure
from amplify_jobs.starting.start import StartRequest

# What is left of the function's time for the answer, and of its disk for a second pack.
SPARE_SECONDS = 10
PACKS_ON_DISK = 2


class MirrorSettings(Settings):
    """The environment variables of mirror; `disk_mebibytes` is the size of /tmp."""

    aws_endpoint_url: str | None = None
    bucket_name: str
    routes_key: str
    jobs_table: str
    private_hosts: Names
    disk_mebibytes: int


class MirrorCall(StartRequest):
    """The state machine's payload: what start_job gets, whose time limit counts here too."""

    execution: str


logger = function_logger()
metrics = function_metrics()
settings = MirrorSettings.from_environment()
aws = AwsHttp.from_environment()
secrets = Secrets(aws)
connections = PublicHttp(settings.aws_endpoint_url or None, private_hosts=settings.private_hosts)
mirroring = Mirroring(
    Resources(
        routes=StoredRoutes(aws, settings.bucket_name, settings.routes_key),
        records=MirroredBranches(Table(dynamodb_client(), settings.jobs_table)),
        executions=RunningExecutions(aws),
        open_file=tempfile.TemporaryFile,
        limit=(settings.disk_mebibytes << 20) // PACKS_ON_DISK,
        now=utc_now,
    )
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("MirrorsTried", MetricUnit.Count, 1)
    with invalid_input_is(RequestRejected, root="request"):
        call = parse(event=event, model=MirrorCall)
    logger.append_keys(**call.request.log_keys())
    until = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - SPARE_SECONDS
    try:
        result = mirroring.run(call.request, call.execution, GitRemotes(connections, secrets, aws, until))
    except RetryableError as error:
        # A mirror that can't be reached holds up a start: the alarms of starts tell of it.
        raise log_failure("Not mirrored", count_failed_try(call, error, utc_now())) from None
    except (RequestRejected, Superseded) as error:
        raise log_failure("Not mirrored", error) from None
    objects = result.objects if isinstance(result, Arrival) else 0
    metrics.add_metric("CommitsMirrored", MetricUnit.Count, int(objects > 0))
    message = "Mirrored" if isinstance(result, Arrival) else "Removed from the mirror"
    logger.info(message, extra={"commit": result.commit, "objects": objects})
    for warning in result.warnings:
        logger.warning(warning)
    return {"commit": result.commit, "objects": objects, "warnings": list(result.warnings)}
