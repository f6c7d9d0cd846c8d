"""What the log and the metrics tell of looks at repositories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from amplify_jobs.observability import function_metrics
from amplify_jobs.reconciling.reconcile import Outcome

logger = Logger(child=True)
metrics = function_metrics()


def log_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Log what somebody may have to do something about, and count all."""
    unreached = sum(outcome.reason is not None for outcome in outcomes)
    metrics.add_metric("RepositoriesListed", MetricUnit.Count, len(outcomes) - unreached)
    metrics.add_metric("RepositoriesUnreached", MetricUnit.Count, unreached)
    metrics.add_metric("PushesMissed", MetricUnit.Count, sum(len(outcome.missed) for outcome in outcomes))
    longest = max((outcome.outage for outcome in outcomes), default=timedelta())
    metrics.add_metric("RepositoryOutage", MetricUnit.Seconds, longest.total_seconds())
    for outcome in outcomes:
        extra = {"source": outcome.repository.source, "repository": outcome.repository.repository}
        if outcome.reason is not None:
            logger.warning("Repository not listed", extra={**extra, "reason": outcome.reason})
        if outcome.redelivered:
            logger.warning("Failed deliveries are asked for again", extra={**extra, "deliveries": outcome.redelivered})
        if outcome.unread is not None:
            logger.warning("Commits not read", extra={**extra, "reason": outcome.unread})
        for push in outcome.missed:
            logger.warning("A push was missed", extra={**extra, **vars(push)})
