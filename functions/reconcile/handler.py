"""Lists the refs of repositories at their hosts, and asks for the jobs of pushes of which no delivery has told."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

from amplify_jobs.aws.git_remotes import SECONDS_OF_A_REPOSITORY, GitRemotes
from amplify_jobs.aws.github_deliveries import GitHubDeliveries
from amplify_jobs.aws.intake_queue import IntakeQueue
from amplify_jobs.aws.outgoing_http import OutgoingHttp
from amplify_jobs.aws.public_http import PublicHttp
from amplify_jobs.aws.ref_records import StoredRefRecords
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.snapshots import StoredSnapshots
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.clock import utc_now
from amplify_jobs.errors import InvalidEventError, NotSetUpError
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.reconciling.batch import RepositoryName, batch_output, batches, still_named
from amplify_jobs.reconciling.outcomes import log_outcomes
from amplify_jobs.reconciling.reconcile import Options, Outcome, Reconciling, Resources
from amplify_jobs.settings import Names, Settings


class ReconcileSettings(Settings):
    """The environment variables of reconcile."""

    aws_endpoint_url: str | None = None
    bucket_name: str
    routes_key: str
    jobs_table: str
    intake_queue_url: str
    private_hosts: Names
    codecommit_repositories: Names
    webhooks_url: str


class Order(GrowingModel):
    """The input of an execution; the schedule's is empty."""

    dry_run: bool = False
    after_minutes: int = Field(default=5, ge=0, le=1440)


class ReconcileCall(GrowingModel):
    """The state machine's payload: without repositories, the batches of them are asked for."""

    order: Order
    repositories: tuple[RepositoryName, ...] | None = None


logger = function_logger()
metrics = function_metrics()
settings = ReconcileSettings.from_environment()
aws = AwsHttp.from_environment()
secrets = Secrets(aws)
connections = PublicHttp(settings.aws_endpoint_url or None, private_hosts=settings.private_hosts)
routes = StoredRoutes(aws, settings.bucket_name, settings.routes_key)
reconciling = Reconciling(
    Resources(
        routes=routes,
        snapshots=StoredSnapshots(aws, settings.bucket_name),
        records=StoredRefRecords(aws, settings.jobs_table),
        redeliveries=GitHubDeliveries(
            OutgoingHttp(settings.aws_endpoint_url or None, settings.private_hosts), secrets, settings.webhooks_url
        ),
        queue=IntakeQueue(aws, settings.intake_queue_url, settings.bucket_name),
        now=utc_now,
    )
)


def current_batches() -> list[list[dict[str, str]]]:
    try:
        current = routes.current(fresh=True)
    except NotSetUpError:
        return []
    names = batches(current, settings.codecommit_repositories)
    return [[name.model_dump(by_alias=True) for name in batch] for batch in names]


def look(names: Sequence[RepositoryName], options: Options) -> list[Outcome]:
    outcomes = []
    for repository in still_named(routes.current(fresh=True), names, settings.codecommit_repositories):
        until = time.monotonic() + SECONDS_OF_A_REPOSITORY
        outcomes.append(reconciling.run(repository, GitRemotes(connections, secrets, aws, until), options))
    return outcomes


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("RepositoriesListed", MetricUnit.Count, 0)
    with invalid_input_is(InvalidEventError):
        call = parse(event=event, model=ReconcileCall)
    if call.repositories is None:
        return {"batches": current_batches()}
    order = call.order
    outcomes = look(call.repositories, Options(order.dry_run, timedelta(minutes=order.after_minutes)))
    log_outcomes(outcomes)
    return batch_output(outcomes)
