"""Wakes the execution that waits for a job, when an event tells that the job has ended."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.task_tokens import TaskTokens
from amplify_jobs.errors import InvalidEventError
from amplify_jobs.following.wake import Waker, event_model
from amplify_jobs.model.validation import invalid_input_is
from amplify_jobs.observability import function_logger, function_metrics
from amplify_jobs.settings import Settings


class OnStatusChangeSettings(Settings):
    """The table of jobs."""

    jobs_table: str


logger, metrics = function_logger(), function_metrics()
settings = OnStatusChangeSettings.from_environment()
waker = Waker(JobsTable.connect(settings.jobs_table), TaskTokens.connect(), now=lambda: datetime.now(UTC))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@invalid_input_is(InvalidEventError)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("StatusChanges", MetricUnit.Count, 1)
    change = parse(event=event, model=event_model(event))
    logger.append_keys(**change.log_keys())
    jobs = waker.ended_jobs(change)
    awake = sum([waker.wake(job) for job in jobs])
    logger.info("Woke executions", extra={"jobs": len(jobs), "woke": awake, "event": event.get("detail-type")})
    return {"woke": awake > 0}
