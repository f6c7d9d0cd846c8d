"""The services that run jobs, by the registry of operations."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

from amplify_jobs.model.operations import OPERATIONS


def connect_services() -> dict[str, Any]:
    """Give each operation its service, with boto3 clients that go where the environment says.

    Operations of one service share it. Each stage says by a protocol what it needs of a service.
    """
    services = {name: resolve_name(name).connect() for name in {spec.service for spec in OPERATIONS.values()}}
    return {operation: services[spec.service] for operation, spec in OPERATIONS.items()}
