"""Wakes the execution that waits for a job, when an event says that the job has come to its end, or was ended."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.aws.jobs_table.table import JobsTable
from amplify_jobs.aws.task_tokens import TaskTokens
from amplify_jobs.following import ending_calls
from amplify_jobs.following.status_change import status_change
from amplify_jobs.model.job import BranchRef, JobRef, hosting_state
from amplify_jobs.observability import function_logger

logger = function_logger()
metrics = Metrics()
store = JobsTable.connect(os.environ["JOBS_TABLE"])
callbacks = TaskTokens.connect()


def ended_jobs(event: dict[str, Any]) -> list[JobRef]:
    """Say which jobs an event is the end of."""
    if event.get("detail-type") == ending_calls.DETAIL_TYPE:
        call = ending_calls.ending_call(event)
        logger.append_keys(app_id=call.app_id, branch_name=next(iter(call.branch_names), None), job_id=call.job_id)
        return store.followed_jobs(event["region"], call.app_id, call.branch_names, call.job_id)
    change = status_change(event)
    logger.append_keys(app_id=change.app_id, branch_name=change.branch_name, job_id=change.job_id)
    if not hosting_state(change.job_status).is_outcome:
        return []
    return [JobRef(BranchRef(event["region"], change.app_id, change.branch_name), change.job_id)]


def woke(job: JobRef) -> bool:
    # Counted first, so that a poll under way notices that it may have been too early.
    token = store.record_status_change(job, datetime.now(UTC))
    return token is not None and callbacks.wake(token)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("StatusChanges", MetricUnit.Count, 1)
    jobs = ended_jobs(event)
    awake = sum([woke(job) for job in jobs])
    logger.info("Woke executions", extra={"jobs": len(jobs), "woke": awake, "event": event.get("detail-type")})
    return {"woke": awake > 0}
