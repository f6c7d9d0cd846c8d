"""Logs and metrics of functions, by Powertools: JSON lines without anything that has the form of a secret."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from amplify_jobs.text import deeply, without_secrets


def function_logger() -> Logger:
    """Make a function's logger. Those of modules (`Logger(child=True)`) write through it."""
    return Logger(json_serializer=_masked_json)


def function_metrics() -> Metrics:
    """Make a function's metrics; namespace and service come from POWERTOOLS_METRICS_NAMESPACE and _SERVICE_NAME."""
    return Metrics()


def _masked_json(line: dict[str, Any]) -> str:
    return json.dumps(deeply(without_secrets, line), default=lambda value: without_secrets(str(value)))
