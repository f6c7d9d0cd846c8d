"""Lists the refs of repositories at their hosts, and asks for the jobs of pushes of which no delivery has told."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

from amplify_jobs.aws.git_remotes import GitRemotes
from amplify_jobs.aws.github_deliveries import GitHubDeliveries
from amplify_jobs.aws.intake_queue import IntakeQueue
from amplify_jobs.aws.outgoing_http import OutgoingHttp
from amplify_jobs.aws.public_http import PublicHttp
from amplify_jobs.aws.ref_records import StoredRefRecords
from amplify_jobs.aws.secrets import Secrets
from amplify_jobs.aws.signed_http import AwsHttp
from amplify_jobs.aws.snapshots import StoredSnapshots
from amplify_jobs.aws.stored_routes import StoredRoutes
from amplify_jobs.errors import InvalidEventError, NotSetUpError
from amplify_jobs.model.base import GrowingModel
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.reconciling.reconcile import Options, Outcome, Reconciling, Resources
from amplify_jobs.routing.reconciled import reconciled_repositories
from amplify_jobs.settings import Settings

# One call of the function looks at so many repositories, one after the other.
BATCH = 20
# A host that does not answer may take so much of the function's time.
SECONDS_OF_A_REPOSITORY = 12
MOST_TOLD = 50


class ReconcileSettings(Settings):
    """The environment variables of reconcile."""

    aws_endpoint_url: str | None = None
    bucket_name: str
    routes_key: str
    jobs_table: str
    intake_queue_url: str
    private_hosts: str
    webhooks_url: str


class Order(GrowingModel):
    """The input of an execution; the schedule's is empty."""

    dry_run: bool = False
    after_minutes: int = Field(default=5, ge=0, le=1440)


class RepositoryName(GrowingModel):
    """A repository to look at."""

    source: str
    repository: str


class ReconcileCall(GrowingModel):
    """The state machine's payload: without repositories, the batches of them are asked for."""

    order: Order
    repositories: tuple[RepositoryName, ...] | None = None


def now() -> datetime:
    return datetime.now(UTC)


logger = function_logger()
metrics = function_metrics()
settings = ReconcileSettings.from_environment()
aws = AwsHttp.from_environment()
secrets = Secrets(aws)
hosts = [host.strip() for host in settings.private_hosts.split(",") if host.strip()]
connections = PublicHttp(settings.aws_endpoint_url or None, private_hosts=hosts)
routes = StoredRoutes(aws, settings.bucket_name, settings.routes_key)
reconciling = Reconciling(
    Resources(
        routes=routes,
        snapshots=StoredSnapshots(aws, settings.bucket_name),
        records=StoredRefRecords(aws, settings.jobs_table),
        redeliveries=GitHubDeliveries(
            OutgoingHttp(settings.aws_endpoint_url or None, hosts), secrets, settings.webhooks_url
        ),
        queue=IntakeQueue(aws, settings.intake_queue_url, settings.bucket_name),
        now=now,
    )
)


def batches() -> list[list[dict[str, str]]]:
    """The repositories of the routes, in batches."""
    try:
        repositories = reconciled_repositories(routes.current(fresh=True))
    except NotSetUpError:
        return []
    names = [{"source": each.source, "repository": each.repository} for each in repositories]
    return [names[start : start + BATCH] for start in range(0, len(names), BATCH)]


def look(names: tuple[RepositoryName, ...], options: Options) -> list[Outcome]:
    """Look at repositories that the routes still name."""
    repositories = {
        (each.source, each.repository): each for each in reconciled_repositories(routes.current(fresh=True))
    }
    outcomes = []
    for name in names:
        repository = repositories.get((name.source, name.repository))
        if repository is not None:
            until = time.monotonic() + SECONDS_OF_A_REPOSITORY
            outcomes.append(reconciling.run(repository, GitRemotes(connections, secrets, aws, until), options))
    return outcomes


def note(outcomes: list[Outcome]) -> None:
    """Log what somebody may have to do something about, and count all."""
    metrics.add_metric("RepositoriesListed", MetricUnit.Count, sum(each.reason is None for each in outcomes))
    metrics.add_metric("RepositoriesUnreached", MetricUnit.Count, sum(each.reason is not None for each in outcomes))
    metrics.add_metric("PushesMissed", MetricUnit.Count, sum(len(each.missed) for each in outcomes))
    longest = max((each.outage for each in outcomes), default=timedelta())
    metrics.add_metric("RepositoryOutage", MetricUnit.Seconds, longest.total_seconds())
    for outcome in outcomes:
        extra = {"source": outcome.repository.source, "repository": outcome.repository.repository}
        if outcome.reason is not None:
            logger.warning("Repository not listed", extra={**extra, "reason": outcome.reason})
        if outcome.redelivered:
            extra_of_host = {**extra, "deliveries": outcome.redelivered}
            logger.warning("Failed deliveries are asked for again", extra=extra_of_host)
        for ref, commit in outcome.missed:
            logger.warning("A push was missed", extra={**extra, "ref": ref, "commit": commit})


def told(outcomes: list[Outcome]) -> dict[str, Any]:
    """What the execution's output has of a batch."""
    pairs = [
        (outcome, {"source": outcome.repository.source, "repository": outcome.repository.repository})
        for outcome in outcomes
    ]
    missed = [{**name, "ref": ref, "commit": commit} for outcome, name in pairs for ref, commit in outcome.missed]
    return {
        "repositories": len(outcomes),
        "refs": sum(outcome.refs for outcome in outcomes),
        "waiting": sum(outcome.waiting for outcome in outcomes),
        "missed": len(missed),
        "redelivered": sum(outcome.redelivered for outcome in outcomes),
        "pushes": missed[:MOST_TOLD],
        "first": [name for outcome, name in pairs if outcome.is_first and outcome.reason is None],
        "unreached": [{**name, "reason": outcome.reason} for outcome, name in pairs if outcome.reason is not None],
    }


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("RepositoriesListed", MetricUnit.Count, 0)
    with invalid_input_is(InvalidEventError):
        call = parse(event=event, model=ReconcileCall)
    if call.repositories is None:
        return {"batches": batches()}
    order = call.order
    outcomes = look(call.repositories, Options(order.dry_run, timedelta(minutes=order.after_minutes)))
    note(outcomes)
    return told(outcomes)
