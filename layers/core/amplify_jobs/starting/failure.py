"""A try that started nothing: what the alarms of starts count, and the error that the state machine gets."""

from __future__ import annotations

from datetime import datetime

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from amplify_jobs.errors import AmplifyJobsError, RetryableError, ServiceTrouble
from amplify_jobs.observability import function_metrics
from amplify_jobs.starting.start import StartRequest

logger = Logger(child=True)
metrics = function_metrics()


def count_failed_try(start: StartRequest, error: RetryableError, now: datetime) -> AmplifyJobsError:
    """Count a try that may be repeated, and give the error to raise: a rejection once the time to start has run out."""
    metrics.add_metric("StartAge", MetricUnit.Seconds, (now - start.request.received_at).total_seconds())
    metrics.add_metric("StartsFailed", MetricUnit.Count, int(isinstance(error, ServiceTrouble)))
    # The state machine knows errors by the name of their own class.
    plain = ServiceTrouble(str(error)) if isinstance(error, ServiceTrouble) else error
    return start.rejection_if_late(plain, now) or plain


def log_failure(message: str, error: AmplifyJobsError) -> AmplifyJobsError:
    """Log an error that the state machine handles, and give it back."""
    logger.warning(message, extra={"error": type(error).__name__, "reason": str(error)})
    return error
