"""Starting a failed job again: as which start."""

from __future__ import annotations

from amplify_jobs.model.request import JobRequest


def start_id(request: JobRequest, attempt: int) -> str:
    """Name a start of a request's: the first by the request's id, later ones by it and their number."""
    return request.request_id if attempt == 1 else f"{request.request_id}#{attempt}"
