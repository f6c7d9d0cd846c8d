"""Wakes the execution that waits for a job, when Amplify's event says that the job has come to its end."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from amplify_jobs.callbacks import Callbacks
from amplify_jobs.jobs import hosting_state, job_key
from amplify_jobs.status_changes import status_change
from amplify_jobs.store import Store

logger = Logger()
metrics = Metrics()
store = Store.connect(os.environ["JOBS_TABLE"])
callbacks = Callbacks.connect()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("StatusChanges", MetricUnit.Count, 1)
    change = status_change(event)
    logger.append_keys(app_id=change.app_id, branch_name=change.branch_name, job_id=change.job_id)
    if not hosting_state(change.job_status).is_outcome:
        logger.info("Not at its end", extra={"status": change.job_status})
        return {"woke": False}
    # Counted first, so that a poll under way notices that it may have been too early.
    token = store.count_change(
        job_key(event["region"], change.app_id, change.branch_name, change.job_id), datetime.now(UTC)
    )
    woke = token is not None and callbacks.wake(token)
    logger.info("Woke its execution" if woke else "Nobody waited", extra={"status": change.job_status})
    return {"woke": woke}
