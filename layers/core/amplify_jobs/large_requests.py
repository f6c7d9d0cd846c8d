"""Requests too large for an execution's input: most of their parameters lie in the bucket, and are referenced."""

from __future__ import annotations

import json
from typing import Any

from amplify_jobs.requests import JobRequest

# Step Functions takes 262,144 bytes of input, and the machine adds its own to what it passes on.
INPUT_LIMIT = 200_000
# Small members stay, so that logs and announcements can name the app and the branch or environment.
_SMALL = 256
PARAMETERS_LIMIT = 20 * 1024 * 1024


def is_too_large(execution_input: str) -> bool:
    """Say whether an execution's input has to be made smaller."""
    return len(execution_input.encode()) > INPUT_LIMIT


def parameters_key(request: JobRequest) -> str:
    """The key, in the stack's bucket, of the parameters that do not fit into a request."""
    return f"requests/{request.request_id}.json"


def parted(request: JobRequest, uri: str) -> tuple[JobRequest, str]:
    """Part a request from its large parameters: give the request, which references them at `uri`, and them as JSON."""
    large = {name: value for name, value in request.parameters.items() if len(json.dumps(value)) > _SMALL}
    small = {name: value for name, value in request.parameters.items() if name not in large}
    return request.model_copy(update={"parameters": small, "parameters_uri": uri}), json.dumps(large)


def joined(request: JobRequest, large: dict[str, Any]) -> JobRequest:
    """Put a request together again; what is in the request itself counts."""
    return request.model_copy(update={"parameters": {**large, **request.parameters}})
