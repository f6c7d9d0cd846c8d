"""What is said of a routes.yaml."""

from __future__ import annotations

from amplify_jobs_cli.routes_file.load import check_routes


def faults_of(text: str) -> list[str]:
    """The faults of a routes.yaml, each with its place before it."""
    return [f"{fault.path}: {fault.message}" for fault in check_routes(text.encode(), "amplify-jobs").faults]
