"""Answers questions about requests, jobs and deliveries, and starts, stops, retries and replays them (HTTP API)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.dynamodb import Table, dynamodb_client
from amplify_jobs.aws.index_table import IndexTable
from amplify_jobs.indexing.reading import IndexReader
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings
from amplify_jobs.steering.service import JobsApi
from amplify_jobs.steering.web import build_app, with_entity_tag

if TYPE_CHECKING:
    from amplify_jobs.aws.amplify import Amplify
    from amplify_jobs.aws.signed_http import AwsHttp
    from amplify_jobs.aws.stored_routes import StoredRoutes
    from amplify_jobs.steering.looking import Looking
    from amplify_jobs.steering.orders import Orders


class ApiSettings(Settings):
    """The environment variables of api."""

    aws_region: str
    aws_endpoint_url: str | None = None
    bucket_name: str
    routes_key: str
    state_machine_arn: str
    intake_queue_url: str
    index_queue_url: str
    index_dead_letter_queue_url: str
    index_table: str
    jobs_table: str
    badge_key: str = ""


def now() -> datetime:
    return datetime.now(UTC)


logger = function_logger()
metrics = function_metrics()
settings = ApiSettings.from_environment()
dynamodb = dynamodb_client()
reader = IndexReader(IndexTable(Table(dynamodb, settings.index_table), now), now)


# Lists need the index alone. What else some calls need is loaded with the first of them: it would be a third of the
# time until the first answer (benchmarks/cold_start.py).
@cache
def aws() -> AwsHttp:
    from amplify_jobs.aws.signed_http import AwsHttp

    return AwsHttp.from_environment()


@cache
def routes() -> StoredRoutes:
    from amplify_jobs.aws.stored_routes import StoredRoutes

    return StoredRoutes(aws(), settings.bucket_name, settings.routes_key)


@cache
def amplify() -> Amplify:
    from amplify_jobs.aws.amplify import Amplify

    return Amplify.connect()


@cache
def looking() -> Looking:
    from amplify_jobs.aws.download import Downloads
    from amplify_jobs.steering.looking import Looking

    return Looking(amplify(), Downloads(settings.aws_endpoint_url or None), now, time.monotonic)


@cache
def orders() -> Orders:
    from amplify_jobs.aws.executions import Executions
    from amplify_jobs.aws.index_queue import IndexQueue
    from amplify_jobs.aws.intake_queue import IntakeQueue
    from amplify_jobs.aws.jobs_table.table import JobsTable
    from amplify_jobs.aws.task_tokens import TaskTokens
    from amplify_jobs.following.wake import Waker
    from amplify_jobs.intake.accept import Intake
    from amplify_jobs.intake.process import EventProcessor
    from amplify_jobs.intake.record import DeliveryLog
    from amplify_jobs.steering.orders import Orders

    jobs = JobsTable(Table(dynamodb, settings.jobs_table))
    executions = Executions(aws(), settings.state_machine_arn, settings.bucket_name)
    queue = IntakeQueue(aws(), settings.intake_queue_url, settings.bucket_name)
    log = DeliveryLog(IndexQueue(aws(), settings.index_queue_url))
    return Orders(
        reader,
        routes(),
        Intake(EventProcessor(routes(), executions), queue, log),
        executions,
        amplify(),
        jobs,
        Waker(jobs, TaskTokens.connect(), now),
        settings.aws_region,
        now,
    )


def count(queue_url: str) -> int | None:
    from amplify_jobs.aws.queue_counts import count_messages

    return count_messages(aws(), queue_url)


app = build_app(
    JobsApi(
        reader,
        looking,
        orders,
        routes,
        lambda: count(settings.index_queue_url),
        lambda: count(settings.index_dead_letter_queue_url),
        settings.badge_key,
        now,
    )
)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("ApiCalls", MetricUnit.Count, 1)
    return with_entity_tag(app.resolve(event, context), event.get("headers") or {})
