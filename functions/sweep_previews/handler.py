"""Looks for previews of pull requests that nothing took away, and asks for the removal of each."""

import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.executions import Executions
from amplify_jobs.aws.git_remotes import SECONDS_OF_A_REPOSITORY, GitRemotes
from amplify_jobs.aws.jobs_table.previews import PreviewRecords
from amplify_jobs.aws.public_http import PublicHttp
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.clock import utc_now
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.previewing.sweep import Sweep, Sweeping
from amplify_jobs.settings import Names, Settings

# What is left of the function's time for the removals.
SECONDS_OF_REMOVALS = 60


class SweepPreviewsSettings(Settings):
    """The environment variables of sweep_previews."""

    aws_endpoint_url: str | None = None
    bucket_name: str
    routes_key: str
    jobs_table: str
    state_machine_arn: str
    private_hosts: Names


logger = function_logger()
metrics = function_metrics()
settings = SweepPreviewsSettings.from_environment()
aws = AwsHttp.from_environment()
secrets = Secrets(aws)
connections = PublicHttp(settings.aws_endpoint_url or None, private_hosts=settings.private_hosts)
routes = StoredRoutes(aws, settings.bucket_name, settings.routes_key)
records = PreviewRecords(Table(dynamodb_client(), settings.jobs_table))
executions = Executions(aws, settings.state_machine_arn, settings.bucket_name)


def note(sweep: Sweep) -> None:
    """Log what is taken away and what could not be asked, and count all."""
    metrics.add_metric("PreviewsOpen", MetricUnit.Count, sweep.previews)
    metrics.add_metric("PreviewsLeftOver", MetricUnit.Count, len(sweep.removals))
    for leftover in sweep.removals:
        place = {"app_id": leftover.record.app_id, "branch_name": leftover.record.branch_name}
        logger.warning("A preview is left over", extra={**place, "reason": leftover.reason})
    for repository, reason in sweep.unreached.items():
        extra = {"source": repository.source, "repository": repository.name, "reason": reason}
        logger.warning("Repository not listed", extra=extra)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - SECONDS_OF_REMOVALS

    def remotes() -> GitRemotes:
        return GitRemotes(connections, secrets, aws, min(end, time.monotonic() + SECONDS_OF_A_REPOSITORY))

    sweep = Sweeping(routes, records, executions, remotes, utc_now).run()
    note(sweep)
    return {
        "previews": sweep.previews,
        "removals": [
            {"appId": each.record.app_id, "branchName": each.record.branch_name, "reason": each.reason}
            for each in sweep.removals
        ],
        "duplicates": sweep.duplicates,
        "unreached": len(sweep.unreached),
    }
